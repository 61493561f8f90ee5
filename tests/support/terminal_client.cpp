#include "tests/support/terminal_client.h"

#include "sys/file.h"

#include <chrono>

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace stack::test {
namespace {

winsize size_of(int rows, int columns) {
    return {static_cast<unsigned short>(rows), static_cast<unsigned short>(columns), 0, 0};
}

}  // namespace

TerminalClient::TerminalClient(std::vector<std::string> words,
                               const std::string& directory,
                               int rows,
                               int columns) {
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const winsize size = size_of(rows, columns);
    int master = -1;
    child_.pid = sys::check(::forkpty(&master, nullptr, nullptr, &size), "make a terminal");
    if (child_.pid == 0) {
        if (::chdir(directory.c_str()) == 0)
            ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    terminal_.reset(master);
    child_.pidfd = sys::open_process(child_.pid, sys::start_time(child_.pid).value_or(0));
}

void TerminalClient::type(const std::string& keys) const {
    sys::write_all(terminal_, keys);
}

void TerminalClient::resize(int rows, int columns) const {
    const winsize size = size_of(rows, columns);
    sys::check(::ioctl(terminal_.get(), TIOCSWINSZ, &size), "resize a terminal");
}

bool TerminalClient::shows(const std::string& text) {
    constexpr std::chrono::seconds patience{30};
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (screen_.find(text) == std::string::npos) {
        pollfd entry{terminal_.get(), POLLIN, 0};
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        if (::poll(&entry, 1, 100) <= 0)
            continue;
        std::string bytes(4096, '\0');
        const auto count = ::read(terminal_.get(), bytes.data(), bytes.size());
        if (count <= 0)
            return false;
        screen_.append(bytes, 0, static_cast<std::size_t>(count));
    }
    return true;
}

int TerminalClient::wait() {
    return sys::wait(child_);
}

bool TerminalClient::is_cooked() const {
    termios settings{};
    sys::check(::tcgetattr(terminal_.get(), &settings), "look at a terminal");
    return (settings.c_lflag & (ECHO | ICANON)) == (ECHO | ICANON);
}

}  // namespace stack::test
