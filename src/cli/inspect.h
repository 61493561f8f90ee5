#pragma once

// A container in full, in the shape of `docker inspect`, which scripts read.

#include <stack/observed.h>

#include "cli/container_size.h"
#include "engine/network/networks.h"
#include "engine/runtime/runtime.h"

#include <map>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace stack::cli {

/// A network that the container is in.
struct InspectedNetwork {
    network::NetworkRecord record;
    std::string id;
};

/// What is known of it beside what it is and how it is.
struct InspectDetails {
    std::string log_path;
    StringMap files;  // those of its own that are there, by name: hosts, resolv.conf, upper …
    std::string start_error;
    runtime::HealthRecord health;
    std::map<std::string, InspectedNetwork> networks;  // by name
    StringMap volumes;                                 // their directories, by name
    std::optional<ContainerSize> size;                 // where it was asked for
};

[[nodiscard]] nlohmann::json inspect_json(const runtime::ContainerRecord& record,
                                          const ObservedContainer& seen,
                                          const InspectDetails& details);

}  // namespace stack::cli
