#pragma once

// Kernel settings of a container: those of its own namespaces, and no other.

#include <stack/model.h>

#include "shim/spec.h"

#include <vector>

namespace stack::runtime {

/// Docker's two (they stand in for capabilities: any user binds low ports and pings), then
/// `wanted`. `spec` says which namespaces are the container's own. Throws stack::Error for a
/// setting that belongs to the machine or to a namespace of another (CVE-2022-0811).
[[nodiscard]] std::vector<shim::SettingSpec> sysctls_for(const StringMap& wanted,
                                                         const shim::Spec& spec);

}  // namespace stack::runtime
