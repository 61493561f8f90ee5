// `stack-shim create`: the container of an OCI bundle, up to where it waits to be started.

#include "shim/bundle_stage.h"
#include "shim/channel.h"
#include "shim/clone.h"
#include "shim/commands.h"
#include "shim/fault.h"
#include "shim/relay.h"
#include "shim/rights.h"
#include "shim/stage.h"
#include "shim/users.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::shim {
namespace {

constexpr int go_fd = 5;  // a byte comes when the hooks of the host's side are done

/// Those that are joined, while this process has the host's rights in them; the child is born into
/// them.
void join_namespaces(const Spec& spec) {
    join_namespace(spec.network, CLONE_NEWNET, "network namespace");
    join_namespace(spec.ipc, CLONE_NEWIPC, "IPC namespace");
    join_namespace(spec.uts, CLONE_NEWUTS, "host name");
}

void tell(int fd, const std::string& text) {
    must(::write(fd, text.data(), text.size()), "tell whoever creates the container");
}

/// Where its creator has died or a hook has failed, the container ends with us.
void await_hooks() {
    char word = 0;
    ssize_t count = 0;
    while ((count = ::read(go_fd, &word, 1)) < 0 && errno == EINTR) {
    }
    if (count != 1)
        ::_exit(engine_failed);
}

/// Follows the set-up to where it is created; the terminal's master goes to whoever wants it, or is
/// returned.
int follow(const Cloned& cloned, int status_fd) {
    int master = -1;
    for (;;) {
        std::string text;
        int fd = -1;
        const long count = receive_message(cloned.channel, text, fd);
        // It ended before it read our word: that is told before its last words.
        if (count < 0 && (errno == EINTR || errno == ECONNRESET))
            continue;
        if (text == "C")
            return master;
        if (text == "T") {
            master = fd;
        } else if (text == "H") {
            tell(status_fd, "hooks\n");
            await_hooks();
            must(::send(cloned.channel, "g", 1, MSG_NOSIGNAL), "go on");
        } else {
            ::waitpid(cloned.pid, nullptr, 0);
            tell(status_fd, text.empty() ? "125 its set-up was killed" : text);
            ::_exit(engine_failed);
        }
    }
}

}  // namespace

int create_container(const Spec& spec, int status_fd) {
    tell_faults_to(status_fd);
    constexpr unsigned int first = 3;
    must(::syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC), "keep descriptors");
    if (spec.bundle.stays != 0)
        hold_signals();
    join_namespaces(spec);
    const Cloned cloned = clone_stage(spec, [&](int channel) { run_bundle_stage(spec, channel); });
    map_users(spec, cloned.pid);
    raise_limits(spec.process.limits, cloned.pid);
    set_oom_score(spec.process, std::to_string(cloned.pid));
    tell(status_fd, "pid " + std::to_string(cloned.pid) + "\n");
    must(::send(cloned.channel, "g", 1, MSG_NOSIGNAL), "go on");
    const int master = follow(cloned, status_fd);
    if (master >= 0 && spec.bundle.console != 0) {
        send_descriptor(static_cast<int>(spec.bundle.console), "/dev/pts/ptmx", master);
        ::close(static_cast<int>(spec.bundle.console));
    }
    tell(status_fd, "created\n");
    ::close(status_fd);
    if (spec.bundle.stays == 0)
        return 0;
    ::close(static_cast<int>(spec.bundle.start_socket));
    const bool relays = master >= 0 && spec.bundle.console == 0;
    return shell_status(relay(relays ? streams_of_terminal(master) : CommandStreams{}, cloned.pid));
}

}  // namespace stack::shim
