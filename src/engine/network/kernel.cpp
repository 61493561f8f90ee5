#include "engine/network/kernel.h"

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/network/address_pool.h"
#include "engine/network/layout.h"
#include "engine/network/table.h"
#include "sys/file.h"
#include "sys/poll.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <linux/netlink.h>

namespace stack::network {
namespace {

/// `name` below /proc/sys/net has the value. What the kernel does not have (no IPv6) needs no
/// setting.
void ensure_setting(const std::string& name, std::string_view value) {
    const std::string path = "/proc/sys/net/" + name;
    const auto current = sys::read_file(path);
    // Writing ip_forward, even the value it has, resets other settings (ip-sysctl.rst).
    if (current && trim(*current) != value)
        sys::write_existing(path, value);
}

/// A machine that forwards IPv6 stops taking its own default route from router advertisements
/// unless told (accept_ra=2, ip-sysctl.rst).
void ensure_ipv6_forwarding() {
    for (const auto& link : sys::list_directory("/proc/sys/net/ipv6/conf")) {
        const std::string name = "ipv6/conf/" + link + "/accept_ra";
        if (link != "all" && trim(sys::read_file("/proc/sys/net/" + name).value_or("")) == "1")
            try {
                ensure_setting(name, "2");
            } catch (const Error& error) {
                if (error.code() != std::errc::no_such_file_or_directory)
                    throw;
                // The link has gone meanwhile.
            }
    }
    ensure_setting("ipv6/conf/all/forwarding", "1");
}

void ensure_bridge_settings(const NetworkRecord& network) {
    const std::string conf4 = "ipv4/conf/" + network.bridge;
    const std::string conf6 = "ipv6/conf/" + network.bridge;
    ensure_setting("ipv4/ip_forward", "1");
    ensure_setting(conf4 + "/route_localnet",
                   "1");  // 127.0.0.1:PORT of the host leads into the bridge
    ensure_setting(conf4 + "/rp_filter",
                   "2");  // answers of a container with several networks may cross
    ensure_setting(conf6 + "/accept_ra", "0");  // no container is our router (CVE-2020-13401)
    ensure_setting(conf6 + "/accept_dad",
                   "0");  // the gateway is ours, no need to ask around for a second
    ensure_setting(conf6 + "/disable_ipv6", network.subnet6.empty() ? "1" : "0");
    if (!network.subnet6.empty())
        ensure_ipv6_forwarding();
}

IpPrefix interface_address(const std::string& gateway, const std::string& subnet) {
    return {*parse_ip(gateway), parse_prefix(subnet)->length};
}

sys::Bridge bridge_for(const std::string& instance, const NetworkRecord& network) {
    const auto gateway = parse_ip(network.gateway4.empty() ? network.gateway6 : network.gateway4);
    return {.name = network.bridge,
            .alias = bridge_alias(instance, network.name),
            .group = network.group,
            .mtu = static_cast<std::uint32_t>(network.mtu),
            .mac = mac_for(gateway.value_or(IpAddress{}))};
}

}  // namespace

Kernel::Kernel(const Paths& paths)
    : instance_(paths.instance), table_(table_name(paths.instance)), filter_(NETLINK_NETFILTER) {}

int Kernel::uplink_mtu() {
    constexpr int ethernet = 1500;
    std::uint32_t uplink = 0;
    for (const auto& route : routes_.routes()) {
        if (route.destination.length == 0 && route.link != 0) {
            uplink = route.link;
            break;
        }
    }
    for (const auto& link : routes_.links()) {
        if (uplink != 0 && link.index == uplink)
            return static_cast<int>(link.mtu);
    }
    return ethernet;
}

std::uint32_t Kernel::ensure_bridge(const NetworkRecord& network) {
    const sys::Bridge wanted = bridge_for(instance_, network);
    auto link = routes_.find_link(network.bridge);
    // A bridge of our group without an alias is ours as well: its maker died between the two.
    if (link && (link->kind != "bridge" || link->group != network.group ||
                 (!link->alias.empty() && link->alias != wanted.alias)))
        throw Error("network " + network.name + " cannot be made: there is a link " +
                    network.bridge +
                    " that belongs to somebody else; remove it, or choose another " +
                    "name with com.docker.network.bridge.name");
    if (!link) {
        STACK_FAILPOINT("bridge.create");
        routes_.make_bridge(wanted);
        link = routes_.find_link(network.bridge);
        if (!link)
            throw Error("bridge " + network.bridge + " vanished while it was made");
    } else if (link->alias.empty()) {
        routes_.set_alias(link->index, wanted.alias);
    }
    ensure_bridge_settings(network);
    STACK_FAILPOINT("bridge.addr");
    if (!network.subnet4.empty())
        routes_.ensure_address(link->index, interface_address(network.gateway4, network.subnet4));
    if (!network.subnet6.empty())
        routes_.ensure_address(link->index, interface_address(network.gateway6, network.subnet6));
    if (!link->up)
        routes_.set_up(link->index);
    return link->index;
}

void Kernel::require_parent(const NetworkRecord& network) {
    if (!routes_.find_link(network.parent))
        throw Error("network " + network.name + ": there is no interface " + network.parent +
                    " for its `parent` to be (see `ip link`)");
}

void Kernel::remove_bridge(const NetworkRecord& network) {
    STACK_FAILPOINT("bridge.remove");
    routes_.remove_group(network.group);
}

void Kernel::change_table(const Elements& before,
                          const Elements& after,
                          const std::function<Elements()>& whole) {
    sys::NftBatch edits = table_edits(table_, before, after, guards_bridges_);
    if (edits.empty())
        return;
    STACK_FAILPOINT("nft.commit");
    const std::string refusal = edits.try_commit(filter_);
    if (refusal.empty())
        return;
    log::debug("table " + table_ + " is made anew: " + refusal);
    replace_table(whole());
}

void Kernel::replace_table(const Elements& whole) {
    std::string refusal = table_replacement(table_, whole, guards_bridges_).try_commit(filter_);
    if (guards_bridges_ && refusal.starts_with(std::strerror(EOPNOTSUPP))) {
        guards_bridges_ = false;
        log::warn(
            "the kernel filters nothing on bridges (CONFIG_NF_TABLES_BRIDGE, "
            "CONFIG_NFT_BRIDGE_META): a container "
            "with NET_RAW can pass itself off as its neighbours");
        refusal = table_replacement(table_, whole, guards_bridges_).try_commit(filter_);
    }
    if (!refusal.empty())
        throw Error("set up the packet filter (table inet " + table_ + "): " + refusal +
                    "; is this program privileged, and nf_tables in the kernel?");
    STACK_FAILPOINT("nft.committed");
}

bool Kernel::is_table_right(const Elements& whole) {
    const auto is_right = [&](sys::NftFamily family) {
        return whole.empty() ? !sys::list_nft_table(filter_, table_, family)
                             : is_table_in_force(filter_, table_, whole, family);
    };
    return is_right(sys::NftFamily::inet) && (!guards_bridges_ || is_right(sys::NftFamily::bridge));
}

bool Kernel::reconcile_table(const std::function<Elements()>& wanted) {
    const std::uint32_t generation = sys::nft_generation(filter_);
    if (verified_generation_ == generation)
        return false;
    const Elements whole = wanted();
    const bool right = is_table_right(whole);
    if (!right) {
        log::info("table " + table_ + " was changed by somebody else; it is put right");
        replace_table(whole);
    }
    verified_generation_ = right ? generation : sys::nft_generation(filter_);
    return !right;
}

bool is_table_in_force(sys::NetlinkSocket& filter,
                       const std::string& table,
                       const Elements& elements,
                       sys::NftFamily family) {
    constexpr int looks = 5;
    constexpr std::chrono::milliseconds between{20};
    for (int look = 1;; ++look) {
        const auto listing = sys::list_nft_table(filter, table, family);
        if (!listing)
            return false;
        if (is_in_force(*listing, elements, family))
            return true;
        if (look == looks)
            return false;
        sys::pause(between);
    }
}

}  // namespace stack::network
