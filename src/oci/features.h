#pragma once

#include "oci/fields.h"

namespace stack::oci {

/// What this program understands of the runtime-spec (features.md).
[[nodiscard]] Json features();

/// A config.json to begin with, for a shell in `rootfs`.
[[nodiscard]] Json example_config();

}  // namespace stack::oci
