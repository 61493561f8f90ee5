#pragma once

// What a Dockerfile had better not say, by the names of `docker build --check`. Mistakes are the
// parser's.

#include <stack/diagnostics.h>

#include "engine/build/inputs.h"

#include <map>
#include <string>

namespace stack::build {

/// What the parser warned of, and what it takes a view of the whole file to see. `code` is the
/// rule's name: ConsistentInstructionCasing, UndefinedVar and so on, but for those that
/// `inputs.check` skips; errors where it says so. Pure.
///
/// `variables`: what base images set, by the name they have in FROM. On a base that is not in it,
/// UndefinedVar speaks only of what looks like a slip of the pen.
[[nodiscard]] Diagnostics lint(const BuildInputs& inputs,
                               const std::map<std::string, Strings>& variables);

}  // namespace stack::build
