// network ls, inspect.

#include "base/text.h"
#include "cli/cli11.h"
#include "cli/describe.h"
#include "cli/format.h"
#include "cli/local_runtime.h"
#include "cli/network_commands.h"
#include "cli/style.h"
#include "sys/terminal.h"

#include <memory>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

struct ListOptions {
    Strings filters;
    std::string format = "table";
    bool quiet = false;
    bool no_trunc = false;
};

std::string shown_id(const Paths& paths, const network::NetworkRecord& record, bool whole) {
    constexpr std::size_t short_id = 12;
    return network_id(paths, record).substr(0, whole ? std::string::npos : short_id);
}

std::string driver_of(const network::NetworkRecord& record) {
    return record.driver.empty() ? "bridge" : record.driver;
}

/// Docker: what has always been there is of the year 1.
std::string created_text(const network::NetworkRecord& record, bool in_list) {
    const Time time = std::chrono::system_clock::from_time_t(record.created);
    if (record.created == 0)
        return in_list ? "0001-01-01 00:00:00 +0000 UTC" : "0001-01-01T00:00:00Z";
    return in_list ? date_text(time) : time_text(time);
}

Json list_json(const network::NetworkRecord& record, const std::string& id) {
    Strings labels;
    for (const auto& [name, value] : record.labels)
        labels.push_back(name + "=" + value);
    return {{"ID", id},
            {"Name", record.name},
            {"Driver", driver_of(record)},
            {"Scope", "local"},
            {"CreatedAt", created_text(record, true)},
            {"Internal", record.internal ? "true" : "false"},
            {"IPv4", record.subnet4.empty() ? "false" : "true"},
            {"IPv6", record.subnet6.empty() ? "false" : "true"},
            {"Labels", join(labels, ",")}};
}

void list_networks(const Context& context, const ListOptions& options) {
    std::vector<Strings> rows{{"NETWORK ID", "NAME", "DRIVER", "SCOPE"}};
    std::string ids;
    std::string lines;
    std::vector<Json> objects;
    for (const auto& file : network::damaged_records(context.paths))
        warn(file +
             " is damaged: its network is not shown (remove it and bring its stack up again)");
    for (const auto& network : all_networks(context.paths)) {
        if (!passes_filters(context.paths, network, options.filters))
            continue;
        const std::string id = shown_id(context.paths, network.record, options.no_trunc);
        ids += id + "\n";
        objects.push_back(list_json(network.record, id));
        lines += objects.back().dump() + "\n";
        rows.push_back({id, network.record.name, driver_of(network.record), "local"});
    }
    if (is_template(options.format))
        lines = formatted(options.format, objects);
    sys::write_out(options.quiet ? ids : options.format == "table" ? table(rows) : lines);
}

Json pools_json(const network::StoredNetwork& network) {
    const auto& record = network.record;
    Json pools = Json::array();
    for (const bool v4 : {true, false}) {
        const auto& subnet = v4 ? record.subnet4 : record.subnet6;
        if (subnet.empty())
            continue;
        Json pool{{"Subnet", subnet}, {"Gateway", v4 ? record.gateway4 : record.gateway6}};
        if (const auto& range = v4 ? network.range4 : network.range6; !range.empty())
            pool["IPRange"] = range;
        for (const auto& [name, address] : network.reserved)
            if ((address.find(':') == std::string::npos) == v4)
                pool["AuxiliaryAddresses"][name] = address;
        pools.push_back(std::move(pool));
    }
    return pools;
}

std::string with_length(const std::string& address, const std::string& subnet) {
    return address.empty() ? "" : address + "/" + split_once(subnet, '/').second;
}

Json member_json(const network::NetworkRecord& network,
                 const network::Lease& lease,
                 const runtime::ContainerRecord& container) {
    return {{"Name", container.spec.name},
            {"MacAddress",
             mac_of(container.spec.service, network.name, lease.address4, lease.address6)},
            {"IPv4Address", with_length(lease.address4, network.subnet4)},
            {"IPv6Address", with_length(lease.address6, network.subnet6)}};
}

/// Those in it: of a network with addresses by their leases; `host` and `none` are modes.
Json members_json(const Context& context, const network::NetworkRecord& record) {
    const LocalRuntime runtime(context.paths);
    Json members = Json::object();
    for (const auto& lease : held_leases(context.paths, record.name))
        if (const auto container = runtime.get().find(lease.container))
            members[lease.container] = member_json(record, lease, *container);
    if (!is_predefined(record) || record.driver.empty())
        return members;
    for (const auto& id : runtime.get().list())
        if (const auto container = runtime.get().observe(id);
            container && is_up(*container) &&
            container->service_config->network_mode == record.name)
            members[id] = {{"Name", container->name},
                           {"MacAddress", ""},
                           {"IPv4Address", ""},
                           {"IPv6Address", ""}};
    return members;
}

Json inspect_json(const Context& context, const network::StoredNetwork& network) {
    const auto& record = network.record;
    Json options(record.options);
    if (!record.bridge.empty())
        options["com.docker.network.bridge.name"] = record.bridge;
    if (record.mtu != 0)
        options["com.docker.network.driver.mtu"] = std::to_string(record.mtu);
    return {{"Name", record.name},
            {"Id", network_id(context.paths, record)},
            {"Created", created_text(record, false)},
            {"Scope", "local"},
            {"Driver", driver_of(record)},
            {"EnableIPv4", !record.subnet4.empty()},
            {"EnableIPv6", !record.subnet6.empty()},
            {"IPAM",
             {{"Driver", "default"}, {"Options", Json::object()}, {"Config", pools_json(network)}}},
            {"Internal", record.internal},
            {"Attachable", record.attachable},
            {"Ingress", false},
            {"Containers", members_json(context, record)},
            {"Options", options},
            {"Labels", Json(record.labels)}};
}

}  // namespace

void add_network_ls(CLI::App& group, Context& context) {
    auto* command = group.add_subcommand("ls", "List networks, of whichever stack")->alias("list");
    const auto options = std::make_shared<ListOptions>();
    command->add_flag("-q,--quiet", options->quiet, "Print ids only");
    command->add_flag("--no-trunc", options->no_trunc, "Print ids whole");
    command
        ->add_option("-f,--filter",
                     options->filters,
                     "name=, id=, driver=, type=custom|builtin, label=, label!=, dangling=true, "
                     "until=24h")
        ->allow_extra_args(false);
    add_format(*command, options->format);
    command->callback([&context, options] { list_networks(context, *options); });
}

void add_network_inspect(CLI::App& group, Context& context) {
    auto* command = group.add_subcommand("inspect", "Print what networks are, as JSON");
    const auto names = std::make_shared<Strings>();
    command->add_option("NETWORK", *names, "Name or id")->required();
    const auto format = std::make_shared<std::string>();
    add_inspect_format(*command, *format);
    command->callback([&context, names, format] {
        std::vector<Json> all;
        for (const auto& name : *names)
            all.push_back(inspect_json(context, require_network(context.paths, name)));
        sys::write_out(inspected(*format, all));
    });
}

}  // namespace stack::cli
