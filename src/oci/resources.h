#pragma once

// `linux.resources` of a config.json, as control groups take them.

#include "engine/cgroup/cgroup.h"
#include "oci/fields.h"

#include <vector>

namespace stack::oci {

struct Limits {
    Resources resources;
    std::vector<cgroup::FileWrite> more;      // what a stack file has no word for
    std::vector<DeviceRule> allowed_devices;  // for a guard of cgroup v2
    bool guards_devices = false;              // that is needed
};

/// Pure. What control groups of this mode have no file for is a warning.
[[nodiscard]] Limits limits_for(const Json& linux_part,
                                cgroup::Mode mode,
                                bool has_device_groups,
                                Strings& warnings);

}  // namespace stack::oci
