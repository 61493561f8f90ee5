#include "oci/helper_link.h"

#include "base/text.h"
#include "sys/file.h"
#include "sys/signals.h"
#include "sys/socket_path.h"

#include <csignal>

namespace stack::oci {
namespace {

constexpr int first_of_program = 3;

}  // namespace

sys::Fd connect_console(const std::string& path) {
    if (path.empty())
        return {};
    const std::string absolute = sys::absolute_path(path, sys::current_directory());
    sys::Fd socket =
        sys::connect_to(sys::SocketPath(sys::parent_path(absolute), sys::file_name(absolute)));
    if (!socket)
        throw Error("nobody listens at the console socket " + path);
    return socket;
}

void check_terminal(bool terminal, bool detached, const std::string& console_socket) {
    if (terminal && detached && console_socket.empty())
        throw Error("a terminal needs --console-socket where nobody stays to relay it");
    if (!terminal && !console_socket.empty())
        throw Error("--console-socket is for a process with a terminal (process.terminal)");
}

void check_preserved(std::uint32_t count) {
    for (int i = 0; i < static_cast<int>(count); ++i)
        if (!sys::is_open(first_of_program + i))
            throw Error("--preserve-fds " + std::to_string(count) + ": descriptor " +
                        std::to_string(first_of_program + i) + " is not open");
}

void add_preserved(std::uint32_t count, std::vector<std::pair<int, int>>& descriptors) {
    for (int i = 0; i < static_cast<int>(count); ++i)
        descriptors.emplace_back(first_of_program + i, first_preserved + i);
}

std::optional<std::string> Lines::next() {
    constexpr std::size_t most = 4096;
    for (;;) {
        if (const auto end = text_.find('\n'); end != std::string::npos) {
            std::string line = text_.substr(0, end);
            text_.erase(0, end + 1);
            return line;
        }
        sys::wait_readable({pipe_.get()}, -1);
        const std::string piece = sys::read_some(pipe_, most);
        if (piece.empty())
            return std::nullopt;
        text_ += piece;
    }
}

Error fault(const std::string& what, const std::string& text) {
    const auto sentence = split_once(text, ' ').second;
    return {std::make_error_code(std::errc::io_error),
            what + ": " + (sentence.empty() ? "its set-up was killed" : sentence)};
}

int wait_and_relay(const sys::Child& child) {
    const sys::SignalWatch signals(
        {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT});
    for (;;) {
        sys::wait_readable({child.pidfd.get(), signals.fd().get()}, -1);
        while (const auto signal = signals.next())
            sys::send_signal(child.pidfd, *signal);
        if (sys::has_ended(child.pidfd))
            return sys::wait(child);
    }
}

void write_pid_file(const std::string& path, int pid) {
    if (!path.empty())
        sys::replace_volatile_file(path, std::to_string(pid), 0644);
}

}  // namespace stack::oci
