#pragma once

// `mounts` of a config.json, as the shim takes them.

#include "oci/fields.h"
#include "shim/spec.h"

#include <utility>
#include <vector>

namespace stack::oci {

/// Where the container's group is in each hierarchy, by its name; "" is the one of cgroup v2.
using GroupDirectories = std::vector<std::pair<std::string, std::string>>;

/// Words for flags of a mount; with an r before them they are for what is mounted below, too.
[[nodiscard]] Strings mount_attribute_names();

/// One mount; pure. Paths of the host are taken from `bundle`.
[[nodiscard]] shim::MountSpec mount_for(const Json& mount, const std::string& bundle);

/// All of them, in their order, into `spec`; a mount of type cgroup becomes what this machine has.
void add_mounts(const Json& mounts,
                const std::string& bundle,
                const GroupDirectories& groups,
                shim::Spec& spec);

}  // namespace stack::oci
