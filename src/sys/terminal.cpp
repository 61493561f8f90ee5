#include "sys/terminal.h"

#include "base/text.h"
#include "sys/file.h"

#include <array>
#include <cstdlib>
#include <optional>

#include <fcntl.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace stack::sys {
namespace {

constexpr int broken_pipe_status = 141;  // 128 + SIGPIPE

std::optional<termios> before_raw;  // while it is raw

void leave_raw() {
    if (before_raw)
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_raw);
    before_raw.reset();
}

void write_to(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto count = ::write(fd, text.data(), text.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EPIPE) {
            leave_raw();
            ::_exit(broken_pipe_status);
        }
        check(count, fd == STDOUT_FILENO ? "write to standard output" : "write to standard error");
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

winsize size_of(int fd) {
    winsize size{};
    ::ioctl(fd, TIOCGWINSZ, &size);
    return size;
}

}  // namespace

bool is_terminal(int fd) {
    return ::isatty(fd) == 1;
}

int terminal_width(int fd) {
    const int columns = size_of(fd).ws_col;
    return columns > 0 ? columns : 80;
}

int terminal_height(int fd) {
    const int rows = size_of(fd).ws_row;
    return rows > 0 ? rows : 24;
}

RawTerminal::RawTerminal() {
    termios settings{};
    if (::tcgetattr(STDIN_FILENO, &settings) < 0)
        return;
    before_raw = settings;
    ::cfmakeraw(&settings);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
}

RawTerminal::~RawTerminal() {
    leave_raw();
}

std::string home_directory() {
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
        return home;
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 16384> buffer{};
    ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
    return found != nullptr ? found->pw_dir : "";
}

std::map<std::string, std::string> environment() {
    std::map<std::string, std::string> variables;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        auto [name, value] = split_once(*entry, '=');
        variables.emplace(std::move(name), std::move(value));
    }
    return variables;
}

void write_out(std::string_view text) {
    write_to(STDOUT_FILENO, text);
}

void write_err(std::string_view text) {
    write_to(STDERR_FILENO, text);
}

Fd standard_input() {
    return Fd(check(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), "read standard input"));
}

std::string read_standard_input(std::size_t limit) {
    return read_all(standard_input(), limit);
}

void secure_standard_streams() {
    for (int fd = 0; fd <= 2; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            static_cast<void>(
                ::open("/dev/null", O_RDWR));  // NOLINT(android-cloexec-open): must be inherited
    }
}

}  // namespace stack::sys
