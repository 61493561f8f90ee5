#pragma once

// A port of the host leads to one container.

#include <stack/plan.h>

namespace stack::plan {

/// `plan`; where it would bring up two containers that publish the same port of the host, a plan
/// that says so and does nothing.
[[nodiscard]] Plan with_ports_of_their_own(const Observed& observed, Plan plan);

}  // namespace stack::plan
