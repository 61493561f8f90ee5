#pragma once

// A command that is written as one text (`command: npm start`), in words.

#include <stack/model.h>

#include "base/units.h"

#include <optional>
#include <string>
#include <string_view>

namespace stack::loader {

struct CommandLine {
    Strings words;
    std::optional<std::size_t> end;  // of what is read: a `;`, `&`, `|`, `<` or `>` stands there
};

/// The words as the reference implementation has them (mattn/go-shellwords): quotes and backslashes
/// as of a shell, a backslash in double quotes is always dropped, `…` and $(…) are one word, and at
/// an operator of the shell, which nobody would carry out, it ends. Malformed: what is never
/// closed, or a parenthesis without a dollar.
[[nodiscard]] Expected<CommandLine> parse_command_line(std::string_view text);

}  // namespace stack::loader
