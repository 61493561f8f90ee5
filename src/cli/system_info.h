#pragma once

// What this instance and its machine are, in docker's words.

#include "cli/context.h"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace stack::cli {

[[nodiscard]] nlohmann::json system_info(const Context& context);

/// The same for people.
[[nodiscard]] std::string info_text(const nlohmann::json& info);

}  // namespace stack::cli
