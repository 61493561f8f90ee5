#pragma once

// From a bundle's config.json to what a container's helper is told. Pure, but for a look at where
// the root file system is.

#include "engine/cgroup/cgroup.h"
#include "oci/fields.h"
#include "oci/mounts.h"
#include "shim/spec.h"

#include <array>
#include <vector>

namespace stack::oci {

/// The versions of the runtime-spec that are understood.
constexpr const char* oldest_version = "1.0.0";
constexpr const char* newest_version = "1.2.0";

/// Types of namespaces and hooks, as config.json has them.
inline constexpr std::array namespace_types{
    "cgroup", "ipc", "mount", "network", "pid", "user", "uts"};
inline constexpr std::array hook_names{
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};

struct Bundle {
    std::string id;
    std::string directory;  // absolute
    Json config;
};

/// Throws where config.json is none that this program can do to the letter.
void check_config(const Json& config);

/// The hooks of one moment. Throws where one has no absolute path.
[[nodiscard]] std::vector<shim::HookSpec> hooks_for(const Json& config, const char* name);

/// The group of the container, relative to the mount of control groups.
[[nodiscard]] std::string group_of(const Bundle& bundle);

/// Complete but for descriptors and where its groups are.
[[nodiscard]] shim::Spec describe(const Bundle& bundle,
                                  const GroupDirectories& groups,
                                  Strings& warnings);

}  // namespace stack::oci
