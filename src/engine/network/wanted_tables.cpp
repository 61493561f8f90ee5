#include "engine/network/wanted_tables.h"

#include <stack/error.h>

#include "base/text.h"
#include "engine/network/layout.h"

namespace stack::network {
namespace {

/// Of every container, by its id.
std::map<std::string, std::vector<Wire>> all_wires(const Paths& paths,
                                                   const std::vector<StoredNetwork>& networks) {
    std::map<std::string, std::vector<Wire>> wires;
    for (const auto& network : networks) {
        if (!network.record.driver.empty())
            continue;
        for (const auto& lease : load_leases(paths, network.record.name))
            if (!lease.container.empty())
                wires[lease.container].push_back(wire_for(network.record, lease));
    }
    return wires;
}

}  // namespace

std::vector<NetworkRecord> records(const std::vector<StoredNetwork>& stored) {
    std::vector<NetworkRecord> list;
    for (const auto& network : stored)
        list.push_back(network.record);
    return list;
}

Elements elements_for(const Publication& publication) {
    return elements_for(publication.ports, publication.address4, publication.address6);
}

void add_publication(Elements& all,
                     Owners& owners,
                     const std::string& container,
                     const Publication& publication,
                     const TitleOf& title_of) {
    for (const auto& [map, elements] : elements_for(publication)) {
        for (const auto& element : elements) {
            const std::string key = key_of(element);
            const auto [owner, is_new] = owners.emplace(map + " " + key, container);
            if (!is_new)
                throw Error(std::make_error_code(std::errc::address_in_use),
                            "port " + replace_all(key, " . ", " ") + " cannot be published by " +
                                title_of(container) + ": " + title_of(owner->second) + " has it");
            all[map].insert(element);
        }
    }
}

Wire wire_for(const NetworkRecord& network, const Lease& lease) {
    return {network.name,
            network.group,
            veth_name(lease.container, network.name),
            mac_of(lease),
            lease.address4,
            lease.address6};
}

Elements whole_table(const Paths& paths,
                     const std::vector<StoredNetwork>& networks,
                     const Publications& publications,
                     Owners& owners) {
    Elements all = elements_for(records(networks));
    for (const auto& [container, wires] : all_wires(paths, networks))
        add_elements(all, elements_for(wires));
    for (const auto& [container, publication] : publications)
        add_publication(all, owners, container, publication, short_title);
    return all;
}

Elements whole_table(const Paths& paths,
                     const std::vector<StoredNetwork>& networks,
                     const Publications& publications) {
    Owners owners;
    return whole_table(paths, networks, publications, owners);
}

Elements whole_table(const Paths& paths) {
    return whole_table(paths, load_stored(paths), load_publications(paths));
}

}  // namespace stack::network
