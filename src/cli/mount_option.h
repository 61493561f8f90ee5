#pragma once

// One --mount, as a volume of the stack file in its long form.

#include <string>

#include <nlohmann/json.hpp>

namespace stack::cli {

struct MountOption {
    nlohmann::json mount = nlohmann::json::object();  // an element of a service's `volumes`
    nlohmann::json volume =
        nlohmann::json::object();  // what it says of a volume that is to be made
};

/// Throws stack::Error where a field is unknown, contradicts another or is missing.
[[nodiscard]] MountOption parse_mount_option(const std::string& text);

}  // namespace stack::cli
