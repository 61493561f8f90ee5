#include "shim/record.h"

#include "shim/fault.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// The first 4 KiB of a small file of the kernel's; "" where it cannot be read.
std::string read_small(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::array<char, 4096> buffer{};
    const auto count = ::read(fd, buffer.data(), buffer.size());
    ::close(fd);
    return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : std::string();
}

int open_record(const std::string& path) {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/// From the beginning of the file.
bool write_whole(int fd, const std::string& text) {
    const auto count = ::pwrite(fd, text.data(), text.size(), 0);
    if (count >= 0)
        errno = ENOSPC;  // what a part says
    return count == static_cast<ssize_t>(text.size());
}

}  // namespace

bool write_record(const std::string& directory, const std::string& name, const std::string& text) {
    const std::string path = directory + "/" + name;
    const std::string temporary = path + ".tmp";
    const int fd = open_record(temporary);
    if (fd < 0)
        return false;
    const bool whole = write_whole(fd, text);
    ::close(fd);
    return whole && ::rename(temporary.c_str(), path.c_str()) == 0;
}

ReservedRecord::ReservedRecord(const std::string& directory, const std::string& name)
    : path_(directory + "/" + name), temporary_(path_ + ".tmp"), fd_(open_record(temporary_)) {
    constexpr std::size_t longest = 512;
    if (fd_ < 0 || !write_whole(fd_, std::string(longest, ' ')))
        give_up(engine_failed, "write " + temporary_, errno);
}

ReservedRecord::~ReservedRecord() {
    ::close(fd_);
}

void ReservedRecord::write(const std::string& text) const {
    // Some file systems never write to the same place again.
    constexpr int tries = 20;
    constexpr int pause_ms = 100;
    for (int i = 0; i < tries && !write_whole(fd_, text); ++i)
        ::poll(nullptr, 0, pause_ms);
    if (::ftruncate(fd_, static_cast<off_t>(text.size())) == 0)
        ::rename(temporary_.c_str(), path_.c_str());
}

unsigned long long start_time(int pid) {
    const std::string text = read_small("/proc/" + std::to_string(pid) + "/stat");
    auto at = text.rfind(')');  // the name may hold anything
    constexpr int fields_after_name = 20;
    for (int i = 0; i < fields_after_name && at != std::string::npos; ++i)
        at = text.find(' ', at + 1);
    return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at, nullptr, 10);
}

unsigned long long oom_kills(const std::string& file) {
    const std::string text = read_small(file);
    const auto at = text.find("oom_kill ");
    return at == std::string::npos
               ? 0
               : std::strtoull(text.c_str() + at + std::strlen("oom_kill "), nullptr, 10);
}

long long wall_clock() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    constexpr long long ns_per_s = 1'000'000'000;
    return static_cast<long long>(now.tv_sec) * ns_per_s + now.tv_nsec;
}

}  // namespace stack::shim
