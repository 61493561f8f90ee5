#include "shim/bundle_stage.h"

#include "shim/bundle_root.h"
#include "shim/channel.h"
#include "shim/clone.h"
#include "shim/fault.h"
#include "shim/hook.h"
#include "shim/netlink.h"
#include "shim/rights.h"
#include "shim/stage.h"
#include "shim/user.h"
#include "shim/users.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::shim {
namespace {

// The helper's (shim/main.cpp).
constexpr int status_fd = 4;
constexpr int go_fd = 5;

/// What is the host's alone, and would lead back to it: the helper's own descriptors.
void close_helpers(const Spec& spec) {
    ::close(status_fd);
    ::close(go_fd);
    if (spec.bundle.console != 0)
        ::close(static_cast<int>(spec.bundle.console));
}

/// What belongs to the namespaces but not to the file system. The group's comes when the process is
/// in the group, which may lie outside of what it shows.
void set_namespaces(const Spec& spec) {
    join_namespace(spec.cgroup, CLONE_NEWCGROUP, "cgroup namespace");
    if (spec.cgroup.sharing == Sharing::own)
        must(::unshare(CLONE_NEWCGROUP), "make a cgroup namespace");
    name_host(spec);
    if (spec.network.sharing == Sharing::own)
        configure_interfaces({}, -1);
}

/// Waits for whoever starts us, and tells them of what comes. Their connection ends when the
/// program runs; one that says nothing has died, and nobody would know whether we were started.
void await_start(const BundleSpec& bundle) {
    const int listener = static_cast<int>(bundle.start_socket);
    pollfd entry{listener, POLLIN, 0};
    int peer = -1;
    while (peer < 0) {
        ::poll(&entry, 1, -1);
        peer = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    }
    constexpr int first_of_program = 3;
    const int starter = static_cast<int>(
        must(::fcntl(peer, F_DUPFD_CLOEXEC, first_of_program + static_cast<int>(bundle.preserved)),
             "keep the connection"));
    ::close(peer);
    ::close(listener);
    await_go(starter);
    tell_faults_to(starter);
}

}  // namespace

void run_bundle_stage(const Spec& spec, int channel) {
    const BundleSpec& bundle = spec.bundle;
    tell_faults_to(channel);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // until we are created
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    reset_signals();
    ::umask(0);
    close_helpers(spec);
    await_go(channel);  // until the user namespace has its ids
    join_cgroups(spec.attach_files, "");
    set_namespaces(spec);
    BundleRoot root(spec);
    if (spec.user.sharing != Sharing::host)
        become_root();
    if (!spec.sysctls.empty()) {
        const int proc = private_proc();
        set_sysctls(spec.sysctls, proc);
        ::close(proc);
    }
    const Terminal terminal = root.build();
    constexpr mode_t usual = 0022;
    ::umask(usual);  // of the hooks; the program's comes with its rights
    must(::send(channel, "H", 1, MSG_NOSIGNAL), "tell the helper");
    await_go(channel);
    // In the container's namespaces its number there is what tells (runtime.md, "State").
    run_hooks(bundle.create_hooks, hook_state(bundle, "creating", ::getpid()), {});
    root.enter();
    if (terminal.master >= 0)
        hand_over_terminal(channel, terminal.master);
    const Identity identity = look_up(spec.process.user, spec.process.groups);
    if (terminal.slave >= 0)
        prepare_terminal(spec.process, terminal.slave, identity);
    place_streams({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}, terminal.slave);
    own_streams(identity);
    enter_working_directory(spec.process.working_dir, Missing::made);
    check_program(spec.process);
    ::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    must(::send(channel, "C", 1, MSG_NOSIGNAL), "tell the helper");
    await_start(bundle);
    run_hooks(bundle.start_hooks, hook_state(bundle, "created", ::getpid()), [&] {
        drop_rights(spec.process, identity);
    });
    drop_rights(spec.process, identity);
    preserve_descriptors(bundle.first_preserved, bundle.preserved);
    execute(spec.process, identity);
}

}  // namespace stack::shim
