// Which addresses a container holds.

#include "engine/network/networks.h"
#include "engine/network/record.h"

namespace stack::network {

std::vector<HeldAddress> Networks::held_addresses(const std::string& container) const {
    const Publication publication = load_publication(paths_, container);
    const auto is_published = [&](const Lease& lease) {
        return !publication.ports.empty() && publication.address4 == lease.address4 &&
               publication.address6 == lease.address6;
    };
    std::vector<HeldAddress> held;
    for (const auto& name : stored_names(paths_))
        for (const auto& lease : load_leases(paths_, name))
            if (lease.container == container)
                held.push_back({name, lease.address4, lease.address6, is_published(lease)});
    return held;
}

}  // namespace stack::network
