#pragma once

// Kernel settings of a container: those of its own namespaces, and no other.

#include <stack/model.h>

#include "shim/spec.h"

#include <string_view>
#include <vector>

namespace stack::runtime {

/// The namespace that a setting belongs to; nullptr: the machine.
[[nodiscard]] const shim::NamespaceSpec* sysctl_owner(std::string_view name,
                                                      const shim::Spec& spec);

/// `wanted`, as they are. `spec` says which namespaces are not the host's. Throws stack::Error for
/// a setting that belongs to the machine or to a namespace of the host's (CVE-2022-0811).
[[nodiscard]] std::vector<shim::SettingSpec> exact_sysctls_for(const StringMap& wanted,
                                                               const shim::Spec& spec);

/// Docker's two (they stand in for capabilities: any user binds low ports and pings), then
/// those that are `wanted`. A namespace of another container's is not this one's to set.
[[nodiscard]] std::vector<shim::SettingSpec> sysctls_for(const StringMap& wanted,
                                                         const shim::Spec& spec);

}  // namespace stack::runtime
