#pragma once

// The looking half of `stack doctor`.

#include <stack/paths.h>

#include "cli/checkup.h"

namespace stack::cli {

/// Changes nothing. What cannot be read shows as what it would mean if it were not there.
[[nodiscard]] Machine look_at_machine(const Paths& paths);

}  // namespace stack::cli
