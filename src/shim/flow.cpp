#include "shim/flow.h"

#include "shim/fault.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::shim {
namespace {

bool is_pipe(int fd) {
    struct stat status {};

    return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/// Also where nobody reads it any more, which the next write finds out.
bool has_room(int fd) {
    pollfd entry{fd, POLLOUT, 0};
    return ::poll(&entry, 1, 0) != 0;
}

/// What takes what it can and leaves the rest may be offered as much as a pipe has room for. What
/// is not ours may not be made so: there it is what a pipe that has room takes without waiting.
std::size_t most_at_once(int fd) {
    constexpr std::size_t whole_pipe = 64U << 10U;
    return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 ? whole_pipe : PIPE_BUF;
}

void close_ours(int fd) {
    if (fd > STDERR_FILENO)
        ::close(fd);
}

}  // namespace

Flow::Flow(int from, int to)
    : from_(to < 0 ? -1 : from), to_(to), is_spliced_(is_pipe(from) && is_pipe(to)) {}

pollfd Flow::awaited() const {
    if (is_held_)
        return {to_, POLLOUT, 0};
    return {from_, POLLIN, 0};
}

void Flow::move() {
    is_held_ = !has_room(to_);
    if (is_held_)
        return;
    const bool goes_on = is_spliced_ ? splice() : copy();
    if (!goes_on || (left_ == 0U && !is_held_))
        end();
}

/// False at the end of the source: a terminal says EIO when its other end is closed.
bool Flow::has_come(long count) {
    if (count > 0 && left_)
        *left_ -= static_cast<std::size_t>(count);
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

bool Flow::splice() {
    constexpr std::size_t whole_pipe = 1U << 20U;
    return has_come(
        ::splice(from_, nullptr, to_, nullptr, left_.value_or(whole_pipe), SPLICE_F_NONBLOCK));
}

bool Flow::copy() {
    if (waiting_.empty()) {
        const std::size_t most = most_at_once(to_);
        waiting_.resize(std::min(most, left_.value_or(most)));
        const auto count = ::read(from_, waiting_.data(), waiting_.size());
        const bool goes_on = has_come(count);
        waiting_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        if (count <= 0)
            return goes_on;
    }
    const auto taken = ::write(to_, waiting_.data(), waiting_.size());
    if (taken < 0 && errno != EAGAIN && errno != EINTR)
        return false;
    waiting_.erase(0, taken < 0 ? 0 : static_cast<std::size_t>(taken));
    is_held_ = !waiting_.empty();
    return true;
}

void Flow::limit_to_present() {
    int present = 0;
    if (left_ || !is_pipe(from_) || ::ioctl(from_, FIONREAD, &present) < 0)
        return;
    left_ = static_cast<std::size_t>(present);
    if (present == 0 && !is_held_)
        end();
}

void Flow::end() {
    close_ours(from_);
    close_ours(to_);
    from_ = -1;
    to_ = -1;
    is_held_ = false;
}

void make_pipe(int& reader, int& writer) {
    std::array<int, 2> ends{};
    must(::pipe2(ends.data(), O_CLOEXEC), "create a pipe");
    reader = ends[0];
    writer = ends[1];
}

}  // namespace stack::shim
