#pragma once

// The name service of a project (src/dns): a small process that answers container names on the gateways of the
// project's networks. It reads a table that is replaced whole; its sockets stay.
//
//   <run>/projects/<project>/dns/names    the table: one line `network-gateway name address…`, `PTR` by address
//   <run>/projects/<project>/dns/pid      pid and start time of the process

#include <stack/model.h>
#include <stack/paths.h>

#include <string>
#include <vector>

namespace stack::network {

/// A name as one network knows it; several addresses are its replicas.
struct NameEntry {
    std::string gateway4;  // where questions arrive
    std::string gateway6;
    std::string name;
    Strings addresses;     // IPv4 and IPv6

    bool operator==(const NameEntry&) const = default;
};

/// Postcondition: the project's name service runs and answers from exactly these entries, and listens on exactly the
/// gateways in `gateways` (address, and the servers to ask for other names; empty: the host's).
void publish_names(const Paths& paths,
                   const std::string& project,
                   const Strings& gateways,
                   const std::vector<NameEntry>& entries);

/// Postcondition: the project has no name service.
void stop_names(const Paths& paths, const std::string& project);

}  // namespace stack::network
