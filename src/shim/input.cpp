#include "shim/input.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace stack::shim {

Input::~Input() {
    ::close(fd_);
}

void Input::open(int fd) {
    fd_ = fd;
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
}

void Input::add(std::string_view bytes) {
    if (fd_ < 0 || ending_)
        return;
    waiting_ += bytes;
    flush();
}

void Input::end() {
    ending_ = true;
    flush();
}

void Input::flush() {
    while (fd_ >= 0 && !waiting_.empty()) {
        const auto count = ::write(fd_, waiting_.data(), waiting_.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        if (count < 0)
            close();  // nobody reads it any more
        else
            waiting_.erase(0, static_cast<std::size_t>(count));
    }
    if (ending_)
        close();
}

bool Input::is_full() const {
    constexpr std::size_t most = 64U << 10U;
    return waiting_.size() >= most;
}

void Input::close() {
    ::close(fd_);
    fd_ = -1;
    waiting_.clear();
}

}  // namespace stack::shim
