// `stack-shim init`: the container's process 1 where `init: true` asks for one.

#include "shim/commands.h"
#include "shim/fault.h"

#include <cerrno>
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

namespace stack::shim {

int run_init(char** arguments) {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    const int child = ::fork();
    if (child == 0) {
        ::setpgid(0, 0);
        ::tcsetpgrp(STDIN_FILENO, ::getpid());  // where that is a terminal: it reads from it
        ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
        ::execvp(arguments[0], arguments);
        ::_exit(errno == ENOENT ? not_found : not_executable);
    }
    for (;;) {
        int signal = 0;
        ::sigwait(&all, &signal);
        if (signal != SIGCHLD) {
            ::kill(child, signal);
            continue;
        }
        int status = 0;
        for (int pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            constexpr int signal_base = 128;
            if (pid == child)
                return WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status);
        }
    }
}

}  // namespace stack::shim
