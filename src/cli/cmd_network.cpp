// network: networks by their own names, of whichever stack or none.

#include "base/digest.h"
#include "base/text.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/network_commands.h"

#include <algorithm>
#include <map>

namespace stack::cli {
namespace {

bool passes(const Paths& paths, const network::StoredNetwork& network, const std::string& filter) {
    const auto [key, value] = split_once(filter, '=');
    const auto& record = network.record;
    if (key == "name")
        return record.name.find(value) != std::string::npos;
    if (key == "id")
        return network_id(paths, record).starts_with(value);
    if (key == "driver")
        return value == "bridge";
    if (key == "dangling")
        return held_leases(paths, record.name).empty() == (value == "true" || value == "1");
    if (key == "label") {
        const auto [name, wanted] = split_once(value, '=');
        const auto label = record.labels.find(name);
        return label != record.labels.end() &&
               (value.find('=') == std::string::npos || label->second == wanted);
    }
    give_up("--filter knows name, id, driver, label and dangling, not \"" + key + "\"");
}

}  // namespace

std::string network_id(const Paths& paths, const network::NetworkRecord& network) {
    return sha256_hex(network.name + "@" + paths.instance);
}

std::vector<network::Lease> held_leases(const Paths& paths, const std::string& network) {
    auto leases = network::load_leases(paths, network);
    std::erase_if(leases, [](const network::Lease& lease) { return lease.container.empty(); });
    return leases;
}

bool passes_filters(const Paths& paths,
                    const network::StoredNetwork& network,
                    const Strings& filters) {
    std::map<std::string, bool> holds;
    for (const auto& filter : filters) {
        bool& any = holds[split_once(filter, '=').first];
        any = passes(paths, network, filter) || any;
    }
    return std::all_of(holds.begin(), holds.end(), [](const auto& key) { return key.second; });
}

network::StoredNetwork require_network(const Paths& paths, const std::string& name) {
    std::vector<network::StoredNetwork> found;
    for (auto& network : network::load_stored(paths)) {
        if (network.record.name == name)
            return network;
        if (!name.empty() && network_id(paths, network.record).starts_with(name))
            found.push_back(std::move(network));
    }
    if (found.size() > 1)
        give_up("several networks have an id that begins with " + name);
    if (found.empty())
        give_up("no such network: " + name + " (see `stack network ls`)");
    return found.front();
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
