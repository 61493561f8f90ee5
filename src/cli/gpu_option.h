#pragma once

// One --gpus of the command line: all · 2 · '"device=0,1",capabilities=utility'.

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace stack::cli {

/// What it says, as an entry of a service's `gpus`. Where it says neither how many nor which, one
/// is meant, as docker's has it. Throws stack::Error where a field is unknown, or said twice.
[[nodiscard]] nlohmann::json parse_gpu_option(const std::string& text);

}  // namespace stack::cli
