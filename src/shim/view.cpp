// `stack-shim view` and `stack-shim enter`: a container's files for whoever started us, who reaches
// them through our root directory. Nothing is looked up by name here.

#include "shim/commands.h"
#include "shim/fault.h"
#include "shim/rootfs.h"

#include <cerrno>

#include <poll.h>
#include <sched.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// Until the other end of `status_fd` is closed.
int stay(int status_fd) {
    [[maybe_unused]] const auto ignored = ::write(status_fd, "started", 7);
    pollfd reader{status_fd, 0, 0};
    while (::poll(&reader, 1, -1) < 0 && errno == EINTR) {
    }
    return 0;
}

}  // namespace

int view_container(const Spec& spec, int status_fd) {
    tell_faults_to(status_fd);
    must(::unshare(CLONE_NEWNS), "make a mount namespace");
    enter_files(spec);
    return stay(status_fd);
}

int enter_container(int pidfd, int status_fd) {
    tell_faults_to(status_fd);
    if (::setns(pidfd, CLONE_NEWNS) < 0)
        give_up(engine_failed, "enter the container (has it just ended?)", errno);
    return stay(status_fd);
}

}  // namespace stack::shim
