#pragma once

// From what a stack file says about a network to what it is: subnets, gateways, bridge, group.
// Pure: what is around comes in as values.

#include "base/ip.h"
#include "engine/network/address_pool.h"
#include "engine/network/record.h"

#include <string>
#include <string_view>
#include <vector>

namespace stack::network {

/// What a new network must keep clear of.
struct Surroundings {
    std::vector<IpPrefix> routes;         // of the host
    std::vector<IpAddress> servers;       // name servers, which may lie behind the default route
    std::vector<NetworkRecord> networks;  // of this instance
    int uplink_mtu = 1500;
};

/// Throws where the network asks for what cannot be: a driver that there is not or that lacks its
/// parent, an address that is none, a gateway outside of its subnet, a subnet of another network.
[[nodiscard]] StoredNetwork layout_for(const std::string& instance,
                                       const std::string& project,
                                       const Network& network,
                                       const std::string& config_digest,
                                       const Surroundings& surroundings);

/// What addresses a network hands out in one family; nullopt where it has none of it.
[[nodiscard]] std::optional<AddressRange> address_range(const StoredNetwork& network,
                                                        Family family);

/// The lease of one container, given the leases there are; `avoided` are addresses that are not for
/// it. Throws where a static address is
/// impossible (naming who has it) or the network is full.
[[nodiscard]] Lease lease_for(const StoredNetwork& network,
                              const std::vector<Lease>& leases,
                              const std::string& container,
                              const std::string& key,
                              const NetworkAttachment& wanted,
                              const Strings& avoided = {});

[[nodiscard]] Endpoint endpoint_for(const std::string& instance,
                                    const NetworkRecord& network,
                                    const Lease& lease,
                                    const NetworkAttachment& wanted,
                                    int index);

/// IFLA_IFALIAS of everything that the instance makes begins with this.
[[nodiscard]] std::string alias_prefix(const std::string& instance);
[[nodiscard]] std::string bridge_alias(const std::string& instance, const std::string& network);
/// With which the name of a veth's end on a bridge begins.
inline constexpr std::string_view veth_prefix = "stv";
/// The name of a veth's end on the bridge: at most IFNAMSIZ - 1 = 15 bytes.
[[nodiscard]] std::string veth_name(const std::string& container, const std::string& network);

/// The hardware address of whoever holds a lease in a network of bridges.
[[nodiscard]] std::string mac_of(const Lease& lease);

/// The name of whoever holds a lease, for messages.
[[nodiscard]] std::string holder(const Lease& lease);

}  // namespace stack::network
