#pragma once

// The merged file with its ${…} unreplaced, for `config --no-interpolate` and `--variables`.

#include <stack/load.h>

#include "loader/node.h"
#include "loader/print.h"

namespace stack::loader {

[[nodiscard]] Json json_of(const Node& node);

/// As YAML and as JSON. Short forms stay short: what holds a variable cannot be read further.
[[nodiscard]] WrittenFile as_written(const Node& root);

/// Takes away what was said of values that nobody knows before their variables are put in.
void forgive_templates(const Node& root, Diagnostics& diagnostics);

/// The variables of all values, by name.
[[nodiscard]] std::vector<Variable> variables_in(const Node& root);

}  // namespace stack::loader
