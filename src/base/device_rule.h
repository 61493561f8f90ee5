#pragma once

// What a container may do with which devices, as people write it: `c 188:* rw`
// (cgroup-v1/devices.rst, "Syntax").

#include "base/expected.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace stack {

struct DeviceRule {
    char kind = 'a';                            // b: block, c: character, a: both
    std::optional<std::uint32_t> major_number;  // nullopt: every one
    std::optional<std::uint32_t> minor_number;
    bool may_read = false;
    bool may_write = false;
    bool may_make = false;

    bool operator==(const DeviceRule&) const = default;
};

[[nodiscard]] Expected<DeviceRule> parse_device_rule(std::string_view text);

}  // namespace stack
