#include "shim/relay.h"

#include "shim/fault.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// Raw mode while it lives, where descriptor 0 is a terminal.
class RawMode {
  public:
    RawMode() {
        if (::tcgetattr(STDIN_FILENO, &before_) < 0)
            return;
        termios raw = before_;
        ::cfmakeraw(&raw);
        active_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    }

    RawMode(const RawMode&) = delete;
    RawMode& operator=(const RawMode&) = delete;

    ~RawMode() {
        if (active_)
            ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
    }

  private:
    termios before_{};
    bool active_ = false;
};

sigset_t watched_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD})
        sigaddset(&signals, signal);
    return signals;
}

/// The command is in a session of its own: a Ctrl-C at our terminal reaches it through us.
void pass_on(int signal, int pid) {
    if (signal != SIGCHLD && signal != SIGWINCH)
        ::kill(pid, signal);
}

void copy_size(int master) {
    winsize size{};
    if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        ::ioctl(master, TIOCSWINSZ, &size);
}

void write_all(int fd, const char* bytes, ssize_t count) {
    while (count > 0) {
        const auto written = ::write(fd, bytes, static_cast<std::size_t>(count));
        if (written < 0 && errno != EINTR)
            return;
        bytes += written > 0 ? written : 0;
        count -= written > 0 ? written : 0;
    }
}

/// False at the end of `from`.
bool copy(int from, int to) {
    std::array<char, 16384> buffer{};
    const auto count = ::read(from, buffer.data(), buffer.size());
    if (count <= 0)
        return count < 0 && (errno == EAGAIN || errno == EINTR);
    write_all(to, buffer.data(), count);
    return true;
}

}  // namespace

void hold_signals() {
    const sigset_t signals = watched_signals();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

int relay_signals(int pid) {
    const sigset_t watched = watched_signals();
    int status = 0;
    while (::waitpid(pid, &status, WNOHANG) != pid) {
        int signal = 0;
        ::sigwait(&watched, &signal);
        pass_on(signal, pid);
    }
    return status;
}

int relay_terminal(int master, int pid) {
    const sigset_t watched = watched_signals();
    const int signals = static_cast<int>(
        must(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK), "watch signals"));
    const RawMode raw;
    copy_size(master);
    int status = 0;
    bool input_open = true;
    for (bool ended = false; !ended;) {
        std::array<pollfd, 3> entries{{{signals, POLLIN, 0},
                                       {master, POLLIN, 0},
                                       {input_open ? STDIN_FILENO : -1, POLLIN, 0}}};
        ::poll(entries.data(), entries.size(), -1);
        if (entries[2].revents != 0)
            input_open = copy(STDIN_FILENO, master);
        if ((entries[1].revents & POLLIN) != 0)
            copy(master, STDOUT_FILENO);
        if (entries[0].revents != 0) {
            signalfd_siginfo info{};
            if (::read(signals, &info, sizeof info) == sizeof info)
                pass_on(static_cast<int>(info.ssi_signo), pid);
            copy_size(master);
        }
        ended = ::waitpid(pid, &status, WNOHANG) == pid;
    }
    for (pollfd rest{master, POLLIN, 0}; ::poll(&rest, 1, 0) > 0 && (rest.revents & POLLIN) != 0;)
        if (!copy(master, STDOUT_FILENO))
            break;
    return status;
}

int shell_status(int status) {
    constexpr int signal_base = 128;
    return WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status);
}

}  // namespace stack::shim
