#include "engine/network/networks.h"

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/ip.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/network/elements.h"
#include "engine/network/kernel.h"
#include "engine/network/layout.h"
#include "engine/network/record.h"
#include "engine/network/wanted_tables.h"
#include "sys/conntrack.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include <net/if.h>

namespace stack::network {
namespace {

/// How many released leases a network remembers, so that a replica gets its address again.
constexpr std::size_t most_remembered = 1024;

sys::Lock lock_networks(const Paths& paths) {
    sys::ensure_directory(networks_directory(paths), 0700);
    return sys::Lock::acquire(networks_directory(paths) + "/lock");
}

Surroundings look_around(const Paths& paths, Kernel& kernel) {
    Surroundings around;
    for (const auto& route : kernel.routes().routes())
        around.routes.push_back(route.destination);
    for (const auto& line : split(sys::read_file("/etc/resolv.conf").value_or(""), '\n')) {
        const auto [word, rest] = split_once(line, ' ');
        if (const auto server = parse_ip(trim(rest)); word == "nameserver" && server)
            around.servers.push_back(*server);
    }
    around.networks = records(load_stored(paths));
    around.uplink_mtu = kernel.uplink_mtu();
    return around;
}

Strings holders(const std::vector<Lease>& leases) {
    Strings names;
    for (const auto& lease : leases) {
        if (!lease.container.empty())
            names.push_back(holder(lease));
    }
    return names;
}

std::vector<Lease>::iterator find_held(std::vector<Lease>& leases, const std::string& container) {
    return std::find_if(leases.begin(), leases.end(), [&](const Lease& lease) {
        return lease.container == container;
    });
}

std::vector<IpPrefix> hosts_of(const Lease& lease) {
    std::vector<IpPrefix> hosts;
    for (const auto& text : {lease.address4, lease.address6})
        if (const auto address = parse_ip(text))
            hosts.push_back({*address, bit_count(address->family)});
    return hosts;
}

/// Whether an address of the lease was last that of another key, which is remembered: a static one,
/// or one of a range that has no fresh ones.
bool was_anothers(const std::vector<Lease>& leases, const Lease& lease) {
    const auto is_same = [](const std::string& one, const std::string& other) {
        return !one.empty() && one == other;
    };
    return std::any_of(leases.begin(), leases.end(), [&](const Lease& other) {
        return other.container.empty() && other.key != lease.key &&
               (is_same(other.address4, lease.address4) || is_same(other.address6, lease.address6));
    });
}

/// Turns a lease into a memory of it.
void release_lease(std::vector<Lease>& leases, std::vector<Lease>::iterator found) {
    Lease released = *found;
    leases.erase(found);
    released.container.clear();
    std::erase_if(leases, [&](const Lease& lease) {
        return lease.container.empty() && lease.key == released.key;
    });
    if (!released.key.empty())
        leases.push_back(released);  // the oldest memories come first, and go first
    const auto is_memory = [](const Lease& lease) { return lease.container.empty(); };
    if (static_cast<std::size_t>(std::count_if(leases.begin(), leases.end(), is_memory)) >
        most_remembered)
        leases.erase(std::find_if(leases.begin(), leases.end(), is_memory));
}

/// UDP ports that lead elsewhere after the change than before.
std::vector<sys::UdpPort> changed_udp_ports(const Publication& before, const Publication& after) {
    const bool moved = before.address4 != after.address4 || before.address6 != after.address6;
    const auto has = [](const Publication& publication, const PublishedPort& port) {
        return std::find(publication.ports.begin(), publication.ports.end(), port) !=
               publication.ports.end();
    };
    std::vector<sys::UdpPort> changed;
    const auto add_from = [&](const Publication& one, const Publication& other) {
        for (const auto& port : one.ports) {
            if (port.protocol == Protocol::udp && (moved || !has(other, port)))
                changed.push_back({parse_ip(port.host_ip), port.port});
        }
    };
    add_from(before, after);
    add_from(after, before);
    for (auto& port : changed) {
        if (port.host && (to_text(*port.host) == "0.0.0.0" || to_text(*port.host) == "::"))
            port.host.reset();
    }
    return changed;
}

/// The names of the links that the records speak of.
std::set<std::string> recorded_links(const Paths& paths,
                                     const std::vector<StoredNetwork>& networks) {
    std::set<std::string> names;
    for (const auto& network : networks) {
        names.insert(network.record.bridge);
        for (const auto& lease : load_leases(paths, network.record.name)) {
            if (!lease.container.empty())
                names.insert(veth_name(lease.container, network.record.name));
        }
    }
    return names;
}

void remove_strays(const Paths& paths,
                   Kernel& kernel,
                   const std::vector<StoredNetwork>& networks,
                   const std::vector<sys::Link>& links) {
    const auto recorded = recorded_links(paths, networks);
    for (const auto& link : links) {
        if (!link.alias.starts_with(alias_prefix(paths.instance)) || recorded.count(link.name) != 0)
            continue;
        log::info("link " + link.name + " (" + link.alias +
                  ") belongs to no record; it is removed");
        kernel.routes().remove_link(link.index);
    }
}

/// Veths stay where they are when their bridge is deleted; this puts them into the new one.
/// `bridges`: by group.
void reconnect(Kernel& kernel,
               const std::map<std::uint32_t, std::uint32_t>& bridges,
               const std::vector<sys::Link>& links) {
    for (const auto& link : links) {
        const auto bridge = bridges.find(link.group);
        if (bridge != bridges.end() && link.bridge == 0 && link.index != bridge->second)
            kernel.routes().set_bridge(link.index, bridge->second);
    }
}

/// Those with an address in a bridge, and no port of it.
Strings unlinked(const Paths& paths,
                 const std::vector<StoredNetwork>& networks,
                 const std::vector<sys::Link>& links) {
    std::set<std::string> names;
    for (const auto& link : links)
        names.insert(link.name);
    std::set<std::string> containers;
    for (const auto& network : networks) {
        const std::string& name = network.record.name;
        if (!network.record.driver.empty())
            continue;  // its links are the containers'
        for (const auto& lease : load_leases(paths, name))
            if (!lease.container.empty() && !names.contains(veth_name(lease.container, name)))
                containers.insert(lease.container);
    }
    return {containers.begin(), containers.end()};
}

/// Publications of containers that have no address in any network any more.
/// True where there were some.
bool remove_stray_publications(const Paths& paths, const std::vector<StoredNetwork>& networks) {
    std::set<std::string> holding;
    for (const auto& network : networks) {
        for (const auto& lease : load_leases(paths, network.record.name))
            holding.insert(lease.container);
    }
    bool found = false;
    for (const auto& container : publishing_containers(paths)) {
        if (holding.count(container) != 0)
            continue;
        store_publication(paths, container, {});
        found = true;
    }
    return found;
}

}  // namespace

std::string short_title(const std::string& container) {
    constexpr std::size_t short_id = 12;
    return "container " + container.substr(0, short_id);
}

Networks::Networks(const Paths& paths) : paths_(paths) {}

Networks::~Networks() = default;

Kernel& Networks::kernel() {
    if (!kernel_)
        kernel_ = std::make_unique<Kernel>(paths_);
    return *kernel_;
}

std::vector<NetworkRecord> Networks::list() const {
    return records(load_stored(paths_));
}

std::optional<NetworkRecord> Networks::find(const std::string& name) const {
    const auto stored = find_stored(paths_, name);
    return stored ? std::optional(stored->record) : std::nullopt;
}

void Networks::bring_up(const NetworkRecord& network) {
    if (!network.driver.empty()) {
        kernel().require_parent(network);
        return;
    }
    kernel().ensure_bridge(network);
    kernel().change_table(
        {}, elements_for(std::vector{network}), [&] { return whole_table(paths_); });
}

NetworkRecord Networks::ensure(const std::string& project,
                               const Network& network,
                               const std::string& config_digest) {
    if (const auto existing = find(network.name);
        existing && existing->config_digest != config_digest)
        remove(network.name);
    const auto lock = lock_networks(paths_);
    return ensure_locked(project, network, config_digest).record;
}

NetworkRecord Networks::create(const Network& network, const std::string& config_digest) {
    const auto lock = lock_networks(paths_);
    if (find_stored(paths_, network.name))
        throw Error(std::make_error_code(std::errc::file_exists),
                    "network with name " + network.name + " already exists");
    return ensure_locked("", network, config_digest).record;
}

StoredNetwork Networks::ensure_locked(const std::string& project,
                                      const Network& network,
                                      const std::string& config_digest) {
    auto stored = find_stored(paths_, network.name);
    if (!stored) {
        stored = layout_for(
            paths_.instance, project, network, config_digest, look_around(paths_, kernel()));
        if (!stored->record.driver.empty())
            kernel().require_parent(stored->record);
        stored->record.created =
            std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
        // Written first, so that whatever exists has a record: a crash leaves a network to finish,
        // not a residue.
        store(paths_, *stored);
        STACK_FAILPOINT("network.recorded");
    }
    bring_up(stored->record);
    return *stored;
}

void Networks::remove(const std::string& name) {
    const auto lock = lock_networks(paths_);
    const auto stored = find_stored(paths_, name);
    if (!stored)
        return;
    if (const auto names = holders(load_leases(paths_, name)); !names.empty())
        throw Error("network " + name + " is in use by " + stack::join(names, ", ") +
                    "; remove these first");
    remove_locked(*stored);
    if (!stored->record.driver.empty())
        return;  // its packets never came by here
    std::vector<IpPrefix> subnets;
    for (const auto& text : {stored->record.subnet4, stored->record.subnet6})
        if (const auto subnet = parse_prefix(text))
            subnets.push_back(*subnet);
    sys::forget_flows(subnets);
}

void Networks::remove_locked(const StoredNetwork& network) {
    if (network.record.driver.empty())
        kernel().remove_bridge(network.record);
    auto others = load_stored(paths_);
    std::erase(others, network);
    const auto whole = [&] { return whole_table(paths_, others, load_publications(paths_)); };
    if (others.empty())
        kernel().remove_table();
    else
        kernel().change_table(elements_for(std::vector{network.record}), {}, whole);
    remove_stored(paths_, network.record.name);
}

Endpoint Networks::attach(const std::string& name,
                          const std::string& container,
                          const std::string& key,
                          const NetworkAttachment& wanted,
                          int index,
                          const Strings& avoided,
                          const std::vector<PublishedPort>& ports,
                          const TitleOf& title_of) {
    const auto lock = lock_networks(paths_);
    const auto stored = find_stored(paths_, name);
    if (!stored)
        throw Error("network " + name + " does not exist; create it, or bring its stack up");
    return attach_locked(*stored, container, key, wanted, index, avoided, ports, title_of);
}

Endpoint Networks::attach_locked(const StoredNetwork& network,
                                 const std::string& container,
                                 const std::string& key,
                                 const NetworkAttachment& wanted,
                                 int index,
                                 const Strings& avoided,
                                 const std::vector<PublishedPort>& ports,
                                 const TitleOf& title_of) {
    const std::string& name = network.record.name;
    auto leases = load_leases(paths_, name);
    auto own = find_held(leases, container);
    if (own == leases.end()) {
        const Lease lease = lease_for(network, leases, container, key, wanted, avoided);
        if (was_anothers(leases, lease))
            sys::forget_flows(hosts_of(lease));
        own = leases.insert(leases.end(), lease);
        append_lease(paths_, name, *own);
        STACK_FAILPOINT("ipam.reserve");
    } else if (own->mac != wanted.mac_address) {
        own->mac = wanted.mac_address;
        store_leases(paths_, name, leases);
    }
    if (network.record.driver.empty()) {
        const Elements wire = elements_for(std::vector{wire_for(network.record, *own)});
        if (ports.empty())
            kernel().change_table({}, wire, [&] { return whole_table(paths_); });
        else
            replace_publication(container, {own->address4, own->address6, ports}, wire, title_of);
    }
    Endpoint endpoint = endpoint_for(paths_.instance, network.record, *own, wanted, index);
    endpoint.bridge_index = if_nametoindex(network.record.link().c_str());
    if (endpoint.bridge_index == 0) {  // the machine was booted since, or somebody deleted it
        bring_up(network.record);
        endpoint.bridge_index = if_nametoindex(network.record.link().c_str());
    }
    return endpoint;
}

Endpoint Networks::join(const Network& network, const std::string& container) {
    const auto lock = lock_networks(paths_);
    return attach_locked(ensure_locked("", network, ""), container, "", {}, 0, {}, {}, short_title);
}

void Networks::leave(const std::string& network, const std::string& container) {
    const auto lock = lock_networks(paths_);
    const auto stored = find_stored(paths_, network);
    if (!stored)
        return;
    release_locked({network}, container, {});
    if (holders(load_leases(paths_, network)).empty())
        remove_locked(*stored);
}

void Networks::detach(const std::string& network, const std::string& container) {
    const auto lock = lock_networks(paths_);
    if (const auto link = kernel().routes().find_link(veth_name(container, network)))
        kernel().routes().remove_link(link->index);
    auto leases = load_leases(paths_, network);
    const auto held = find_held(leases, container);
    if (held == leases.end())
        return;
    // Before the lease goes: whoever is killed in between does all of it again.
    sys::forget_flows(hosts_of(*held));
    release_locked({network}, container, {});
}

void Networks::release(const std::string& container) {
    const auto lock = lock_networks(paths_);
    const Publication published = load_publication(paths_, container);
    release_locked(stored_names(paths_), container, published);
    sys::forget_flows(changed_udp_ports(published, {}));
}

/// In the kernel first: whoever is killed in between does all of it again, and nothing leads to an
/// address that may be another's already.
void Networks::release_locked(const Strings& networks,
                              const std::string& container,
                              const Publication& published) {
    std::map<std::string, std::vector<Lease>> leases;  // of the networks that it leaves
    std::vector<Wire> wires;
    for (const auto& network : networks) {
        auto all = load_leases(paths_, network);
        const auto own = find_held(all, container);
        if (own == all.end())
            continue;
        if (const auto stored = find_stored(paths_, network); stored->record.driver.empty())
            wires.push_back(wire_for(stored->record, *own));
        release_lease(all, own);
        leases.emplace(network, std::move(all));
    }
    Elements gone = elements_for(wires);
    add_elements(gone, elements_for(published));
    kernel().change_table(gone, {}, [&] {
        Elements all = whole_table(paths_);
        remove_elements(all, gone);
        return all;
    });
    STACK_FAILPOINT("nft.published");
    if (!published.ports.empty())
        store_publication(paths_, container, {});
    STACK_FAILPOINT("ipam.free");
    for (const auto& [network, left] : leases)
        store_leases(paths_, network, left);
}

/// In the kernel first: what is refused there must not be on record.
void Networks::replace_publication(const std::string& container,
                                   const Publication& after,
                                   const Elements& added,
                                   const TitleOf& title_of) {
    const Publication before = load_publication(paths_, container);
    Elements wanted = elements_for(after);
    add_elements(wanted, added);
    kernel().change_table(elements_for(before), wanted, [&] {
        // Last: who has a port already is not the one to blame.
        auto others = load_publications(paths_);
        others.erase(container);
        Owners owners;
        Elements all = whole_table(paths_, load_stored(paths_), others, owners);
        add_publication(all, owners, container, after, title_of);
        return all;
    });
    STACK_FAILPOINT("nft.published");
    if (before == after)
        return;
    store_publication(paths_, container, after);
    sys::forget_flows(changed_udp_ports(before, after));
}

void Networks::publish(const std::string& container,
                       const Endpoint& endpoint,
                       const std::vector<PublishedPort>& ports,
                       const TitleOf& title_of) {
    const auto lock = lock_networks(paths_);
    replace_publication(
        container,
        {split_once(endpoint.address4, '/').first, split_once(endpoint.address6, '/').first, ports},
        {},
        title_of);
}

void Networks::unpublish(const std::string& container) {
    const auto lock = lock_networks(paths_);
    if (!load_publication(paths_, container).ports.empty())
        replace_publication(container, {}, {}, short_title);
}

Strings Networks::reconcile() {
    const auto lock = lock_networks(paths_);
    const auto networks = load_stored(paths_);
    std::map<std::uint32_t, std::uint32_t> bridges;
    for (const auto& network : networks)
        if (network.record.driver.empty())
            bridges[network.record.group] = kernel().ensure_bridge(network.record);
    const auto links = kernel().routes().links();
    reconnect(kernel(), bridges, links);
    if (const auto damaged = damaged_records(paths_); !damaged.empty()) {
        log::warn(stack::join(damaged, ", ") +
                  ": damaged; nothing is taken away for a stray, ignoring");
        return {};  // what belongs to that network would look like nobody's
    }
    remove_strays(paths_, kernel(), networks, links);
    if (remove_stray_publications(paths_, networks))
        kernel().distrust_table();
    const auto publications = load_publications(paths_);
    // A flow that began while the rules were gone would never be led where it should be.
    if (kernel().reconcile_table([&] { return whole_table(paths_, networks, publications); }))
        for (const auto& [container, publication] : publications)
            sys::forget_flows(changed_udp_ports({}, publication));
    return unlinked(paths_, networks, links);
}

}  // namespace stack::network
