#pragma once

// Questions to the person at the terminal.

#include <string>

namespace stack::sys {

/// Prints the question on standard error and reads a line of standard input, without its end.
[[nodiscard]] std::string ask_line(const std::string& question);
/// The same; what is typed is not shown.
[[nodiscard]] std::string ask_secret(const std::string& question);

}  // namespace stack::sys
