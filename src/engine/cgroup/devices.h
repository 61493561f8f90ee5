#pragma once

// From rules to what guards a group's devices: a program of v2, or writes of v1; pure.

#include "base/device_rule.h"
#include "engine/cgroup/cgroup.h"

#include <vector>

#include <linux/bpf.h>

namespace stack::cgroup {

/// What is not allowed by one of the rules is refused.
[[nodiscard]] std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& allowed);

/// The same where the devices controller of v1 guards: refuse all, and allow these.
[[nodiscard]] std::vector<FileWrite> device_writes(const std::vector<DeviceRule>& allowed);
/// A rule as that controller reads it: "c 188:* rw". Its "a" is everything, whatever comes after
/// it, so that a smaller rule for both kinds is two lines.
[[nodiscard]] Strings device_lines(const DeviceRule& rule);
/// Whether it is of every device.
[[nodiscard]] bool is_everything(const DeviceRule& rule);

/// What every container has: the harmless devices of its /dev, and terminals of its own.
[[nodiscard]] const std::vector<DeviceRule>& default_devices();

}  // namespace stack::cgroup
