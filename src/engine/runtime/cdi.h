#pragma once

// The Container Device Interface: files of vendors say what a container needs for a device of
// theirs (github.com/cncf-tags/container-device-interface, SPEC.md).

#include <stack/model.h>

#include "shim/spec.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace stack::runtime {

struct CdiNode {
    Device device;
    std::optional<std::uint32_t> mode;  // where it is not that of the host's node; likewise
    std::optional<std::uint32_t> uid;
    std::optional<std::uint32_t> gid;
};

/// What is done to a container for the devices that it asks for.
struct CdiEdits {
    Strings environment;  // NAME=value
    std::vector<CdiNode> nodes;
    std::vector<shim::MountSpec> mounts;
    std::vector<shim::HookSpec> hooks;  // before the change of root
    Strings groups;
};

/// Where the files lie: what the later directory offers counts.
[[nodiscard]] Strings cdi_directories();

/// The names that the service asks for, in `devices` and by requests.
[[nodiscard]] Strings cdi_names_of(const Service& service);

/// For the devices of these names. Throws stack::Error where no file offers one of them, where two
/// files do, and where one asks for what is not done here.
[[nodiscard]] CdiEdits cdi_edits_for(const Strings& names, const Strings& directories);

/// Makes them part of the description of a container. What hooks read of it is written to the
/// directory `bundle`.
void apply(const CdiEdits& edits, const std::string& bundle, shim::Spec& spec);

}  // namespace stack::runtime
