#pragma once

// What an instance writes down about its networks.
//
//   <state>/networks/<name>.json    the network: durable, written when it is made
//   <state>/networks/<name>.leases  who has which address, one line each; written at every attach,
//   so not synced: after
//                                   a power cut no container lives, and a lost line costs an
//                                   address its replica
//   <run>/networks/ports/<id>       the ports that lead to one container, and its addresses
//
// Callers hold the lock of <state>/networks/lock while they change any of it.

#include <stack/paths.h>

#include "base/ip.h"
#include "engine/network/networks.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stack::network {

/// A network and what its addresses may be.
struct StoredNetwork {
    NetworkRecord record;
    std::string range4;  // ip_range of the stack file; empty: the whole subnet
    std::string range6;
    StringMap reserved;  // aux_addresses: name -> address

    bool operator==(const StoredNetwork&) const = default;
};

/// An address that a container holds, or held: then `container` is empty, and `key` gets it back if
/// it can.
struct Lease {
    std::string address4;
    std::string address6;
    std::string container;
    std::string key;
    std::string mac = {};  // where it is not the one that goes with the address

    bool operator==(const Lease&) const = default;
};

/// What leads to one container.
struct Publication {
    std::string address4;
    std::string address6;
    std::vector<PublishedPort> ports;

    bool operator==(const Publication&) const = default;
};

/// Throws where the name cannot be a file's: letters, digits, `_`, `.`, `-`, beginning with a
/// letter or digit.
void check_name(const std::string& name);

[[nodiscard]] std::string networks_directory(const Paths& paths);

[[nodiscard]] Strings stored_names(const Paths& paths);
[[nodiscard]] std::optional<StoredNetwork> find_stored(const Paths& paths, const std::string& name);
/// Those whose records can be read: one that is damaged is its own stack's trouble only.
[[nodiscard]] std::vector<StoredNetwork> load_stored(const Paths& paths);
/// The files of the others.
[[nodiscard]] Strings damaged_records(const Paths& paths);
void store(const Paths& paths, const StoredNetwork& network);
/// Postcondition: neither network nor leases of that name are on disk.
void remove_stored(const Paths& paths, const std::string& name);

[[nodiscard]] std::vector<Lease> load_leases(const Paths& paths, const std::string& network);
void store_leases(const Paths& paths, const std::string& network, const std::vector<Lease>& leases);

/// Adds one lease at the price of one small write. What its key remembers is forgotten by that.
void append_lease(const Paths& paths, const std::string& network, const Lease& lease);

/// One line a lease; lines that are none, and memories of keys that hold a lease, are skipped.
[[nodiscard]] std::vector<Lease> parse_leases(const std::string& text);
[[nodiscard]] std::string to_text(const std::vector<Lease>& leases);

[[nodiscard]] Strings publishing_containers(const Paths& paths);
[[nodiscard]] Publication load_publication(const Paths& paths, const std::string& container);
/// By container.
using Publications = std::map<std::string, Publication>;
[[nodiscard]] Publications load_publications(const Paths& paths);
/// An empty publication leaves no file.
void store_publication(const Paths& paths,
                       const std::string& container,
                       const Publication& publication);

[[nodiscard]] Publication parse_publication(const std::string& text);
[[nodiscard]] std::string to_text(const Publication& publication);

}  // namespace stack::network
