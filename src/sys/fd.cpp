#include "sys/fd.h"

#include <stack/error.h>

#include <fcntl.h>
#include <unistd.h>

namespace stack::sys {

void Fd::reset(int fd) noexcept {
    if (fd_ >= 0)
        ::close(fd_);
    fd_ = fd;
}

void fail(std::string_view what, int error) {
    const std::error_code code(error, std::generic_category());
    throw Error(code, std::string(what) + ": " + code.message());
}

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

Fd duplicate(const Fd& fd, int lowest) {
    return Fd(check(::fcntl(fd.get(), F_DUPFD_CLOEXEC, lowest), "duplicate a descriptor"));
}

}  // namespace stack::sys
