#pragma once

// What the packet filter of an instance knows of networks and ports: elements of sets and maps, in
// tables that do not grow otherwise (table.h). Pure.

#include "engine/network/networks.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stack::network {

[[nodiscard]] Elements elements_for(const std::vector<NetworkRecord>& networks);

/// The elements that lead `ports` to a container with these addresses (either may be empty), or
/// say which of them its shim forwards. Throws where a port is published on an IPv4 address and the
/// container has none.
[[nodiscard]] Elements elements_for(const std::vector<PublishedPort>& ports,
                                    const std::string& address4,
                                    const std::string& address6);

/// A container's end of a wire to a bridge.
struct Wire {
    std::string network;
    std::uint32_t group = 0;  // of the bridge's ports
    std::string port;         // the machine's end
    std::string mac;
    std::string address4;
    std::string address6;
};

/// What the guard of the bridges knows of these: what is taken on which bridge, and by which port
/// it may come.
[[nodiscard]] Elements elements_for(const std::vector<Wire>& wires);

void add_elements(Elements& to, const Elements& more);
void remove_elements(Elements& from, const Elements& gone);

/// The part of a map's element before the colon: what can be there only once.
[[nodiscard]] std::string key_of(const std::string& element);

}  // namespace stack::network
