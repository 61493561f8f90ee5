// container: containers by their own names, of whichever stack or none.

#include "base/units.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/container_filter.h"
#include "cli/container_size.h"
#include "cli/describe.h"
#include "cli/format.h"
#include "cli/image_name.h"
#include "cli/inspect.h"
#include "cli/local_runtime.h"
#include "cli/network_commands.h"
#include "cli/port_list.h"
#include "cli/style.h"
#include "cli/target.h"
#include "engine/image/store.h"
#include "engine/storage/volumes.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

constexpr std::size_t short_id = 12;

struct ListOptions {
    std::string format = "table";
    bool all = false;
    bool quiet = false;
    Strings filters;
    bool no_trunc = false;
    bool size = false;
    bool latest = false;
    int last = -1;  // how many of those made last; -1: no matter when
};

std::string id_text(const ObservedContainer& container, bool whole) {
    return whole ? container.id : container.id.substr(0, short_id);
}

Json list_json(const Context& context,
               const ObservedContainer& container,
               const ListOptions& options,
               Time now) {
    Json json = ps_json(container, now);
    json["ID"] = id_text(container, options.no_trunc);
    json["Command"] = command_text(container, options.no_trunc);
    // It is read off the disk: only where it is asked for.
    if (options.size || options.format.find(".Size") != std::string::npos)
        json["Size"] = size_text(size_of(context.paths, container));
    return json;
}

std::string rows_text(const Context& context,
                      const std::vector<ObservedContainer>& containers,
                      const ListOptions& options,
                      Time now) {
    std::vector<Strings> rows{
        {"CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"}};
    if (options.size)
        rows.front().emplace_back("SIZE");
    for (const auto& container : containers) {
        const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - container.created);
        rows.push_back({id_text(container, options.no_trunc),
                        container.image,
                        command_text(container, options.no_trunc),
                        format_age(age) + " ago",
                        status_text(container, now),
                        ports_text(container),
                        container.name});
        if (options.size)
            rows.back().push_back(size_text(size_of(context.paths, container)));
    }
    return table(rows);
}

std::string list_text(const Context& context,
                      const std::vector<ObservedContainer>& containers,
                      const ListOptions& options) {
    const Time now = std::chrono::system_clock::now();
    std::string lines;
    if (options.quiet) {
        for (const auto& container : containers)
            lines += id_text(container, options.no_trunc) + "\n";
        return lines;
    }
    if (options.format == "table")
        return rows_text(context, containers, options, now);
    std::vector<Json> objects;
    for (const auto& container : containers)
        objects.push_back(list_json(context, container, options, now));
    if (is_template(options.format))
        return formatted(options.format, objects);
    for (const auto& object : objects)
        lines += object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    return lines;
}

void list(const Context& context, const ListOptions& options) {
    auto containers = all_containers(context);
    std::reverse(containers.begin(), containers.end());  // the newest first
    forget_lost_names(containers, image::Store(context.paths));
    const ContainerFilter filter(options.filters, containers);
    const int last = options.latest ? 1 : options.last;
    const bool all = options.all || last > 0 || filter.wants_all();
    std::erase_if(containers, [&](const ObservedContainer& container) {
        return !filter.matches(container) || (!all && !is_listed(container));
    });
    if (last > 0 && containers.size() > static_cast<std::size_t>(last))
        containers.erase(containers.begin() + last, containers.end());
    sys::write_out(list_text(context, containers, options));
}

struct InspectOptions {
    Targets targets;
    std::string format;
    std::string type;
    bool size = false;
};

InspectDetails details_of(const Context& context,
                          const runtime::Runtime& runtime,
                          const ObservedContainer& container,
                          bool size) {
    InspectDetails details;
    details.log_path = runtime.log_path(container.id);
    const std::string directory = sys::parent_path(details.log_path);
    for (const auto* name : {"hosts", "hostname", "resolv.conf", "upper", "work"})
        if (const std::string path = directory + "/" + name; sys::exists(path))
            details.files[name] = path;
    details.start_error = runtime.start_error(container.id);
    details.health = runtime.health(container.id);
    std::set<std::string> networks;
    for (const auto& [name, attachment] : container.service_config->networks)
        networks.insert(name);
    for (const auto& address : container.addresses)
        networks.insert(address.network);
    for (const auto& name : networks)
        if (const auto network = find_network(context.paths, name))
            details.networks[name] = {network->record, network_id(context.paths, network->record)};
    for (const auto& mount : container.mounts)
        if (mount.type == MountType::volume && storage::find_volume(context.paths, mount.source))
            details.volumes[mount.source] = storage::volume_directory(context.paths, mount.source);
    if (size)
        details.size = size_of(context.paths, container);
    return details;
}

void inspect(Context& context, const InspectOptions& options) {
    const LocalRuntime runtime(context.paths);
    const Found found = find_present(context, options.targets);
    std::vector<Json> list;
    for (const auto& container : found.containers)
        if (const auto record = runtime.get().find(container.id))
            list.push_back(inspect_json(
                *record, container, details_of(context, runtime.get(), container, options.size)));
    sys::write_out(inspected(options.format, list));
    context.exit_code = found.all ? 0 : 1;
}

}  // namespace

void add_container(CLI::App& app, Context& context) {
    app.require_subcommand(1);
    for (const auto& command : container_commands()) {
        CLI::App* sub = app.add_subcommand(command.name, command.summary);
        sub->group(command.group);
        sub->preparse_callback(
            [sub, &command, &context](std::size_t) { command.add(*sub, context); });
    }
    app.get_subcommand("ls")->alias("list");
    app.get_subcommand("rm")->alias("remove");
}

void add_container_ls(CLI::App& app, Context& context) {
    const auto options = std::make_shared<ListOptions>();
    app.add_flag("-a,--all", options->all, "Also those that do not run");
    app.add_flag("-q,--quiet", options->quiet, "Only ids");
    app.add_option("-f,--filter",
                   options->filters,
                   "KEY=VALUE (repeatable): only those of which it holds, by " +
                       std::string(ContainerFilter::keys))
        ->allow_extra_args(false);
    app.add_option("-n,--last", options->last, "Only so many of those made last, in any state");
    app.add_flag("-l,--latest", options->latest, "Only the one made last, in any state");
    app.add_flag("-s,--size", options->size, "What each takes of the disk");
    app.add_flag("--no-trunc", options->no_trunc, "Whole ids and commands");
    add_format(app, options->format);
    app.callback([&context, options] { list(context, *options); });
}

void add_container_inspect(CLI::App& app, Context& context) {
    const auto options = std::make_shared<InspectOptions>();
    options->targets.naming = Naming::container;
    declare_targets(app, options->targets);
    add_inspect_format(app, options->format);
    app.add_flag("-s,--size", options->size, "Also what they take of the disk");
    app.add_option("--type", options->type, "container is the only one here")
        ->check(CLI::IsMember({"container"}));
    app.callback([&context, options] { inspect(context, *options); });
}

}  // namespace stack::cli
