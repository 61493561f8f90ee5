#include "shim/record.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
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

}  // namespace

void write_record(const std::string& directory, const std::string& name, const std::string& text) {
    const std::string path = directory + "/" + name;
    const std::string temporary = path + ".tmp";
    const int fd =
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    const bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::close(fd);
    if (whole)
        ::rename(temporary.c_str(), path.c_str());
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
