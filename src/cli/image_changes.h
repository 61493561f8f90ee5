#pragma once

#include "model/image.h"

namespace stack::cli {

/// The configuration with what `--change` says, each an instruction of a Dockerfile that only
/// describes. Gives up where one is none.
[[nodiscard]] ImageConfig with_changes(ImageConfig config, const Strings& changes);

}  // namespace stack::cli
