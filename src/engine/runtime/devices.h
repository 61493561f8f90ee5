#pragma once

// The devices of the host that a container is given.

#include <stack/model.h>

#include "base/device_rule.h"
#include "shim/spec.h"

#include <vector>

namespace stack::runtime {

/// Those of the service that are named by their paths: of a directory each one below it, as Docker
/// has it. Throws stack::Error where there is none.
[[nodiscard]] std::vector<Device> devices_for(const Service& service);

/// How they are made in the container; a privileged one has all of the host's besides.
[[nodiscard]] std::vector<shim::DeviceSpec> device_specs(const std::vector<Device>& devices,
                                                         bool privileged);

/// What the container reaches: the harmless ones, those that it is given, with what it may do to
/// them (it makes them itself), and those that `rules` name, which may come later.
[[nodiscard]] std::vector<DeviceRule> device_rules(const std::vector<Device>& devices,
                                                   const Strings& rules);

}  // namespace stack::runtime
