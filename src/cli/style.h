#pragma once

// Colours and tables for people.

#include "cli/context.h"

#include <string>
#include <string_view>
#include <vector>

namespace stack::cli {

enum class Colour { none, red, green, yellow, blue, magenta, cyan };

/// By --ansi, NO_COLOR and whether `fd` is a terminal.
[[nodiscard]] bool wants_colour(const Globals& globals, int fd);
[[nodiscard]] std::string paint(bool colour, Colour which, std::string_view text);

/// Text from a container or registry, without what could drive a terminal.
[[nodiscard]] std::string printable(std::string_view text);

/// Columns padded to their widest cell, three blanks between them; the first row is the head.
[[nodiscard]] std::string table(const std::vector<Strings>& rows);

}  // namespace stack::cli
