#include "engine/network/layout.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "model/network_limits.h"
#include "sys/netlink.h"

#include <algorithm>
#include <map>

#include <linux/if_link.h>

namespace stack::network {
namespace {

constexpr const char* mtu_option = "com.docker.network.driver.mtu";
constexpr const char* bridge_option = "com.docker.network.bridge.name";

/// Read where a stack is: it is the ports of its services that it changes.
constexpr const char* host_binding_option = "com.docker.network.bridge.host_binding_ipv4";

constexpr const char* parent_option = "parent";

/// What a bridge of Docker's does and ours do not, where it is asked not to be as they all are.
const StringMap unsupported_options{
    {"com.docker.network.bridge.enable_icc",
     "containers of one network reach each other; give those that are to be kept apart networks of "
     "their own"},
    {"com.docker.network.bridge.enable_ip_masquerade",
     "what leaves the machine has the machine's address; `internal` has nothing leave it"}};

/// The kernel's numbers for the modes of a driver (linux/if_link.h).
using Modes = std::map<std::string, std::uint32_t>;
const Modes macvlan_modes{{"private", MACVLAN_MODE_PRIVATE},
                          {"vepa", MACVLAN_MODE_VEPA},
                          {"bridge", MACVLAN_MODE_BRIDGE},
                          {"passthru", MACVLAN_MODE_PASSTHRU}};
const Modes ipvlan_modes{{"l2", IPVLAN_MODE_L2}, {"l3", IPVLAN_MODE_L3}, {"l3s", IPVLAN_MODE_L3S}};

/// The addresses of a network in one family, decided.
struct Half {
    IpPrefix subnet;
    IpAddress gateway;
    std::string range;
};

[[noreturn]] void refuse(const Network& network, const std::string& why) {
    throw Error("network " + network.name + ": " + why);
}

bool is_bridge(const Network& network) {
    return network.driver.empty() || network.driver == "bridge" || network.driver == "default";
}

void check_driver(const Network& network) {
    if (!is_bridge(network) && network.driver != "macvlan" && network.driver != "ipvlan")
        refuse(network,
               "driver " + network.driver +
                   " is not supported; there are bridge (the default), macvlan and ipvlan");
    const std::string mode = network.driver + "_mode";
    if (!network.ipam_driver.empty() && network.ipam_driver != "default")
        refuse(network, "IPAM driver " + network.ipam_driver + " is not supported; leave it out");
    for (const auto& [option, value] : network.driver_opts) {
        const auto unsupported = unsupported_options.find(option);
        if (is_bridge(network) && unsupported != unsupported_options.end() && value != "true" &&
            value != "1")
            refuse(network, option + "=" + value + " is not supported: " + unsupported->second);
        if (option != mtu_option &&
            (is_bridge(network) ? option != bridge_option && option != host_binding_option
                                : option != parent_option && option != mode))
            log::warn("network " + network.name + ": driver option " + option +
                      " is not known, ignoring");
    }
}

/// A network whose containers are on a link of the host's, beside the host.
void lay_on_parent(const Network& network, NetworkRecord& record) {
    const auto option = [&](const std::string& name) {
        const auto found = network.driver_opts.find(name);
        return found == network.driver_opts.end() ? std::string() : found->second;
    };
    if (network.internal)
        refuse(network,
               "what is on an interface of the host cannot be internal; leave `internal` out, or "
               "use a bridge");
    record.driver = network.driver;
    record.parent = option(parent_option);
    if (record.parent.empty())
        refuse(network,
               "driver " + network.driver +
                   " needs an interface of the host: driver_opts: {parent: eth0}");
    const bool macvlan = network.driver == "macvlan";
    const Modes& modes = macvlan ? macvlan_modes : ipvlan_modes;
    const std::string name = option(network.driver + "_mode");
    const auto mode = modes.find(name.empty() ? (macvlan ? "bridge" : "l2") : name);
    if (mode == modes.end()) {
        Strings known;
        for (const auto& [one, number] : modes)
            known.push_back(one);
        refuse(network,
               network.driver + "_mode is one of " + join(known, ", ") + ", not \"" + name + "\"");
    }
    record.mode = mode->second;
}

const IpamPool* find_pool(const Network& network, Family family) {
    const IpamPool* found = nullptr;
    for (const auto& pool : network.ipam) {
        const auto subnet = parse_prefix(pool.subnet);
        if (!subnet)
            refuse(network,
                   pool.subnet.empty()
                       ? "an IPAM pool needs a subnet"
                       : "\"" + pool.subnet + "\" is not a subnet such as 10.5.0.0/24");
        if (subnet->address.family != family)
            continue;
        if (found != nullptr)
            refuse(network,
                   "it can have one subnet of a family, not both " + found->subnet + " and " +
                       pool.subnet);
        found = &pool;
    }
    return found;
}

IpAddress address_in(const Network& network,
                     const std::string& what,
                     const std::string& text,
                     const IpPrefix& subnet) {
    const auto address = parse_ip(text);
    if (!address || !contains(subnet, *address))
        refuse(network, what + " " + text + " is not an address in " + to_text(subnet));
    return *address;
}

void check_free(const Network& network, const IpPrefix& subnet, const Surroundings& around) {
    for (const auto& other : around.networks) {
        for (const auto& text : {other.subnet4, other.subnet6}) {
            const auto taken = parse_prefix(text);
            if (taken && overlap(*taken, subnet))
                refuse(network,
                       "subnet " + to_text(subnet) + " overlaps with " + text + " of network " +
                           other.name);
        }
    }
    // With a driver it is the outside's own subnet, to which the machine has a route.
    if (is_bridge(network) &&
        std::find(around.routes.begin(), around.routes.end(), subnet) != around.routes.end())
        refuse(network,
               "subnet " + to_text(subnet) +
                   " is in use on this machine (see `ip route`); choose another");
}

Half half_from_pool(const Network& network, const IpamPool& pool, const Surroundings& around) {
    const IpPrefix given = *parse_prefix(pool.subnet);
    const IpPrefix subnet{first_address(given), given.length};
    if (bit_count(subnet.address.family) - subnet.length < 2)
        refuse(network, "subnet " + pool.subnet + " has no room for a gateway and a container");
    check_free(network, subnet, around);
    if (const auto range = parse_prefix(pool.ip_range);
        !pool.ip_range.empty() &&
        (!range || range->length < subnet.length || !contains(subnet, range->address)))
        refuse(network, "ip_range " + pool.ip_range + " is not a part of " + to_text(subnet));
    for (const auto& [name, address] : pool.aux_addresses)
        static_cast<void>(address_in(network, "auxiliary address " + name, address, subnet));
    const IpAddress gateway = pool.gateway.empty()
                                  ? advance(subnet.address, 1)
                                  : address_in(network, "gateway", pool.gateway, subnet);
    return {subnet, gateway, pool.ip_range};
}

std::vector<IpPrefix> taken_prefixes(const Surroundings& around) {
    std::vector<IpPrefix> taken = around.routes;
    for (const auto& server : around.servers)
        taken.push_back({server, bit_count(server.family)});
    for (const auto& network : around.networks) {
        for (const auto& text : {network.subnet4, network.subnet6}) {
            if (const auto subnet = parse_prefix(text))
                taken.push_back(*subnet);
        }
    }
    return taken;
}

Half chosen_half(const std::string& instance,
                 const Network& network,
                 Family family,
                 const Surroundings& around) {
    const std::string seed = instance + "/" + network.name;
    const auto taken = taken_prefixes(around);
    if (family == Family::v6) {
        const IpPrefix subnet = choose_subnet6(seed, taken);
        return {subnet, advance(subnet.address, 1), {}};
    }
    const auto subnet = choose_subnet4(seed, taken);
    if (!subnet)
        refuse(network,
               "no /22 of 10.0.0.0/8 and 172.16.0.0/12 is free of the routes of this machine; give "
               "it a subnet "
               "(ipam: config: - subnet: …)");
    return {*subnet, advance(subnet->address, 1), {}};
}

int mtu_of(const Network& network, const Surroundings& around) {
    const auto option = network.driver_opts.find(mtu_option);
    if (option == network.driver_opts.end())
        return is_bridge(network) ? around.uplink_mtu : 0;
    const auto mtu = parse_number<int>(option->second);
    if (!mtu || *mtu < 68 || *mtu > 65535)  // RFC 791's least; the kernel's most for a bridge
        refuse(network,
               std::string(mtu_option) + " is a number from 68 to 65535, not \"" + option->second +
                   "\"");
    return *mtu;
}

/// As the kernel has it (dev_valid_name); that of loopback is taken everywhere.
bool is_interface_name(const std::string& name) {
    constexpr std::size_t longest = 15;  // IFNAMSIZ - 1
    return !name.empty() && name.size() <= longest && name[0] != '.' && name != "lo" &&
           name != "all" && name != "default" &&  // of /proc/sys/net, each means several
           name.find_first_of("/ :\"") == std::string::npos;
}

std::string bridge_of(const Network& network, const std::string& hash) {
    const auto option = network.driver_opts.find(bridge_option);
    if (option == network.driver_opts.end())
        return "stk" + hash;
    const std::string& name = option->second;
    if (!is_interface_name(name))
        refuse(network,
               "\"" + name +
                   "\" cannot be the name of a bridge: 1 to 15 characters without blank, / and :");
    return name;
}

std::vector<IpAddress> addresses(const std::vector<Lease>& leases, Family family, bool held) {
    std::vector<IpAddress> list;
    for (const auto& lease : leases) {
        const auto address = parse_ip(family == Family::v4 ? lease.address4 : lease.address6);
        if (address && !lease.container.empty() == held)
            list.push_back(*address);
    }
    return list;
}

/// A request for one address in one family.
struct Wish {
    std::string fixed;       // from the stack file
    std::string remembered;  // what the replica had before
    Strings avoided;         // not for it
};

std::string fixed_address(const StoredNetwork& network,
                          const AddressRange& range,
                          const std::vector<Lease>& leases,
                          const std::string& text) {
    const auto address = parse_ip(text);
    const std::string in =
        " in network " + network.record.name + " (" + to_text(range.subnet) + ")";
    if (!address || !contains(range.subnet, *address))
        throw Error("\"" + text + "\" is not an address" + in);
    if (!is_usable(range, *address))
        throw Error("address " + text + " is reserved" + in);
    for (const auto& lease : leases) {
        if (!lease.container.empty() &&
            (lease.address4 == to_text(*address) || lease.address6 == to_text(*address)))
            throw Error("address " + text + in + " is held by " + holder(lease));
    }
    return to_text(*address);
}

std::string choose(const StoredNetwork& network,
                   Family family,
                   const std::vector<Lease>& leases,
                   const Wish& wish) {
    const auto range = address_range(network, family);
    if (!range && !wish.fixed.empty())
        throw Error("address " + wish.fixed + ": network " + network.record.name +
                    " has no such family");
    if (!range)
        return {};
    if (!wish.fixed.empty())
        return fixed_address(network, *range, leases, wish.fixed);
    auto held = addresses(leases, family, true);
    for (const auto& text : wish.avoided)
        if (const auto address = parse_ip(text))
            held.push_back(*address);
    const auto before = parse_ip(wish.remembered);
    if (before && contains(range->range, *before) && is_usable(*range, *before) &&
        std::find(held.begin(), held.end(), *before) == held.end())
        return to_text(*before);
    const auto address = choose_address(*range, held, addresses(leases, family, false));
    if (!address)
        throw Error("network " + network.record.name + " has no address left in " +
                    to_text(range->range) + "; give it a larger subnet");
    return to_text(*address);
}

/// For what people give to one interface of a container, and nobody looks at before.
void check_interface(const NetworkAttachment& wanted) {
    const auto mac = sys::parse_mac(wanted.mac_address);
    if (!wanted.mac_address.empty() && !mac)
        throw Error("\"" + wanted.mac_address +
                    "\" is not a hardware address such as 02:42:0a:00:00:02");
    if (mac && (static_cast<unsigned char>((*mac)[0]) & 1U) != 0)
        throw Error("hardware address " + wanted.mac_address +
                    " is one of a group (its first byte is odd); no interface can have it");
    if (!wanted.interface_name.empty() && !is_interface_name(wanted.interface_name))
        throw Error("\"" + wanted.interface_name +
                    "\" cannot be the name of a container's interface: 1 to 15 characters without "
                    "blank, / and :, and not lo");
}

/// With the lengths of their ranges (RFC 3927, RFC 4291 section 2.5.6).
Strings link_local_addresses(const NetworkAttachment& wanted) {
    static const IpPrefix range4 = *parse_prefix("169.254.0.0/16");
    static const IpPrefix range6 = *parse_prefix("fe80::/10");
    constexpr int length6 = 64;
    Strings addresses;
    for (const auto& text : wanted.link_local_ips) {
        const auto address = parse_ip(text);
        if (!address || !(contains(range4, *address) || contains(range6, *address)))
            throw Error("\"" + text +
                        "\" is not a link-local address: these are in 169.254.0.0/16 and "
                        "fe80::/10");
        addresses.push_back(
            to_text(IpPrefix{*address, address->family == Family::v4 ? range4.length : length6}));
    }
    return addresses;
}

std::string with_length(const std::string& address, const std::string& subnet) {
    return address.empty() ? "" : address + "/" + split_once(subnet, '/').second;
}

}  // namespace

StoredNetwork layout_for(const std::string& instance,
                         const std::string& project,
                         const Network& network,
                         const std::string& config_digest,
                         const Surroundings& around) {
    check_name(network.name);
    check_driver(network);
    const std::string hash = sha256_hex(network.name + "@" + instance).substr(0, 8);
    StoredNetwork stored;
    NetworkRecord& record = stored.record;
    record.name = network.name;
    record.project = project;
    record.key = network.key;
    record.config_digest = config_digest;
    if (is_bridge(network))
        record.bridge = bridge_of(network, hash);
    else
        lay_on_parent(network, record);
    // Below 2^30 lie the groups that people number by hand; above, the kernel's types for it differ
    // in their sign.
    record.group = (static_cast<std::uint32_t>(std::stoul(hash, nullptr, 16)) >> 2U) | (1U << 30U);
    record.mtu = mtu_of(network, around);
    record.internal = network.internal;
    record.attachable = network.attachable;
    record.options = network.driver_opts;
    record.labels = network.labels;
    for (const Family family : {Family::v4, Family::v6}) {
        const bool v4 = family == Family::v4;
        const IpamPool* pool = find_pool(network, family);
        if (v4 ? !network.enable_ipv4 : !network.enable_ipv6)
            continue;
        const Half half = pool != nullptr ? half_from_pool(network, *pool, around)
                                          : chosen_half(instance, network, family, around);
        (v4 ? record.subnet4 : record.subnet6) = to_text(half.subnet);
        (v4 ? record.gateway4 : record.gateway6) = to_text(half.gateway);
        (v4 ? stored.range4 : stored.range6) = half.range;
        if (pool != nullptr)
            stored.reserved.insert(pool->aux_addresses.begin(), pool->aux_addresses.end());
    }
    return stored;
}

std::optional<AddressRange> address_range(const StoredNetwork& network, Family family) {
    const bool v4 = family == Family::v4;
    const auto subnet = parse_prefix(v4 ? network.record.subnet4 : network.record.subnet6);
    if (!subnet)
        return std::nullopt;
    AddressRange range{
        *subnet, parse_prefix(v4 ? network.range4 : network.range6).value_or(*subnet), {}};
    if (const auto gateway = parse_ip(v4 ? network.record.gateway4 : network.record.gateway6))
        range.reserved.push_back(*gateway);
    for (const auto& [name, text] : network.reserved) {
        if (const auto address = parse_ip(text))
            range.reserved.push_back(*address);
    }
    return range;
}

Lease lease_for(const StoredNetwork& network,
                const std::vector<Lease>& leases,
                const std::string& container,
                const std::string& key,
                const NetworkAttachment& wanted,
                const Strings& avoided) {
    const auto held = std::count_if(
        leases.begin(), leases.end(), [](const Lease& lease) { return !lease.container.empty(); });
    if (network.record.driver.empty() && static_cast<std::size_t>(held) >= model::bridge_ports)
        throw Error(
            "network " + network.record.name + " has " + std::to_string(held) +
            " containers, and a bridge carries no more; spread the replicas over several networks");
    Lease remembered;
    for (const auto& lease : leases) {
        if (lease.container.empty() && !key.empty() && lease.key == key)
            remembered = lease;
    }
    return {
        choose(network, Family::v4, leases, {wanted.ipv4_address, remembered.address4, avoided}),
        choose(network, Family::v6, leases, {wanted.ipv6_address, remembered.address6, avoided}),
        container,
        key,
        wanted.mac_address};
}

Endpoint endpoint_for(const std::string& instance,
                      const NetworkRecord& network,
                      const Lease& lease,
                      const NetworkAttachment& wanted,
                      int index) {
    check_interface(wanted);
    Endpoint endpoint;
    endpoint.network = network.name;
    endpoint.bridge = network.bridge;
    endpoint.driver = network.driver;
    endpoint.mode = network.mode;
    endpoint.group = network.group;
    endpoint.host_name = veth_name(lease.container, network.name);
    endpoint.name =
        wanted.interface_name.empty() ? "eth" + std::to_string(index) : wanted.interface_name;
    endpoint.alias = alias_prefix(instance) + holder(lease);
    endpoint.mac = wanted.mac_address;
    if (network.driver == "ipvlan" && !endpoint.mac.empty())
        throw Error("hardware address " + endpoint.mac + ": in network " + network.name +
                    " all have that of " + network.parent + " (ipvlan); leave mac_address out");
    if (endpoint.mac.empty() && network.driver != "ipvlan")
        endpoint.mac = mac_of(lease);
    endpoint.address4 = with_length(lease.address4, network.subnet4);
    endpoint.address6 = with_length(lease.address6, network.subnet6);
    endpoint.link_local = link_local_addresses(wanted);
    endpoint.internal = network.internal;
    if (!network.internal) {
        endpoint.gateway4 = network.gateway4;
        endpoint.gateway6 = network.gateway6;
    }
    if (network.driver == "ipvlan" && network.mode != IPVLAN_MODE_L2) {
        // The parent routes what leaves: there is no neighbour to hand it to.
        endpoint.gateway4 = network.gateway4.empty() ? "" : "0.0.0.0";
        endpoint.gateway6 = network.gateway6.empty() ? "" : "::";
    }
    endpoint.mtu = network.mtu;
    return endpoint;
}

std::string alias_prefix(const std::string& instance) {
    return "stack:" + instance + ":";
}

std::string bridge_alias(const std::string& instance, const std::string& network) {
    return alias_prefix(instance) + "network:" + network;
}

std::string veth_name(const std::string& container, const std::string& network) {
    return std::string(veth_prefix) + sha256_hex(container + "/" + network).substr(0, 12);
}

std::string mac_of(const Lease& lease) {
    if (!lease.mac.empty())
        return lease.mac;
    const auto address = parse_ip(lease.address4.empty() ? lease.address6 : lease.address4);
    return address ? mac_for(*address) : "";
}

std::string holder(const Lease& lease) {
    constexpr std::size_t short_id = 12;
    return lease.key.empty() ? "container " + lease.container.substr(0, short_id) : lease.key;
}

}  // namespace stack::network
