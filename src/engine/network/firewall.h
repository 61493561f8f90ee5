#pragma once

// Firewalls of others: a packet that our table lets through still meets the forward chains of
// theirs, and one that drops it is enough. Pure.

#include <string>
#include <vector>

namespace stack::network {

/// A base chain of somebody else's that drops what containers exchange with the world.
struct Obstacle {
    std::string table;  // "inet filter"
    std::string chain;
    bool outward = true;  // what containers send; else: what is sent to their published ports
    std::string advice;   // the command that lets it through

    bool operator==(const Obstacle&) const = default;
};

/// What a listing of all tables (libnftables-json(5)) says of the first packet of a connection from
/// a bridge of ours, and to one. Conditions that are not about interfaces, addresses or the
/// connection's state are taken as not met. Tables whose name begins with `own` are ours.
[[nodiscard]] std::vector<Obstacle> obstacles(const std::string& ruleset, const std::string& own);

}  // namespace stack::network
