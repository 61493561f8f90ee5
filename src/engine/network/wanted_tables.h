#pragma once

// What the tables of the packet filter should have, as the records of an instance say.

#include "engine/network/elements.h"
#include "engine/network/networks.h"
#include "engine/network/record.h"

#include <map>
#include <string>
#include <vector>

namespace stack::network {

[[nodiscard]] std::vector<NetworkRecord> records(const std::vector<StoredNetwork>& stored);

[[nodiscard]] Elements elements_for(const Publication& publication);

/// What a lease of the network stands for.
[[nodiscard]] Wire wire_for(const NetworkRecord& network, const Lease& lease);

using Owners = std::map<std::string, std::string>;  // of ports of the host: by map and key

/// Adds what leads to a container. Throws where one of the `owners` has a port of the host already.
void add_publication(Elements& all,
                     Owners& owners,
                     const std::string& container,
                     const Publication& publication,
                     const TitleOf& title_of);

/// All elements there should be; `owners` become those of `publications`.
[[nodiscard]] Elements whole_table(const Paths& paths,
                                   const std::vector<StoredNetwork>& networks,
                                   const Publications& publications,
                                   Owners& owners);
[[nodiscard]] Elements whole_table(const Paths& paths,
                                   const std::vector<StoredNetwork>& networks,
                                   const Publications& publications);
[[nodiscard]] Elements whole_table(const Paths& paths);

}  // namespace stack::network
