#include "sys/lock.h"

#include "sys/file.h"

#include <fcntl.h>
#include <sys/file.h>

namespace stack::sys {
namespace {

Fd open_lock_file(const std::string& path, std::uint32_t mode = 0600) {
    return open_file(path, O_RDWR | O_CREAT, mode);
}

void lock_and_wait(const Fd& file, int mode, const std::string& path) {
    while (::flock(file.get(), mode) < 0) {
        if (errno != EINTR)
            fail("lock " + path);
    }
}

}  // namespace

Lock Lock::acquire(const std::string& path, std::uint32_t mode) {
    Fd file = open_lock_file(path, mode);
    lock_and_wait(file, LOCK_EX, path);
    return Lock(std::move(file));
}

std::optional<Lock> Lock::try_acquire(const std::string& path) {
    Fd file = open_lock_file(path);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0)
        return Lock(std::move(file));
    if (errno != EWOULDBLOCK)
        fail("lock " + path);
    return std::nullopt;
}

bool Lock::is_held(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return file && ::flock(file.get(), LOCK_SH | LOCK_NB) < 0;
}

Lock Lock::acquire_shared(const std::string& path) {
    Fd file = open_lock_file(path);
    lock_and_wait(file, LOCK_SH, path);
    return Lock(std::move(file));
}

std::optional<PartLock> PartLock::try_acquire(const std::string& path, std::uint64_t part) {
    Fd file = open_lock_file(path);

    struct flock lock {};

    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(part);
    lock.l_len = 1;
    if (::fcntl(file.get(), F_OFD_SETLK, &lock) == 0)
        return PartLock(std::move(file));
    if (errno != EAGAIN && errno != EACCES)
        fail("lock " + path);
    return std::nullopt;
}

}  // namespace stack::sys
