#pragma once

// Variables in the arguments of instructions: `$V`, `${V}` and the modifiers :- - :+ + :? ? # ## %
// %% / // (Dockerfile reference, "Environment replacement"). Work and result are bounded.

#include <stack/model.h>

#include "base/expected.h"

#include <string>
#include <string_view>

namespace stack::build {

enum class Quotes {
    removed,
    kept
};  // kept: the text of a heredoc, where quotes are characters like any other

/// `text` with its variables replaced and its quotes and escapes processed. An unset variable is
/// empty.
[[nodiscard]] Expected<std::string> expand(std::string_view text,
                                           const StringMap& variables,
                                           char escape = '\\',
                                           Quotes quotes = Quotes::removed);

/// As expand(), split at blanks that are neither quoted nor escaped, those from variables included.
[[nodiscard]] Expected<Strings> expand_words(std::string_view text,
                                             const StringMap& variables,
                                             char escape = '\\');

}  // namespace stack::build
