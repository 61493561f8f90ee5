#include "shim/relay.h"

#include "shim/fault.h"
#include "shim/flow.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// Raw mode while it lives, where that is wanted and descriptor 0 is a terminal.
class RawMode {
  public:
    explicit RawMode(bool wanted) {
        if (!wanted || ::tcgetattr(STDIN_FILENO, &before_) < 0)
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

class Relay {
  public:
    Relay(const CommandStreams& streams, int pid)
        : pid_(pid),
          terminal_(streams.is_terminal ? streams.output : -1),
          input_(STDIN_FILENO, streams.input),
          output_(streams.output, STDOUT_FILENO),
          error_(streams.error, STDERR_FILENO) {
        const sigset_t watched = watched_signals();
        signals_ = static_cast<int>(
            must(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK), "watch signals"));
        copy_size();
    }

    int run() {
        while (!ended_)
            pass(-1);
        input_.end();
        finish();
        return status_;
    }

  private:
    /// Waits until something has come, at most so long, and passes it on. False where nothing has.
    bool pass(int milliseconds) {
        std::array<pollfd, 4> entries{
            {{signals_, POLLIN, 0}, input_.awaited(), output_.awaited(), error_.awaited()}};
        if (::poll(entries.data(), entries.size(), milliseconds) == 0)
            return false;
        if (entries[1].revents != 0)
            input_.move();
        if (entries[2].revents != 0)
            output_.move();
        if (entries[3].revents != 0)
            error_.move();
        if (entries[0].revents != 0)
            take_signal();
        return true;
    }

    /// The command is in a session of its own: a Ctrl-C at our terminal reaches it through us.
    void take_signal() {
        signalfd_siginfo info{};
        if (::read(signals_, &info, sizeof info) != sizeof info)
            return;
        const int signal = static_cast<int>(info.ssi_signo);
        if (signal == SIGWINCH)
            copy_size();
        else if (signal == SIGCHLD)
            ended_ = ended_ || ::waitpid(pid_, &status_, WNOHANG) == pid_;
        else if (ended_)
            gives_up_ = true;  // nobody else is there to hear it
        else
            ::kill(pid_, signal);
    }

    void copy_size() const {
        winsize size{};
        if (terminal_ >= 0 && ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
            ::ioctl(terminal_, TIOCSWINSZ, &size);
    }

    /// The command wrote what it had to write before it ended. A terminal is nobody's any more: its
    /// session was hung up.
    void finish() {
        using Clock = std::chrono::steady_clock;
        constexpr std::chrono::seconds patience{2};
        const auto deadline = terminal_ >= 0 ? Clock::now() : Clock::now() + patience;
        while (!gives_up_ && (output_.is_open() || error_.is_open())) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
            if (left <= 0) {
                output_.limit_to_present();
                error_.limit_to_present();
            }
            const bool is_held = output_.is_held() || error_.is_held();
            if (!pass(is_held ? -1 : std::max(0, static_cast<int>(left))))
                return;
        }
    }

    int pid_;
    int terminal_;
    Flow input_;
    Flow output_;
    Flow error_;
    int signals_ = -1;
    int status_ = 0;
    bool ended_ = false;
    bool gives_up_ = false;
};

}  // namespace

void hold_signals() {
    const sigset_t signals = watched_signals();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

CommandStreams streams_of_terminal(int master) {
    ::fcntl(master, F_SETFL, O_NONBLOCK);
    return {::fcntl(master, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), master, -1, true};
}

int relay(const CommandStreams& streams, int pid) {
    const RawMode raw(streams.is_terminal);
    return Relay(streams, pid).run();
}

int shell_status(int status) {
    constexpr int signal_base = 128;
    return WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status);
}

}  // namespace stack::shim
