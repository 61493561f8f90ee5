#pragma once

// How many containers a network can carry.

#include <stack/plan.h>

namespace stack::plan {

/// `plan`; where it would put more containers into a network of the stack than that can carry, a
/// plan that says so and does nothing.
[[nodiscard]] Plan within_capacity(const Stack& desired, const Observed& observed, Plan plan);

}  // namespace stack::plan
