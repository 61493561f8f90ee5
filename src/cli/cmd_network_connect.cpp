// network connect, disconnect: a container's networks while it runs.

#include "base/text.h"
#include "cli/cli11.h"
#include "cli/dry_run.h"
#include "cli/local.h"
#include "cli/local_runtime.h"
#include "cli/network_commands.h"
#include "cli/single.h"
#include "cli/single_stack.h"
#include "cli/target.h"
#include "model/digest.h"

#include <functional>
#include <memory>

namespace stack::cli {
namespace {

using Attachments = std::map<std::string, NetworkAttachment>;

struct ConnectOptions {
    std::string network;
    std::string container;
    NetworkAttachment attachment;
    bool force = false;
};

/// What a command does to the networks of a container; gives up where there is nothing to do.
using Change = std::function<void(
    Attachments& networks, const std::string& network, const std::string& container)>;

/// It is made when somebody first needs it, as by `container run`.
void ensure_default_network(const Paths& paths) {
    Network network;
    network.key = network.name = bridge_network;
    const sys::Lock use = use_single_project(paths);
    if (!network::find_stored(paths, network.name))
        static_cast<void>(network::Networks(paths).ensure(
            single_containers, network, model::config_digest(network)));
}

/// These are no networks that one could come into later.
void refuse_mode(const network::NetworkRecord& network) {
    if (is_predefined(network) && !network.driver.empty())
        give_up("a container is in network " + network.name + " from its making on (--network " +
                network.name + "), or never: it cannot be connected to it, nor disconnected");
}

/// `verb` and `preposition` make the sentence of a dry run.
void rewire(Context& context,
            const ConnectOptions& options,
            const std::string& verb,
            const std::string& preposition,
            const Change& change) {
    require_root();
    const auto record = require_network(context.paths, options.network).record;
    refuse_mode(record);
    const std::string& network = record.name;
    const auto container = find_target(context, {Naming::container, options.container});
    const auto apply = [&](Attachments& networks) { change(networks, network, container.name); };
    Attachments wanted = container.service_config->networks;
    apply(wanted);
    if (const auto status = only_sentences(
            context,
            {verb + " container/" + container.name + " " + preposition + " network/" + network})) {
        context.exit_code = *status;
        return;
    }
    if (network == bridge_network && wanted.contains(network))
        ensure_default_network(context.paths);
    LocalRuntime(context.paths)->rewire(container.id, apply);
    LocalEngine local(context.paths);
    Stack stack;
    stack.name = container.project;
    local.engine().publish_names(stack, local.observe(stack));
}

void connect(Context& context, const ConnectOptions& options) {
    rewire(context, options, "connect", "to", [&](auto& networks, auto& network, auto& container) {
        if (!networks.emplace(network, options.attachment).second)
            give_up("container " + container + " is in network " + network + " already");
    });
}

void disconnect(Context& context, const ConnectOptions& options) {
    rewire(
        context, options, "disconnect", "from", [](auto& networks, auto& network, auto& container) {
            if (networks.erase(network) == 0)
                give_up("container " + container + " is not in network " + network);
        });
}

void declare_both(CLI::App& command, ConnectOptions& options) {
    command.add_option("NETWORK", options.network, "Name or id")->required();
    command.add_option("CONTAINER", options.container, "Name or id")->required();
}

}  // namespace

void add_network_connect(CLI::App& group, Context& context) {
    auto* command = group.add_subcommand("connect", "Put a container into a network");
    const auto options = std::make_shared<ConnectOptions>();
    NetworkAttachment& attachment = options->attachment;
    declare_both(*command, *options);
    command->footer("A service's container is where its stack file says again after the next up.");
    command->add_option("--ip", attachment.ipv4_address, "The IPv4 address it is to have");
    command->add_option("--ip6", attachment.ipv6_address, "The IPv6 address it is to have");
    command->add_option("--alias", attachment.aliases, "Another name of it in this network")
        ->allow_extra_args(false);
    command->add_option("--gw-priority",
                        attachment.gw_priority,
                        "Of its networks the highest gives the default route");
    command->callback([&context, options] { connect(context, *options); });
}

void add_network_disconnect(CLI::App& group, Context& context) {
    auto* command = group.add_subcommand("disconnect", "Take a container out of a network");
    const auto options = std::make_shared<ConnectOptions>();
    declare_both(*command, *options);
    command->add_flag("-f,--force", options->force, "Changes nothing: it need not run for this");
    command->callback([&context, options] { disconnect(context, *options); });
}

}  // namespace stack::cli
