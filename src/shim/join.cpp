// `stack-shim join`: a command in a container that runs already.

#include "shim/commands.h"
#include "shim/fault.h"
#include "shim/relay.h"
#include "shim/rights.h"
#include "shim/stage.h"
#include "shim/user.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
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
    const int unlock = 0;
    must(::ioctl(pty.master, TIOCSPTLCK, &unlock), "unlock a terminal");
    pty.slave =
        static_cast<int>(must(::ioctl(pty.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
                              "open a terminal's other end"));
    return pty;
}

[[noreturn]] void become_command(const JoinSpec& spec, const Pty& pty, const Identity& identity) {
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    reset_signals();
    place_streams({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}, pty.slave);
    enter_working_directory(spec.process.working_dir);
    drop_rights(spec.process, identity);
    if (spec.die_with_helper != 0)
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    execute(spec.process, identity);
}

int shell_status(int status) {
    constexpr int signal_base = 128;
    return WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status);
}

}  // namespace

int join_container(const JoinSpec& spec, int pidfd) {
    tell_faults_to(STDERR_FILENO, FaultForm::line);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    join_cgroups(spec.attach_files, spec.v2_directory);
    constexpr int all =
        CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    if (::setns(pidfd, all) < 0)
        give_up(engine_failed, "enter the container (has it just ended?)", errno);
    const Identity identity = look_up(spec.process.user, spec.process.groups);
    Pty pty;
    if (spec.process.terminal != 0)
        pty = open_pty();
    // We stay the direct parent: a process that enters a pid namespace and loses its parent goes to
    // that namespace's first process, and its status with it.
    hold_signals();
    const int pid = static_cast<int>(must(::fork(), "create a process in the container"));
    if (pid == 0)
        become_command(spec, pty, identity);
    if (pty.master < 0)
        return shell_status(relay_signals(pid));
    ::close(pty.slave);
    return shell_status(relay_terminal(pty.master, pid));
}

}  // namespace stack::shim
