#include "shim/clone.h"

#include "shim/fault.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::shim {
namespace {

unsigned long long new_namespaces(const Spec& spec) {
    unsigned long long flags = 0;
    if (spec.bundle.mount.sharing == Sharing::own)
        flags |= CLONE_NEWNS;
    if (spec.user.sharing == Sharing::own)
        flags |= CLONE_NEWUSER;
    if (spec.pid.sharing == Sharing::own)
        flags |= CLONE_NEWPID;
    if (spec.network.sharing == Sharing::own)
        flags |= CLONE_NEWNET;
    if (spec.ipc.sharing == Sharing::own)
        flags |= CLONE_NEWIPC;
    if (spec.uts.sharing == Sharing::own)
        flags |= CLONE_NEWUTS;
    return flags;
}

/// What keeps the kernel from making a process with new namespaces, where its word for that does
/// not say it.
std::string reason_of(int error) {
    if (error == EAGAIN)
        return " (a limit of processes is reached: the sysctl kernel.pid_max or "
               "kernel.threads-max, `ulimit -u`, or pids.max of a control group)";
    if (error != ENOSPC)
        return {};
    std::string none;
    for (const auto* kind : {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}) {
        const std::string name = std::string("user.max_") + kind + "_namespaces";
        std::string path = "/proc/sys/" + name;
        std::replace(path.begin(), path.end(), '.', '/');
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        char first = '1';
        if (::read(fd, &first, 1) == 1 && first == '0')
            none += (none.empty() ? "" : ", ") + name;
        ::close(fd);
    }
    return " (raise the sysctl" + (none.empty() ? "s user.max_*_namespaces" : " " + none) + ")";
}

/// A pid namespace is entered by a process's children only, which are to be born there from now on.
void bear_in_pid_namespace(const char* path) {
    const int fd =
        static_cast<int>(must(::open(path, O_RDONLY | O_CLOEXEC), "join a pid namespace"));
    must(::setns(fd, CLONE_NEWPID), "join a pid namespace");
    ::close(fd);
}

}  // namespace

void join_namespace(const NamespaceSpec& space, int type, const char* what) {
    if (space.sharing != Sharing::joined)
        return;
    const int fd = static_cast<int>(
        must(::open(space.path.c_str(), O_RDONLY | O_CLOEXEC), std::string("join a ") + what));
    must(::setns(fd, type), std::string("join a ") + what);
    ::close(fd);
}

Cloned clone_stage(const Spec& spec, const std::function<void(int channel)>& stage) {
    std::array<int, 2> channel{};
    must(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel.data()),
         "create a socket pair");
    if (spec.pid.sharing == Sharing::joined)
        bear_in_pid_namespace(spec.pid.path.c_str());
    Cloned cloned;
    clone_args arguments{};
    arguments.flags = new_namespaces(spec) | static_cast<unsigned long long>(CLONE_PIDFD);
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&cloned.pidfd);
    arguments.exit_signal = SIGCHLD;
    int cgroup = -1;
    if (!spec.v2_directory.empty()) {
        cgroup = static_cast<int>(
            must(::open(spec.v2_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                 "open " + spec.v2_directory));
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = static_cast<__u64>(static_cast<unsigned int>(cgroup));
    }
    // Last: it takes the rights that the others need.
    join_namespace(spec.user, CLONE_NEWUSER, "user namespace");
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) {
        ::close(channel[0]);
        stage(channel[1]);
    }
    if (const int error = errno; pid < 0)
        give_up(engine_failed, "clone a process with new namespaces" + reason_of(error), error);
    // Other children of ours are not the container's; who has joined its users has none.
    if (spec.pid.sharing == Sharing::joined && spec.user.sharing != Sharing::joined)
        bear_in_pid_namespace("/proc/self/ns/pid");
    ::close(channel[1]);
    ::close(cgroup);
    cloned.pid = static_cast<int>(pid);
    cloned.channel = channel[0];
    return cloned;
}

}  // namespace stack::shim
