#pragma once

// Secrets and configs whose value is a variable's.

#include <stack/plan.h>

namespace stack::plan {

/// `plan`; where it would make a container whose secret or config has no value, because the
/// variable that it names was not set when the stack was loaded, a plan that says so and does
/// nothing. What runs already can be listed, read and stopped without the variable.
[[nodiscard]] Plan with_values(Plan plan);

}  // namespace stack::plan
