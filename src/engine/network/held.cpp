// Which addresses a container holds.

#include "engine/network/networks.h"
#include "engine/network/record.h"

namespace stack::network {

std::vector<HeldAddress> Networks::held_addresses(const std::string& container) const {
    std::vector<HeldAddress> held;
    for (const auto& name : stored_names(paths_))
        for (const auto& lease : load_leases(paths_, name))
            if (lease.container == container)
                held.push_back({name, lease.address4, lease.address6});
    return held;
}

}  // namespace stack::network
