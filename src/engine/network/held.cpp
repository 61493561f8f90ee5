// Which addresses a container holds.

#include "engine/network/networks.h"
#include "engine/network/record.h"

namespace stack::network {
namespace {

HeldAddress held(const std::string& network, const Lease& lease, const Publication& publication) {
    const bool published = !publication.ports.empty() && publication.address4 == lease.address4 &&
                           publication.address6 == lease.address6;
    return {network, lease.address4, lease.address6, published};
}

}  // namespace

std::vector<HeldAddress> Networks::held_addresses(const std::string& container) const {
    const Publication publication = load_publication(paths_, container);
    std::vector<HeldAddress> addresses;
    for (const auto& name : stored_names(paths_))
        for (const auto& lease : load_leases(paths_, name))
            if (lease.container == container)
                addresses.push_back(held(name, lease, publication));
    return addresses;
}

std::map<std::string, std::vector<HeldAddress>> Networks::held_addresses() const {
    const Publications publications = load_publications(paths_);
    const auto publication_of = [&](const std::string& container) {
        const auto found = publications.find(container);
        return found == publications.end() ? Publication() : found->second;
    };
    std::map<std::string, std::vector<HeldAddress>> all;
    for (const auto& name : stored_names(paths_))
        for (const auto& lease : load_leases(paths_, name))
            if (!lease.container.empty())
                all[lease.container].push_back(held(name, lease, publication_of(lease.container)));
    return all;
}

}  // namespace stack::network
