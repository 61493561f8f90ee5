#pragma once

// From rules to the program that guards a group's devices; pure.

#include "base/device_rule.h"

#include <vector>

#include <linux/bpf.h>

namespace stack::cgroup {

/// What is not allowed by one of the rules is refused.
[[nodiscard]] std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& allowed);

/// What every container has: the harmless devices of its /dev, and terminals of its own.
[[nodiscard]] const std::vector<DeviceRule>& default_devices();

}  // namespace stack::cgroup
