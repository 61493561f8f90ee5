// network: networks by their own names, of whichever stack or none.

#include <stack/plan.h>

#include "base/digest.h"
#include "base/ip.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/filters.h"
#include "cli/network_commands.h"
#include "engine/network/address_pool.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace stack::cli {
namespace {

struct Predefined {
    std::string_view name;
    const char* driver;
};

constexpr std::array<Predefined, 3> predefined{
    {{"bridge", ""}, {"host", "host"}, {"none", "null"}}};

bool passes(const Paths& paths,
            const network::StoredNetwork& network,
            const std::string& key,
            const std::string& value) {
    const auto& record = network.record;
    if (key == "name")
        return record.name.find(value) != std::string::npos;
    if (key == "id")
        return network_id(paths, record).starts_with(value);
    if (key == "driver")
        return value == (record.driver.empty() ? "bridge" : record.driver);
    if (key == "dangling")
        return (held_leases(paths, record.name).empty() && !is_predefined(record)) ==
               truth_of(key, value);
    if (key == "type" && value != "custom" && value != "builtin")
        give_up("--filter type is custom or builtin, not \"" + value + "\"");
    if (key == "type")
        return is_predefined(record) == (value == "builtin");
    if (key == "label")
        return has_label(record.labels, value);
    if (key == "label!")
        return !has_label(record.labels, value);
    return is_until(std::chrono::system_clock::from_time_t(record.created), value);
}

}  // namespace

bool is_predefined(const network::NetworkRecord& network) {
    const bool is_name = std::any_of(predefined.begin(), predefined.end(), [&](const auto& known) {
        return known.name == network.name;
    });
    return is_name && (network.project.empty() || network.project == single_containers);
}

std::vector<network::StoredNetwork> all_networks(const Paths& paths) {
    auto networks = network::load_stored(paths);
    for (const auto& [name, driver] : predefined) {
        if (std::any_of(networks.begin(), networks.end(), [&, name = name](const auto& one) {
                return one.record.name == name;
            }))
            continue;
        auto& added = networks.emplace_back();
        added.record.name = name;
        added.record.driver = driver;
    }
    std::sort(networks.begin(), networks.end(), [](const auto& one, const auto& other) {
        return one.record.name < other.record.name;
    });
    return networks;
}

std::string network_id(const Paths& paths, const network::NetworkRecord& network) {
    return sha256_hex(network.name + "@" + paths.instance);
}

std::string mac_of(const Service& service,
                   const std::string& network,
                   const std::string& ipv4,
                   const std::string& ipv6) {
    const auto attachment = service.networks.find(network);
    if (attachment != service.networks.end() && !attachment->second.mac_address.empty())
        return attachment->second.mac_address;
    const auto address = parse_ip(ipv4.empty() ? ipv6 : ipv4);
    return address ? network::mac_for(*address) : "";
}

std::vector<network::Lease> held_leases(const Paths& paths, const std::string& network) {
    auto leases = network::load_leases(paths, network);
    std::erase_if(leases, [](const network::Lease& lease) { return lease.container.empty(); });
    return leases;
}

bool passes_filters(const Paths& paths,
                    const network::StoredNetwork& network,
                    const Strings& filters) {
    return Filters(filters,
                   {"name", "id", "driver", "dangling", "type", "label", "label!", "until"})
        .hold([&](const std::string& key, const std::string& value) {
            return passes(paths, network, key, value);
        });
}

std::optional<network::StoredNetwork> find_network(const Paths& paths, const std::string& name) {
    std::vector<network::StoredNetwork> found;
    for (auto& network : all_networks(paths)) {
        if (network.record.name == name)
            return network;
        if (!name.empty() && network_id(paths, network.record).starts_with(name))
            found.push_back(std::move(network));
    }
    if (found.size() > 1)
        give_up("several networks have an id that begins with " + name);
    return found.empty() ? std::nullopt : std::optional(found.front());
}

network::StoredNetwork require_network(const Paths& paths, const std::string& name) {
    if (const auto network = find_network(paths, name))
        return *network;
    give_up("no such network: " + name + " (see `stack network ls`)");
}

void add_network(CLI::App& app, Context& context) {
    app.require_subcommand(1);
    for (const auto add : {add_network_create,
                           add_network_ls,
                           add_network_inspect,
                           add_network_connect,
                           add_network_disconnect,
                           add_network_rm,
                           add_network_prune})
        add(app, context);
}

}  // namespace stack::cli
