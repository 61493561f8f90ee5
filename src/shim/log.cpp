#include "shim/log.h"

#include "shim/fault.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>

#include <fcntl.h>
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

bool means_full(int error) {
    return error == ENOSPC || error == EDQUOT;
}

std::uint64_t count_lines(std::string_view text) {
    return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

int open_log(const std::string& path) {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
}

std::uint64_t size_of(int fd) {
    struct stat status {};

    return ::fstat(fd, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

bool has_name(int fd) {
    struct stat status {};

    return ::fstat(fd, &status) == 0 && status.st_nlink > 0;
}

}  // namespace

Log::Log(std::string path, std::uint64_t largest, std::uint32_t files, WhenFull when_full)
    : path_(std::move(path)), largest_(largest), files_(files), when_full_(when_full) {
    if (!path_.empty() && !open())
        give_up(engine_failed, "open the log " + path_, errno);
}

Log::~Log() {
    ::close(fd_);
}

bool Log::open() {
    fd_ = open_log(path_);
    size_ = size_of(fd_);
    return fd_ >= 0;
}

/// Where somebody has taken the file away or made it shorter, the container goes on with one of
/// that name, and with the size that it has now.
void Log::keep_to_name() {
    if (fd_ < 0)
        return;
    if (!has_name(fd_))
        if (const int anew = open_log(path_); anew >= 0) {  // else its directory is gone as well
            ::close(fd_);
            fd_ = anew;
        }
    size_ = size_of(fd_);
}

void Log::append(bool standard_error, std::string_view bytes) {
    if (path_.empty())
        return;
    keep_to_name();
    tell_what_was_dropped();
    head_ = timestamp() + (standard_error ? " stderr " : " stdout ");
    rest_ = add(bytes);
    if (when_full_ == WhenFull::drop)
        drop_what_waits();
}

std::string_view Log::add(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const std::string_view line = bytes.substr(0, end);
        if (!make_room(head_.size() + line.size() + 3))
            return bytes;
        batch_ += head_;
        batch_ += end == std::string_view::npos ? "P " : "F ";
        batch_ += line;
        batch_ += '\n';
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    }
    static_cast<void>(flush());  // the batch waits
    return bytes;
}

int Log::patience_ms() const {
    constexpr int look_again_ms = 200;
    return waits() || dropped_ > 0 ? look_again_ms : -1;
}

void Log::retry() {
    if (!waits()) {
        tell_what_was_dropped();
        return;
    }
    const std::string rest = std::move(rest_);
    rest_ = add(rest);
}

void Log::drop_from_now() {
    when_full_ = WhenFull::drop;
    drop_what_waits();
}

void Log::drop_what_waits() {
    dropped_ += count_lines(batch_) + count_lines(rest_);
    if (!rest_.empty() && rest_.back() != '\n')
        ++dropped_;
    batch_.clear();
    rest_.clear();
}

void Log::tell_what_was_dropped() {
    if (dropped_ == 0)
        return;
    const std::string entry = timestamp() + " stderr F stack: " + std::to_string(dropped_) +
                              " lines were dropped here: the disk was full\n";
    if (!make_room(entry.size()))
        return;
    batch_ = entry;
    if (flush())
        dropped_ = 0;
    batch_.clear();
}

bool Log::make_room(std::size_t entry) {
    constexpr std::size_t largest_batch = 32U
                                          << 10U;  // short lines grow eightfold: do not keep that
    const bool full = size_ + batch_.size() > 0 && size_ + batch_.size() + entry > largest_;
    if ((full || batch_.size() > largest_batch) && !flush())
        return false;
    if (full)
        rotate();
    return true;
}

bool Log::flush() {
    if (!batch_.empty() && fd_ < 0 && !open() && means_full(errno))
        return false;
    std::size_t written = 0;
    while (written < batch_.size()) {
        const auto count = ::write(fd_, batch_.data() + written, batch_.size() - written);
        if (count >= 0) {
            written += static_cast<std::size_t>(count);
        } else if (means_full(errno)) {
            keep_whole_entries(written);
            return false;
        } else if (errno != EINTR) {
            break;  // the file system is broken: the container goes on without a log
        }
    }
    size_ += batch_.size();
    batch_.clear();
    return true;
}

/// Of the batch, of which so much is on disk.
void Log::keep_whole_entries(std::size_t written) {
    const auto whole = written == 0 ? 0 : batch_.rfind('\n', written - 1) + 1;
    const auto torn = static_cast<off_t>(written - whole);
    if (const off_t end = ::lseek(fd_, 0, SEEK_END); torn > 0 && end >= torn) [[maybe_unused]]
        const auto ignored = ::ftruncate(fd_, end - torn);
    size_ += whole;
    batch_.erase(0, whole);
}

/// The next file is made when something is written to it.
void Log::rotate() {
    for (std::uint32_t i = files_ - 1; i >= 1; --i) {
        const std::string from = i == 1 ? path_ : path_ + "." + std::to_string(i - 1);
        ::rename(from.c_str(), (path_ + "." + std::to_string(i)).c_str());
    }
    if (files_ <= 1)
        ::unlink(path_.c_str());
    ::close(fd_);
    fd_ = -1;
    size_ = 0;
}

void Log::sync() const {
    if (fd_ >= 0)
        ::fdatasync(fd_);
}

}  // namespace stack::shim
