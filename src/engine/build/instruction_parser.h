#pragma once

// What one statement of a Dockerfile means, as its instruction has it.

#include "engine/build/dockerfile.h"

#include <optional>

namespace stack::build {

/// nullopt where the statement is wrong: what is goes to `diagnostics`, as do warnings.
[[nodiscard]] std::optional<Instruction> parse_statement(const Statement& statement,
                                                         char escape,
                                                         Diagnostics& diagnostics);

}  // namespace stack::build
