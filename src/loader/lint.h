#pragma once

// The rules of <stack/lint.h>, applied.

#include <stack/lint.h>
#include <stack/load.h>

#include "loader/reader.h"

namespace stack::loader {

/// Complains where `x-stack: {lint: …}` of the file or of a service names a rule that is not there.
void check_lint_switches(const Node& extension, Reporter& reporter);

/// Reports what the rules find as warnings, with the rule's name as their code. `only`: none but
/// these, where it is not empty; `without`: not these. `root` is what `stack` was read from.
void lint(const Stack& stack,
          const Node& root,
          const Strings& only,
          const Strings& without,
          Reporter& reporter);

}  // namespace stack::loader
