#pragma once

#include "model/image.h"

#include <string>

namespace stack::cli {

/// One `--change`: an instruction of a Dockerfile that only describes. Gives up where it is none.
void apply_change(ImageConfig& config, const std::string& change);

}  // namespace stack::cli
