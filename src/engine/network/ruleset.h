#pragma once

// The packet filter of an instance as text for nft(8): one table whose size does not grow with
// networks, containers or ports, because all that changes are elements of sets and maps. Pure.

#include "engine/network/networks.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stack::network {

/// The elements of every set and map of the table, by its name, as nft prints them ("tcp . 8080
/// : 10.1.2.3 . 80").
using Elements = std::map<std::string, std::set<std::string>>;

/// `stack`, or `stack_<instance>`.
[[nodiscard]] std::string table_name(const std::string& instance);

[[nodiscard]] Elements elements_for(const std::vector<NetworkRecord>& networks);

/// The elements that lead `ports` to a container with these addresses (either may be empty), or
/// say which of them its shim forwards. Throws where a port is published on an IPv4 address and the
/// container has none.
[[nodiscard]] Elements elements_for(const std::vector<PublishedPort>& ports,
                                    const std::string& address4,
                                    const std::string& address6);

void add_elements(Elements& to, const Elements& more);

/// Replaces the whole table, or makes it.
[[nodiscard]] std::string table_text(const std::string& table, const Elements& elements);
/// Removes the table, if there is one.
[[nodiscard]] std::string no_table_text(const std::string& table);
/// Turns a table that has the elements `before` into one that has `after`; "" where nothing is to
/// be done. What stays is added again, which does nothing, or fails where the table has been
/// flushed.
[[nodiscard]] std::string edits_text(const std::string& table,
                                     const Elements& before,
                                     const Elements& after);

/// Whether a listing of the table (libnftables-json(5)) has all chains and rules, and exactly these
/// elements.
[[nodiscard]] bool is_in_force(const std::string& json, const Elements& elements);

/// The part of a map's element before the colon: what can be there only once.
[[nodiscard]] std::string key_of(const std::string& element);

}  // namespace stack::network
