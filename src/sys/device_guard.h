#pragma once

// Which devices the processes of a control group reach, by a program that the kernel asks at every
// open and mknod (BPF_PROG_TYPE_CGROUP_DEVICE).

#include <string>
#include <vector>

#include <linux/bpf.h>

namespace stack::sys {

/// Postcondition: `program` decides for the group at `directory` (of cgroup v2), beside the
/// programs of the groups above. Returns 0, or the errno of a kernel that cannot do it.
[[nodiscard]] int guard_devices(const std::string& directory, const std::vector<bpf_insn>& program);

}  // namespace stack::sys
