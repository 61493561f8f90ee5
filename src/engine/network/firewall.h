#pragma once

// Firewalls of others: a packet that our table lets through still meets the forward and input
// chains of theirs, and one that drops it is enough. Pure.

#include "engine/network/networks.h"

#include <cstdint>
#include <string>
#include <vector>

namespace stack::network {

/// What a container needs of the host's network.
enum class Flow : std::uint8_t {
    outward,   // what it sends to the world
    inward,    // what is sent to its published ports
    question,  // what it asks the name service on its gateway
};

/// A base chain of somebody else's that drops one of these.
struct Obstacle {
    std::string table;  // "inet filter"
    std::string chain;
    Flow flow = Flow::outward;
    std::string advice;  // the command that lets it through

    bool operator==(const Obstacle&) const = default;
};

/// What a listing of all tables (libnftables-json(5)) says of the first packet of a connection from
/// the bridge of each of these networks, to it, and to its gateway; where there are none, of one
/// that could be. Conditions that are not about interfaces, addresses, the connection's state or a
/// question's port are taken as not met. Tables whose name begins with `own` are ours.
[[nodiscard]] std::vector<Obstacle> obstacles(const std::string& ruleset,
                                              const std::string& own,
                                              const std::vector<NetworkRecord>& networks = {});

}  // namespace stack::network
