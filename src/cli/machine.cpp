#include "cli/machine.h"

#include <stack/error.h>

#include "base/text.h"
#include "engine/cgroup/cgroup.h"
#include "engine/network/layout.h"
#include "engine/network/record.h"
#include "engine/network/sockets.h"
#include "engine/network/table.h"
#include "sys/file.h"
#include "sys/filesystem.h"
#include "sys/netlink.h"
#include "sys/nft_batch.h"
#include "sys/process.h"

#include <algorithm>
#include <set>

#include <linux/netlink.h>
#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

std::string read_trimmed(const std::string& path) {
    return std::string(trim(sys::read_file(path).value_or("")));
}

/// To write nothing changes nothing.
bool can_write(const std::string& path) {
    return sys::try_write_existing(path, "") == 0;
}

Strings missing_namespaces() {
    Strings missing;
    for (const auto* name : {"mnt", "net", "pid", "ipc", "uts", "cgroup"})
        if (!sys::exists(std::string("/proc/self/ns/") + name))
            missing.emplace_back(name);
    return missing;
}

/// Loaded, built in, or there to be loaded at the first mount.
bool has_overlayfs(const std::string& kernel) {
    if (sys::read_file("/proc/filesystems").value_or("").find("\toverlay\n") != std::string::npos)
        return true;
    const std::string modules = "/lib/modules/" + kernel + "/modules.dep";
    return sys::read_file(modules).value_or("").find("/overlay.ko") != std::string::npos;
}

std::string mode_name(cgroup::Mode mode) {
    switch (mode) {
        case cgroup::Mode::none:
            return "no cgroups are mounted";
        case cgroup::Mode::v1:
            return "v1";
        case cgroup::Mode::hybrid:
            return "v1 and v2 (hybrid)";
        case cgroup::Mode::v2:
            return "v2";
    }
    return {};
}

/// Who has port 53 where containers of this instance would ask; without a network, where those of
/// its first would.
Strings port_holders(const std::vector<network::StoredNetwork>& networks) {
    constexpr std::uint16_t dns = 53;
    std::set<std::string> gateways;
    for (const auto& network : networks)
        for (const auto& gateway : {network.record.gateway4, network.record.gateway6})
            if (!gateway.empty())
                gateways.insert(gateway);
    if (gateways.empty())
        gateways.insert("10.0.0.1");
    std::set<std::string> holders;
    for (const auto& gateway : gateways)
        for (const auto protocol : {Protocol::udp, Protocol::tcp}) {
            const auto address = parse_ip(gateway);
            const auto owner =
                address ? network::find_owner({*address}, protocol, dns) : std::nullopt;
            if (owner && owner->program != "stack-dns")
                holders.insert(std::string("port 53/") +
                               (protocol == Protocol::udp ? "udp" : "tcp") + " is in use by " +
                               owner->program + " (pid " + std::to_string(owner->pid) + ")");
        }
    return {holders.begin(), holders.end()};
}

Disk disk_under(const std::string& root) {
    std::string path = root;
    while (!sys::exists(path) && path != "/")
        path = sys::parent_path(path);
    const auto seen = sys::filesystem_of(path);
    return {root,
            seen.type,
            seen.size,
            seen.available,
            seen.inodes,
            seen.free_inodes,
            seen.is_read_only};
}

/// Links that carry this instance's name and no network of it has.
Strings stray_links(const Paths& paths, const std::vector<network::StoredNetwork>& networks) {
    std::set<std::uint32_t> groups;
    for (const auto& network : networks)
        groups.insert(network.record.group);
    Strings strays;
    sys::RouteSocket routes;
    for (const auto& link : routes.links())
        if (link.alias.starts_with(network::alias_prefix(paths.instance)) &&
            !groups.contains(link.group))
            strays.push_back("link " + link.name);
    return strays;
}

/// What the rules of others do is told by nft(8), whose words do not change with the kernel.
void look_at_rules_of_others(const std::vector<network::StoredNetwork>& networks,
                             Machine& machine) {
    const Strings places{"/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft", "/usr/bin/nft"};
    const auto program = std::find_if(places.begin(), places.end(), sys::exists);
    if (program == places.end()) {
        machine.unread_rules = "the program nft is not there (package nftables)";
        return;
    }
    const auto [status, ruleset] = sys::run_and_capture(*program, {"nft", "-j", "list", "ruleset"});
    std::vector<network::NetworkRecord> records;
    for (const auto& network : networks)
        records.push_back(network.record);
    if (status == 0)
        machine.obstacles = network::obstacles(ruleset, network::table_name(""), records);
    else
        machine.unread_rules = "`nft list ruleset` ended with " + std::to_string(status);
}

/// What is said of the packet filter, as far as it can be used.
void look_at_tables(const Paths& paths,
                    const std::vector<network::StoredNetwork>& networks,
                    Machine& machine) {
    try {
        sys::NetlinkSocket filter(NETLINK_NETFILTER);
        const auto tables = sys::list_nft_tables(filter);
        const auto is_own = [](const std::string& table) {
            return table.starts_with("inet " + network::table_name("")) ||
                   table.starts_with("bridge " + network::table_name(""));
        };
        const std::string own = "inet " + network::table_name(paths.instance);
        const bool is_there = std::count(tables.begin(), tables.end(), own) != 0;
        machine.has_rules = networks.empty() || is_there;
        if (networks.empty() && is_there && machine.damaged.empty())
            machine.leftovers.push_back("table " + own);
        if (!std::all_of(tables.begin(), tables.end(), is_own))
            look_at_rules_of_others(networks, machine);
    } catch (const Error& error) {
        machine.nft_refusal = error.what();
    }
}

/// Of networks, containers and images.
Strings damaged_records(const Paths& paths) {
    Strings files = network::damaged_records(paths);
    const auto is_json = [](const std::string& text) { return nlohmann::json::accept(text); };
    for (const auto& id : sys::list_subdirectories(paths.state + "/containers")) {
        const std::string file = paths.state + "/containers/" + id + "/config.json";
        if (const auto text = sys::read_file(file); text && !is_json(*text))
            files.push_back(file);
    }
    const std::string index = paths.state + "/images/index.json";
    if (const auto text = sys::read_file(index); text && !is_json(*text))
        files.push_back(index);
    return files;
}

}  // namespace

Machine look_at_machine(const Paths& paths) {
    const auto networks = network::load_stored(paths);
    const cgroup::Cgroups cgroups;
    Machine machine;
    machine.kernel = read_trimmed("/proc/sys/kernel/osrelease");
    machine.missing_namespaces = missing_namespaces();
    machine.has_seccomp = sys::exists("/proc/sys/kernel/seccomp/actions_avail");
    machine.has_overlayfs = has_overlayfs(machine.kernel);
    machine.cgroups = mode_name(cgroups.mode());
    machine.controllers = cgroups.controllers();
    machine.damaged = damaged_records(paths);
    if (machine.damaged.empty())  // what belongs to one of these would look like nobody's
        machine.leftovers = stray_links(paths, networks);
    look_at_tables(paths, networks, machine);
    machine.has_legacy_filter =
        ("\n" + sys::read_file("/proc/net/ip_tables_names").value_or("")).find("\nfilter\n") !=
        std::string::npos;
    const std::string forwarding = "/proc/sys/net/ipv4/ip_forward";
    machine.forwards = read_trimmed(forwarding) == "1";
    machine.can_set_forwarding = can_write(forwarding);
    machine.port_holders = port_holders(networks);
    machine.disk = disk_under(paths.state);
    return machine;
}

}  // namespace stack::cli
