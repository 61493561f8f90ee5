#pragma once

// The terminal a person sits at.

#include "sys/fd.h"

#include <map>
#include <string>
#include <string_view>

namespace stack::sys {

[[nodiscard]] bool is_terminal(int fd);
/// Columns of the terminal behind `fd`; 80 where there is none or it does not say.
[[nodiscard]] int terminal_width(int fd);
/// Rows, likewise; 24.
[[nodiscard]] int terminal_height(int fd);

/// The terminal behind standard input passes every key on as it is, and prints none, while this
/// lives. Nothing where there is no terminal. One at a time.
class RawTerminal {
  public:
    RawTerminal();
    ~RawTerminal();
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
};

/// The variables of this process's environment.
[[nodiscard]] std::map<std::string, std::string> environment();
/// Whoever this process runs as is at home there: $HOME, or what the machine's list of users says
/// where that is not set, as of what is started at boot. "" where neither knows.
[[nodiscard]] std::string home_directory();

/// Writes all of `text` to standard output (1) or error (2). A reader that went away ends the
/// process quietly with status 141, as SIGPIPE does, its terminal as it was; any other refusal
/// throws.
void write_out(std::string_view text);
void write_err(std::string_view text);

/// Another descriptor of standard input.
[[nodiscard]] Fd standard_input();
/// All of standard input, at most `limit` bytes.
[[nodiscard]] std::string read_standard_input(std::size_t limit = 64U << 20U);

/// Reopens whichever of descriptors 0 to 2 is closed on /dev/null, so that no file of ours takes
/// its number.
void secure_standard_streams();

}  // namespace stack::sys
