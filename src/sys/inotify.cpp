#include "sys/inotify.h"

#include <cerrno>

#include <sys/inotify.h>

namespace stack::sys {

Fd make_inotify() {
    Fd instance(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (instance)
        return instance;
    const int error = errno;
    fail(error == EMFILE ? "watch files (raise the sysctl fs.inotify.max_user_instances, or "
                           "the limit of open files)"
                         : "watch files",
         error);
}

}  // namespace stack::sys
