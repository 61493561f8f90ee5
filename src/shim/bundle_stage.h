#pragma once

// The set-up stage of an OCI bundle's container: as run_stage(), but made to wait, set up, until
// somebody starts it.

#include "shim/spec.h"

namespace stack::shim {

/// Never returns. To its helper `channel` says "H" when the hooks of the host's side are to run,
/// "T" with the terminal, "C" when the container is created; from it come its pid, when its users
/// are mapped, and a word when those hooks are done.
[[noreturn]] void run_bundle_stage(const Spec& spec, int channel);

}  // namespace stack::shim
