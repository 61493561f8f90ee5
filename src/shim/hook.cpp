#include "shim/hook.h"

#include "base/pointers.h"
#include "shim/fault.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// A file in memory: nobody has to read it, and nobody waits for who does.
int input_of(const std::string& state) {
    const int input = ::memfd_create("state", MFD_CLOEXEC);
    if (input < 0 || ::write(input, state.data(), state.size()) < 0)
        return -1;
    ::lseek(input, 0, SEEK_SET);
    return input;
}

[[noreturn]] void become_hook(const HookSpec& hook,
                              int input,
                              const std::function<void()>& prepare) {
    constexpr int not_found_status = 127;
    if (prepare)
        prepare();
    for (const int signal : {SIGPIPE, SIGXFSZ})
        ::signal(signal, SIG_DFL);
    ::dup2(input, STDIN_FILENO);
    std::vector<std::string> arguments = hook.arguments;
    if (arguments.empty())
        arguments.push_back(hook.path);
    ::execve(hook.path.c_str(), pointers(arguments).data(), pointers(hook.environment).data());
    ::_exit(not_found_status);
}

/// False where it has not ended in time.
bool await_end(int pid, std::uint32_t seconds) {
    if (seconds == 0)
        return true;
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
    pollfd entry{pidfd, POLLIN, 0};
    constexpr int ms_per_second = 1000;
    int ready = 0;
    while ((ready = ::poll(&entry, 1, static_cast<int>(seconds) * ms_per_second)) < 0 &&
           errno == EINTR) {
    }
    ::close(pidfd);
    return ready > 0;
}

}  // namespace

std::string hook_state(const BundleSpec& bundle, const char* status, int pid) {
    return bundle.state_head + status + "\",\"pid\":" + std::to_string(pid) + bundle.state_tail;
}

bool run_hook(const HookSpec& hook,
              const std::string& state,
              const std::function<void()>& prepare,
              std::string& problem) {
    problem = "hook " + hook.path + ": ";
    const int input = input_of(state);
    const int pid = input < 0 ? -1 : ::fork();
    if (pid == 0)
        become_hook(hook, input, prepare);
    if (pid < 0) {
        problem += ::strerror(errno);
        ::close(input);
        return false;
    }
    ::close(input);
    const bool is_late = !await_end(pid, hook.timeout);
    if (is_late)
        ::kill(pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (is_late)
        problem += "not done after " + std::to_string(hook.timeout) + " s";
    else if (WIFSIGNALED(status))
        problem += "ended by signal " + std::to_string(WTERMSIG(status));
    else
        problem += "ended with status " + std::to_string(WEXITSTATUS(status));
    return !is_late && status == 0;
}

void run_hooks(const std::vector<HookSpec>& hooks,
               const std::string& state,
               const std::function<void()>& prepare) {
    std::string problem;
    for (const auto& hook : hooks)
        if (!run_hook(hook, state, prepare, problem))
            give_up(engine_failed, problem, 0);
}

}  // namespace stack::shim
