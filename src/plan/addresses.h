#pragma once

// Static addresses, which must be free when their container starts.

#include <stack/plan.h>

namespace stack::plan {

/// `plan`; the containers that it makes know which addresses of their networks the stack file gives
/// to other services, and take none of these: one that starts earlier would be in the way of the
/// one that can have no other.
[[nodiscard]] Plan with_addresses_kept(const Stack& desired, Plan plan);

}  // namespace stack::plan
