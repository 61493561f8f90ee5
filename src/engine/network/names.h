#pragma once

// The name service of a project (src/dns): a small process that answers container names on the
// gateways of the project's networks. It reads a table that is replaced whole; its sockets stay.
//
//   <run>/projects/<project>/dns/names    the table (dns/table.h)
//   <run>/projects/<project>/dns/pid      pid and start time of the process
//   <run>/projects/<project>/dns/log      what it complained about
//   <run>/networks/dns/…                  the same for the networks of no project ("")

#include <stack/model.h>
#include <stack/paths.h>

#include "sys/fd.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace stack::network {

/// A name as one network knows it; several addresses are its replicas.
struct NameEntry {
    std::string gateway4;  // where questions arrive
    std::string gateway6;
    std::string name;
    Strings addresses;  // IPv4 and IPv6

    bool operator==(const NameEntry&) const = default;
};

/// A container in several networks asks their name services one after another (glibc), or all at
/// once (musl), and believes the first that knows a name not to exist. So all but the last send it
/// on by a refusal, and the last answers for the rest of the world.
struct Referral {
    std::string gateway;
    std::string asker;

    bool operator==(const Referral&) const = default;
};

/// A container with name servers of its own: what is not known here is asked of these.
struct Upstream {
    std::string gateway;
    std::string asker;
    Strings servers;

    bool operator==(const Upstream&) const = default;
};

/// A name that one asker alone knows at this gateway, above those that all know: what its `links`
/// call another service, or a name of a network of another owner whose own service it does not ask.
struct OwnName {
    std::string gateway;
    std::string asker;
    std::string name;
    Strings addresses;

    bool operator==(const OwnName&) const = default;
};

/// A container in several networks that the same service answers: at each of their gateways it
/// finds the names of all, whichever it asks, or believes, first.
struct Beside {
    std::string gateway;
    std::string asker;
    std::string other_gateway;
    std::string other_asker;  // the same container there

    bool operator==(const Beside&) const = default;
};

/// All that a name service knows.
struct NameTable {
    StringMap gateways;  // where it listens, and the subnet of those that it answers there
    StringMap called{};  // by gateway: the name of its network
    std::vector<NameEntry> entries;
    std::vector<OwnName> own;
    std::vector<Beside> beside;
    std::vector<Referral> referrals;
    std::vector<Upstream> upstreams;
};

/// Whether a container is one of its own name servers. No other process reaches that one: it asks
/// it by itself.
[[nodiscard]] bool asks_itself(const Strings& servers);

/// The place of a network's name service in the order of a container's: by this, rising. Internal
/// ones, which cannot answer for the rest of the world, come first.
using ResolverRank = std::pair<bool, std::string>;
[[nodiscard]] ResolverRank resolver_rank(bool internal, const std::string& network);

/// Those that a container in all of these asks: the C library reads three at most (resolv.conf(5),
/// MAXNS), and the last must be among them.
[[nodiscard]] std::set<ResolverRank> asked_resolvers(std::set<ResolverRank> all);

/// Postcondition: the project's name service runs, and listens and answers as `table` has it and
/// not otherwise. On the gateways of internal networks nothing else is answered. Throws where the
/// service cannot be started; a port 53 that somebody else has is no failure: it goes into the log,
/// and is tried again.
void publish_names(const Paths& paths, const std::string& project, const NameTable& table);

/// A pidfd of the project's name service; none where there is none that lives.
[[nodiscard]] sys::Fd find_name_service(const Paths& paths, const std::string& project);

/// Postcondition: the project has no name service.
void stop_names(const Paths& paths, const std::string& project);

/// The table as the service reads it. `internal`: gateways of networks that have no way out.
[[nodiscard]] std::string names_text(const NameTable& table, const std::set<std::string>& internal);

}  // namespace stack::network
