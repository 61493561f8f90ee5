#pragma once

// The forms of options that docker's parser takes and ours does not.

#include <stack/model.h>

namespace CLI {
class App;
}

namespace stack::cli {

/// The words of a command line with `-x=value` as `-xvalue` or, of a flag, as `--flag=value`, and
/// the empty value of `--name=` as a word of its own. Values of options, and what is no option of
/// the command (behind `--`, or a container's own), stay as they are. The command that they name
/// declares its options for it, where it does so late.
[[nodiscard]] Strings in_known_forms(CLI::App& program, const Strings& words);

}  // namespace stack::cli
