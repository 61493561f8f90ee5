#include "shim/log.h"

#include "shim/fault.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// "2026-01-02T03:04:05.678901234Z"
std::string timestamp() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tm parts{};
    ::gmtime_r(&now.tv_sec, &parts);
    std::array<char, 64> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text.data() + length, text.size() - length, ".%09ldZ", now.tv_nsec);
    return text.data();
}

}  // namespace

Log::Log(std::string path, std::uint64_t largest, std::uint32_t files)
    : path_(std::move(path)), largest_(largest), files_(files) {
    open();
}

Log::~Log() {
    ::close(fd_);
}

void Log::open() {
    if (path_.empty())
        return;
    fd_ = static_cast<int>(
        must(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640),
             "open the log " + path_));

    struct stat status {};

    size_ = ::fstat(fd_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

void Log::append(bool standard_error, std::string_view bytes) {
    if (fd_ < 0)
        return;
    const std::string head = timestamp() + (standard_error ? " stderr " : " stdout ");
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const std::string_view line = bytes.substr(0, end);
        make_room(head.size() + line.size() + 3);
        batch_ += head;
        batch_ += end == std::string_view::npos ? "P " : "F ";
        batch_ += line;
        batch_ += '\n';
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    }
    flush();
}

void Log::make_room(std::size_t entry) {
    constexpr std::size_t largest_batch = 32U
                                          << 10U;  // short lines grow eightfold: do not keep that
    const bool full = size_ + batch_.size() > 0 && size_ + batch_.size() + entry > largest_;
    if (full || batch_.size() > largest_batch)
        flush();
    if (full)
        rotate();
}

void Log::flush() {
    std::string_view text = batch_;
    size_ += text.size();
    while (!text.empty()) {
        const auto count = ::write(fd_, text.data(), text.size());
        if (count >= 0) {
            text.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == ENOSPC || errno == EDQUOT) {
            constexpr int look_again_ms = 200;
            ::poll(nullptr, 0, look_again_ms);
        } else if (errno != EINTR) {
            break;  // the file system is broken: the container goes on without a log
        }
    }
    batch_.clear();
}

void Log::rotate() {
    for (std::uint32_t i = files_ - 1; i >= 1; --i) {
        const std::string from = i == 1 ? path_ : path_ + "." + std::to_string(i - 1);
        ::rename(from.c_str(), (path_ + "." + std::to_string(i)).c_str());
    }
    if (files_ <= 1)
        ::unlink(path_.c_str());
    ::close(fd_);
    open();
}

void Log::sync() const {
    if (fd_ >= 0)
        ::fdatasync(fd_);
}

}  // namespace stack::shim
