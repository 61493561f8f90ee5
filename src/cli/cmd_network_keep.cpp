// network create, rm, prune.

#include <stack/error.h>

#include "base/ip.h"
#include "base/text.h"
#include "cli/cli11.h"
#include "cli/dry_run.h"
#include "cli/local.h"
#include "cli/local_runtime.h"
#include "cli/network_commands.h"
#include "cli/prune.h"
#include "engine/network/layout.h"
#include "model/digest.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <functional>
#include <map>
#include <memory>

namespace stack::cli {
namespace {

struct CreateOptions {
    Network network;
    Strings subnets;
    Strings gateways;
    Strings ranges;
    Strings reserved;
    Strings labels;
    Strings driver_options;
};

StringMap pairs(const Strings& words) {
    StringMap map;
    for (const auto& word : words) {
        const auto [name, value] = split_once(word, '=');
        map[name] = value;
    }
    return map;
}

/// The pool whose subnet an address is in: docker's options say so by their addresses alone.
IpamPool& pool_of(std::vector<IpamPool>& pools,
                  const std::string& option,
                  const std::string& text) {
    const auto address = parse_ip(split_once(text, '/').first);
    for (auto& pool : pools) {
        const auto subnet = parse_prefix(pool.subnet);
        if (subnet && address && contains(*subnet, *address))
            return pool;
    }
    give_up(option + " " + text + " is in no --subnet");
}

Network network_for(const CreateOptions& options) {
    Network network = options.network;
    network.key = network.name;
    for (const auto& subnet : options.subnets) {
        IpamPool pool;
        pool.subnet = subnet;
        network.ipam.push_back(pool);
        const auto prefix = parse_prefix(subnet);
        network.enable_ipv6 =
            network.enable_ipv6 || (prefix && prefix->address.family == Family::v6);
    }
    for (const auto& gateway : options.gateways)
        pool_of(network.ipam, "--gateway", gateway).gateway = gateway;
    for (const auto& range : options.ranges)
        pool_of(network.ipam, "--ip-range", range).ip_range = range;
    for (const auto& [name, address] : pairs(options.reserved))
        pool_of(network.ipam, "--aux-address", address).aux_addresses[name] = address;
    network.labels = pairs(options.labels);
    network.driver_opts = pairs(options.driver_options);
    return network;
}

/// Those who hold the gateways' port 53 answer from what is there now.
void publish_names(const Context& context) {
    LocalEngine local(context.paths);
    local.engine().publish_names({}, {});
}

/// One of these names would never be reached by it: `--network` means something else there.
void refuse_given_name(const std::string& name) {
    static const std::map<std::string, const char*> given{
        {"host", "the machine's own network"},
        {"none", "no network at all"},
        {"bridge", "the network of containers that name none, which is made when it is needed"},
        {"default", "the network of containers that name none, which is made when it is needed"}};
    if (const auto found = given.find(name); found != given.end())
        give_up("--network " + name + " is " + found->second + ": a network cannot have this name");
}

void create_network(Context& context, const CreateOptions& options) {
    require_root();
    const Network network = network_for(options);
    refuse_given_name(network.name);
    network::Networks networks(context.paths);
    if (networks.find(network.name))
        give_up("network with name " + network.name + " already exists");
    if (const auto status = only_actions(context, {CreateNetwork{.network = network}})) {
        context.exit_code = *status;
        return;
    }
    const auto record = networks.create(network, model::config_digest(network));
    publish_names(context);
    sys::write_out(network_id(context.paths, record) + "\n");
}

/// Gives up naming the containers that are in the network.
void require_empty(const Context& context, const network::NetworkRecord& network) {
    const LocalRuntime runtime(context.paths);
    Strings names;
    for (const auto& lease : held_leases(context.paths, network.name)) {
        const auto container = runtime.get().find(lease.container);
        names.push_back(container ? container->spec.name : network::holder(lease));
    }
    if (!names.empty())
        give_up("network " + network.name + " is in use by " + join(names, ", ") +
                ": remove or disconnect these first");
}

/// Why it cannot be removed is said; others may be.
void try_to_remove(int& status, const std::function<void()>& remove) {
    try {
        remove();
    } catch (const Exit& exit) {
        status = exit.status;
    } catch (const Error& error) {
        sys::write_err(std::string("stack: ") + error.what() + "\n");
        status = 1;
    }
}

void remove_networks(Context& context, const Strings& names, bool force) {
    require_root();
    network::Networks networks(context.paths);
    std::vector<Action> actions;
    for (const auto& name : names)
        try_to_remove(context.exit_code, [&] {
            if (force && !find_network(context.paths, name))
                return;
            const auto network = require_network(context.paths, name);
            if (is_predefined(network.record))
                give_up(network.record.name + " is a pre-defined network and cannot be removed");
            require_empty(context, network.record);
            actions.emplace_back(RemoveNetwork{network.record.name});
            if (context.globals.dry_run)
                return;
            networks.remove(network.record.name);
            sys::write_out(name + "\n");
        });
    if (const auto status = only_actions(context, actions)) {
        context.exit_code = context.exit_code != 0 ? context.exit_code : *status;
        return;
    }
    publish_names(context);
}

/// A stack that is up may be about to use a network that nobody is in yet.
bool may_be_needed(const Paths& paths, const network::NetworkRecord& record) {
    return !record.project.empty() &&
           sys::exists(paths.run + "/projects/" + record.project + "/supervisor.pid");
}

std::vector<Action> removals(const Context& context, const Strings& filters) {
    std::vector<Action> actions;
    for (const auto& network : network::load_stored(context.paths)) {
        const auto& record = network.record;
        if (!is_predefined(record) && !may_be_needed(context.paths, record) &&
            held_leases(context.paths, record.name).empty() &&
            passes_filters(context.paths, network, filters))
            actions.emplace_back(RemoveNetwork{record.name});
    }
    return actions;
}

int prune(const Context& context, const Strings& filters, bool force) {
    require_root();
    if (const auto status = only_actions(context, removals(context, filters)))
        return *status;
    if (!may_remove("all custom networks not used by at least one container.", force))
        return 1;
    const Pruned pruned = prune_networks(context, filters);
    sys::write_out(pruned_text("Networks", pruned));
    return pruned.status;
}

}  // namespace

Pruned prune_networks(const Context& context, const Strings& filters) {
    network::Networks networks(context.paths);
    Pruned pruned;
    for (const auto& action : removals(context, filters))
        try_to_remove(pruned.status, [&] {
            const auto& name = std::get<RemoveNetwork>(action).name;
            networks.remove(name);
            pruned.removed.push_back(name);
        });
    if (!pruned.removed.empty())
        publish_names(context);
    return pruned;
}

void add_network_create(CLI::App& group, Context& context) {
    auto* command = group.add_subcommand("create", "Make a network that belongs to no stack");
    const auto options = std::make_shared<CreateOptions>();
    Network& network = options->network;
    command->add_option("NAME", network.name, "Its name")->required();
    command->add_option(
        "-d,--driver", network.driver, "bridge, or macvlan or ipvlan with -o parent=eth0");
    command->add_option("--subnet", options->subnets, "10.5.0.0/24; one of a family")
        ->allow_extra_args(false);
    command
        ->add_option("--gateway",
                     options->gateways,
                     "The machine's address in it; of macvlan and ipvlan the outside's router")
        ->allow_extra_args(false);
    command->add_option("--ip-range", options->ranges, "Part that addresses are given out of")
        ->allow_extra_args(false);
    command->add_option("--aux-address", options->reserved, "NAME=ADDRESS not to be given out")
        ->allow_extra_args(false);
    command->add_flag("--internal", network.internal, "No way out of it, nor into it");
    command->add_flag("--ipv6", network.enable_ipv6, "IPv6 addresses, too");
    command->add_flag("--ipv4,!--no-ipv4", network.enable_ipv4, "IPv4 addresses (the default)");
    command->add_flag("--attachable", network.attachable, "Noted; every container may be attached");
    command->add_option("--label", options->labels, "NAME=VALUE")->allow_extra_args(false);
    command->add_option("-o,--opt", options->driver_options, "NAME=VALUE for the driver")
        ->allow_extra_args(false);
    command->callback([&context, options] { create_network(context, *options); });
}

void add_network_rm(CLI::App& group, Context& context) {
    auto* command =
        group.add_subcommand("rm", "Remove networks that no container is in")->alias("remove");
    const auto names = std::make_shared<Strings>();
    const auto force = std::make_shared<bool>(false);
    command->add_option("NETWORK", *names, "Name or id")->required();
    command->add_flag("-f,--force", *force, "One that does not exist is no failure");
    command->callback([&context, names, force] { remove_networks(context, *names, *force); });
}

void add_network_prune(CLI::App& group, Context& context) {
    auto* command = group.add_subcommand("prune", "Remove every network that no container is in");
    const auto filters = std::make_shared<Strings>();
    const auto force = std::make_shared<bool>(false);
    command->add_flag("-f,--force", *force, "Do not ask");
    command
        ->add_option("--filter",
                     *filters,
                     "Only those with until=24h, label=, label!=, name=, id= or driver=")
        ->allow_extra_args(false);
    command->callback(
        [&context, filters, force] { context.exit_code = prune(context, *filters, *force); });
}

}  // namespace stack::cli
