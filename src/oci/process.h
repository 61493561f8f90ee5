#pragma once

// `process` of a config.json, or of `exec --process`, as the shim takes it.

#include "oci/fields.h"
#include "shim/spec.h"

namespace stack::oci {

/// Pure; complete but for the system call filter. What this machine has no name for is a warning,
/// what cannot be had an error.
[[nodiscard]] shim::ProcessSpec process_for(const Json& process, Strings& warnings);

}  // namespace stack::oci
