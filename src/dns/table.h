#pragma once

// What the name service knows: the names of each network, by the gateway that questions arrive at.
// Pure.
//
// The file (written whole by engine/network/names.cpp), one fact a line:
//
//     listen 10.210.3.1 8.8.8.8 1.1.1.1         ask these for other names; none: the host's servers
//     listen 10.210.4.1 none                    nothing but these names (an internal network)
//     askers 10.210.3.1 10.210.3.0/24           who may ask there; without the line, everybody
//     called 10.210.3.1 shop_default            with which behind it, a name there is the same name
//     name 10.210.3.1 web 10.210.3.2 10.210.3.5
//     also 10.210.3.1 10.210.3.5 db 10.211.0.2  to who asks from there this name is this
//     beside 10.210.3.1 10.210.3.5 10.210.4.1 10.210.4.2
//                                               who asks from there is also 10.210.4.2, and finds
//                                               what that one finds at 10.210.4.1
//     refer 10.210.3.1 10.210.3.5               who asks from there has another server to ask
//     upstream 10.210.3.1 10.210.3.2 9.9.9.9    for who asks from there, ask these

#include "base/ip.h"
#include "dns/packet.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace stack::dns {

struct Names {
    std::unordered_map<std::string, std::vector<IpAddress>> addresses;
    std::map<IpAddress, std::string> pointers;
};

/// An asker at a gateway.
struct Asking {
    IpAddress gateway;
    IpAddress asker;
};

/// What one gateway answers.
struct Scope {
    std::optional<IpPrefix> askers;  // nobody else is answered
    std::string network;             // its name, in lower case
    bool forwards = true;
    std::set<IpAddress> referred;    // askers that have another server behind this one
    std::vector<IpAddress> servers;  // empty: the host's
    std::map<IpAddress, std::vector<IpAddress>> upstreams;  // instead of these, by asker
    Names names;
    std::map<IpAddress, Names> also;  // by asker: what it alone knows, above the others
    std::map<IpAddress, std::vector<Asking>> beside;  // by asker: itself on its other networks
};

using Table = std::map<IpAddress, Scope>;

/// Lines that mean nothing are skipped: a newer writer may know more.
[[nodiscard]] Table parse_table(std::string_view text);

/// The host's own resolver configuration (resolv.conf(5)).
struct HostResolver {
    std::vector<IpAddress> servers;  // at most three, as the C library takes them
    std::vector<std::string> search;
};

[[nodiscard]] HostResolver parse_resolv_conf(std::string_view text);

/// Whom to ask what the table does not know: the asker's own servers, the scope's, the host's.
[[nodiscard]] const std::vector<IpAddress>& servers_for(const Scope& scope,
                                                        const IpAddress& asker,
                                                        const HostResolver& host);

/// What the table says to a question at a gateway that it has, records in the table's order;
/// nullopt: nothing, ask others. A known name has an answer for every type, if an empty one: musl
/// takes NXDOMAIN for AAAA to mean that there is no A either. Known are the names of all networks
/// of the asker, since musl asks all of its servers at once and believes the first: those of this
/// one before the others'. `search`: with one of these appended a name is still ours, so that
/// nobody outside can take a service's name. An asker that has another server to ask is refused
/// what is not known here: it goes on to that one, where an answer "no such name" would end it.
[[nodiscard]] std::optional<Answer> find_answer(const Table& table,
                                                const Asking& asking,
                                                const Query& query,
                                                const std::vector<std::string>& search);

}  // namespace stack::dns
