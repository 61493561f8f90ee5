#pragma once

// ${VARIABLES} in values (compose.md 1.3). Only what is used is evaluated.

#include <stack/diagnostics.h>
#include <stack/load.h>
#include <stack/model.h>

#include "base/expected.h"
#include "loader/budget.h"

#include <functional>
#include <set>
#include <string>

namespace stack::loader {

/// The value of a variable; nullopt where it is not set.
using Variables = std::function<std::optional<std::string>(const std::string&)>;

/// `template_text` with its variables put in. Names of variables that are not set and have no
/// default go to `unset`. The result is bounded (`longest_value`). An error is what Docker Compose
/// calls an "invalid interpolation format", or a required variable's message.
[[nodiscard]] Expected<std::string> interpolate(std::string_view template_text,
                                                const Variables& variables,
                                                std::set<std::string>& unset);

/// The variables of a template, in order, those of defaults too. What is malformed has none.
[[nodiscard]] std::vector<Variable> variables_of_template(std::string_view template_text);

/// Every scalar value of the tree (never a key); each unset variable is warned of once. What the
/// values become is paid for from `budget`.
void interpolate_tree(Node& node,
                      const Variables& variables,
                      std::set<std::string>& warned,
                      Reporter& reporter,
                      Budget& budget);

}  // namespace stack::loader
