#pragma once

// A container without a stack file, as a stack of one service: what docker's options say, in the
// stack file's terms, and so with its rules and complaints. Pure.

#include <stack/load.h>

#include "cli/single_options.h"

#include <string>

namespace stack::cli {

/// The network that containers are in where nothing else is said.
constexpr const char* bridge_network = "bridge";

/// What the translation needs to know of this machine.
struct SingleContext {
    std::string directory;  // that relative paths start from
    StringMap environment;  // for variables without a value
    ReadFile read_file;     // for --env-file
    Strings volumes;        // that are there already, of whichever stack
};

struct SingleStack {
    Stack stack;
    Strings warnings;  // of what has no effect here, in sentences
};

/// The stack of project `single_containers` whose service `options.name` is the container. Throws
/// stack::Error with every complaint where an option has no meaning.
[[nodiscard]] SingleStack single_stack(const SingleOptions& options, const SingleContext& context);

}  // namespace stack::cli
