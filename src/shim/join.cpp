// `stack-shim join`: a command in a container that runs already.

#include "shim/channel.h"
#include "shim/commands.h"
#include "shim/fault.h"
#include "shim/flow.h"
#include "shim/relay.h"
#include "shim/rights.h"
#include "shim/stage.h"
#include "shim/user.h"
#include "shim/users.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::shim {
namespace {

struct Pty {
    int master = -1;
    int slave = -1;
};

/// A terminal of the container's devpts, so that tty(1) inside names it.
Pty open_pty() {
    Pty pty;
    pty.master = static_cast<int>(must(::open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC),
                                       "open a terminal in the container"));

    struct statfs status {};

    must(::fstatfs(pty.master, &status), "look at /dev/pts in the container");
    if (status.f_type != DEVPTS_SUPER_MAGIC)
        give_up(engine_failed, "the container's /dev/pts is none", 0);
    const int unlock = 0;
    must(::ioctl(pty.master, TIOCSPTLCK, &unlock), "unlock a terminal");
    pty.slave =
        static_cast<int>(must(::ioctl(pty.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
                              "open a terminal's other end"));
    return pty;
}

bool is_null(int fd) {
    struct stat status {};

    constexpr unsigned int memory_devices = 1;
    constexpr unsigned int null = 3;
    return ::fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
           status.st_rdev == ::makedev(memory_devices, null);
}

/// Postcondition: where `fd` is /dev/null, it is the container's. False where it is not, or where
/// the container has put something else in that place.
bool take_own_null(int& fd) {
    if (!is_null(fd))
        return false;
    const int mode = ::fcntl(fd, F_GETFL) & O_ACCMODE;
    const int own = ::open("/dev/null", mode | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    if (own < 0 || !is_null(own)) {
        ::close(own);
        return false;
    }
    ::fcntl(own, F_SETFL, 0);
    fd = own;
    return true;
}

struct Streams {
    StageStreams inner{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
    CommandStreams outer;
};

/// A stream of ours that became the command's could be opened anew by /proc/self/fd, whatever file
/// of the host it is: it has pipes, and the container's own /dev/null.
Streams make_streams(const JoinSpec& spec) {
    Streams streams;
    const bool relays = spec.relays_streams != 0;
    if (!take_own_null(streams.inner.input) && relays) {
        make_pipe(streams.inner.input, streams.outer.input);
        ::fcntl(streams.outer.input, F_SETFL, O_NONBLOCK);  // this end is nobody's but ours
    }
    if (!take_own_null(streams.inner.output) && relays)
        make_pipe(streams.outer.output, streams.inner.output);
    if (!take_own_null(streams.inner.error) && relays)
        make_pipe(streams.outer.error, streams.inner.error);
    return streams;
}

/// The command has them: the end of what it prints is to be seen.
void close_inner(const StageStreams& streams) {
    for (const int fd : {streams.input, streams.output, streams.error})
        if (fd > STDERR_FILENO)
            ::close(fd);
}

/// Out of the way of the descriptors that the command is to have.
void move_report(const JoinSpec& spec) {
    if (spec.report == 0)
        return;
    constexpr int first_of_program = 3;
    const int moved =
        static_cast<int>(must(::fcntl(static_cast<int>(spec.report),
                                      F_DUPFD_CLOEXEC,
                                      first_of_program + static_cast<int>(spec.preserved)),
                              "keep the report"));
    ::close(static_cast<int>(spec.report));
    tell_faults_to(moved);
}

/// Another process of the container that has CAP_SYS_PTRACE takes over what it sees, dumpable or
/// not, until that has become a program of the container's. A user namespace of its own keeps the
/// container from that: what comes from outside is not its own yet.
/// Who drives a bundle (stack-oci) reports in between: there it is as with other runtimes.
bool could_be_traced(const JoinSpec& spec) {
    return (spec.process.capabilities >> CAP_SYS_PTRACE & 1U) != 0 && spec.joins_user == 0 &&
           spec.report == 0 && spec.preserved == 0;
}

constexpr int not_born = -1;

/// Whether it is what a filter answers, rather than a system that lacks something.
bool is_forbidden(int error) {
    return error == EPERM || error == EACCES || error == ENOSYS || error == EINVAL;
}

/// Becomes nothing but the maker of the command: it drops all that the command is not to have while
/// nobody in the container sees it, and only then makes it, as a child of our parent's, in the
/// container's pid namespace. That child has the container's rights and nothing open but its
/// streams. `born`: shared with our parent, and not with the child; its pid there, or `not_born`
/// where the container's own filter allows no such thing.
[[noreturn]] void make_command(const JoinSpec& spec,
                               int pidfd,
                               const StageStreams& streams,
                               const Pty& pty,
                               const Identity& identity,
                               int* born) {
    if (spec.die_with_helper != 0)
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    must(::setns(pidfd, CLONE_NEWPID), "enter the container's pid namespace");
    reset_signals();
    place_descriptors(streams, pty.slave);
    if (spec.owns_streams != 0)
        own_streams(identity);
    enter_working_directory(spec.process.working_dir, Missing::refused);
    must(::syscall(SYS_close_range, 3U, ~0U, 0U), "close descriptors");
    must(::madvise(born, sizeof *born, MADV_DONTFORK), "keep the pid to ourselves");
    drop_rights(spec.process, identity);
    if (spec.die_with_helper != 0)
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // another identity has cleared it
    const long pid = ::syscall(
        SYS_clone, CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD, nullptr, born, nullptr, nullptr);
    if (pid < 0 && is_forbidden(errno))
        *born = not_born;
    else if (pid < 0)  // a container that is full, maybe so that it is done another way
        give_up(engine_failed, "create a process in the container", errno);
    if (pid != 0)
        ::_exit(0);
    begin_session(pty.slave < 0 ? -1 : STDIN_FILENO);
    if (spec.die_with_helper != 0)
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    execute(spec.process, identity);
}

/// The command's pid; that of its maker, which has ended, where it failed before there was one, and
/// what it says is in the command's streams; `not_born`.
int born_of_maker(const JoinSpec& spec,
                  int pidfd,
                  const StageStreams& streams,
                  const Pty& pty,
                  const Identity& identity) {
    void* shared =
        ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        give_up(engine_failed, "share a page", errno);
    auto* born = static_cast<int*>(shared);
    const int maker = static_cast<int>(must(::fork(), "create a process"));
    if (maker == 0)
        make_command(spec, pidfd, streams, pty, identity, born);
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(maker), &info, WEXITED | WNOWAIT) < 0 &&
           errno == EINTR) {
    }
    const int pid = *born;
    ::munmap(shared, sizeof(int));
    if (pid == 0)
        return maker;
    ::waitpid(maker, nullptr, 0);
    return pid;
}

/// Where its pid is reported it begins after that, told by `go`.
[[noreturn]] void become_command(const JoinSpec& spec,
                                 const StageStreams& streams,
                                 const Pty& pty,
                                 const Identity& identity,
                                 int go) {
    if (spec.report != 0)
        await_go(go);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    reset_signals();
    move_report(spec);
    place_streams(streams, pty.slave);
    if (spec.owns_streams != 0)
        own_streams(identity);
    enter_working_directory(spec.process.working_dir, Missing::refused);
    drop_rights(spec.process, identity);
    if (spec.die_with_helper != 0)
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    preserve_descriptors(spec.first_preserved, spec.preserved);
    execute(spec.process, identity);
}

/// But for that of pids where `keeps_pids`: then what is born is not seen there.
void enter_namespaces(const JoinSpec& spec, int pidfd, bool keeps_pids) {
    constexpr int others =
        CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    const int all = keeps_pids ? others : others | CLONE_NEWPID;
    if (::setns(pidfd, spec.joins_user != 0 ? all | CLONE_NEWUSER : all) < 0)
        give_up(engine_failed, "enter the container (has it just ended?)", errno);
    if (spec.joins_user != 0)
        become_root();
}

/// The pid to whoever asked for it; then the command may begin, and tell of its faults.
void report_pid(const JoinSpec& spec, int pid, int go) {
    if (spec.report == 0)
        return;
    const std::string text = "pid " + std::to_string(pid) + "\n";
    const int report = static_cast<int>(spec.report);
    must(::write(report, text.data(), text.size()), "report the pid");
    must(::send(go, "g", 1, MSG_NOSIGNAL), "let the command begin");
    ::close(report);
}

/// Returns its pid, which whoever asked for it knows then.
int start_command(const JoinSpec& spec,
                  const StageStreams& streams,
                  const Pty& pty,
                  const Identity& identity) {
    std::array<int, 2> go{-1, -1};
    if (spec.report != 0)
        must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go.data()),
             "create a socket pair");
    const int pid = static_cast<int>(must(::fork(), "create a process in the container"));
    if (pid == 0) {
        ::close(go[1]);
        become_command(spec, streams, pty, identity, go[0]);
    }
    report_pid(spec, pid, go[1]);
    ::close(go[0]);
    ::close(go[1]);
    return pid;
}

}  // namespace

int join_container(const JoinSpec& spec, int pidfd) {
    tell_faults_to(STDERR_FILENO, FaultForm::line);
    if (spec.report != 0)
        tell_faults_to(static_cast<int>(spec.report));
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    set_oom_score(spec.process);  // by the host's /proc; what comes to be inherits it
    join_cgroups(spec.attach_files, spec.v2_directory);
    if (spec.joins_user != 0)
        raise_limits(spec.process.limits, 0);
    if (spec.root_id != 0 && spec.owns_streams != 0 && spec.relays_streams == 0)
        give_streams({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}, spec.root_id);
    const bool is_made_outside = could_be_traced(spec);
    enter_namespaces(spec, pidfd, is_made_outside);
    const Identity identity = look_up(spec.process.user, spec.process.groups);
    Pty pty;
    Streams streams;
    if (spec.process.terminal != 0) {
        pty = open_pty();
        prepare_terminal(spec.process, pty.slave, identity);
    } else {
        streams = make_streams(spec);
    }
    if (spec.console != 0)
        send_descriptor(static_cast<int>(spec.console), "/dev/pts/ptmx", pty.master);
    // We stay the direct parent: a process that enters a pid namespace and loses its parent goes to
    // that namespace's first process, and its status with it.
    hold_signals();
    int pid = is_made_outside ? born_of_maker(spec, pidfd, streams.inner, pty, identity) : not_born;
    if (pid == not_born) {
        if (is_made_outside)
            must(::setns(pidfd, CLONE_NEWPID), "enter the container's pid namespace");
        pid = start_command(spec, streams.inner, pty, identity);
    }
    if (spec.detached != 0)
        return 0;
    close_inner(streams.inner);
    ::close(pty.slave);
    if (pty.master >= 0 && spec.console == 0)
        streams.outer = streams_of_terminal(pty.master);
    return shell_status(relay(streams.outer, pid));
}

}  // namespace stack::shim
