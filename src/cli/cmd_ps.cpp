// ps, ls, images, volumes, port: looking at what is there.

#include "base/text.h"
#include "base/units.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/format.h"
#include "cli/image_commands.h"
#include "cli/image_name.h"
#include "cli/local.h"
#include "cli/port_list.h"
#include "cli/project.h"
#include "cli/style.h"
#include "cli/target.h"
#include "cli/volume_list.h"
#include "engine/image/store.h"
#include "engine/storage/volumes.h"
#include "sys/terminal.h"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

constexpr std::size_t short_id = 12;

struct PsOptions {
    Strings services;
    Strings status;
    Strings filters;  // status=S
    bool orphans = true;
    std::string format = "table";
    bool all = false;
    bool quiet = false;
    bool list_services = false;
    bool no_trunc = false;
};

std::string age_text(Time created, Time now) {
    return format_age(std::chrono::duration_cast<std::chrono::seconds>(now - created)) + " ago";
}

std::vector<ObservedContainer> selected(const Context& context, const PsOptions& options) {
    const Stack stack = find_project(context, options.services);
    LocalEngine local(context.paths);
    auto containers = containers_of(stack, local.observe(stack), options.services, options.all);
    std::erase_if(containers, [&](const ObservedContainer& container) {
        if (!options.orphans && !stack.services.contains(container.service))
            return true;
        if (!options.status.empty())
            return std::find(options.status.begin(), options.status.end(), state_text(container)) ==
                   options.status.end();
        return !options.all && !is_listed(container);
    });
    forget_lost_names(containers, image::Store(context.paths));
    std::sort(containers.begin(), containers.end(), [](const auto& one, const auto& other) {
        return one.name < other.name;
    });
    return containers;
}

std::string ps_text(const std::vector<ObservedContainer>& containers, const PsOptions& options) {
    const Time now = std::chrono::system_clock::now();
    if (options.format == "json") {
        std::string text;
        for (const auto& container : containers)
            text += ps_json(container, now)
                        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                    "\n";
        return text;
    }
    if (is_template(options.format)) {
        std::vector<nlohmann::json> objects;
        for (const auto& container : containers)
            objects.push_back(ps_json(container, now));
        return formatted(options.format, objects);
    }
    std::vector<Strings> rows{
        {"NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"}};
    for (const auto& container : containers) {
        rows.push_back({container.name,
                        container.image,
                        command_text(container, options.no_trunc),
                        container.service,
                        age_text(container.created, now),
                        status_text(container, now),
                        ports_text(container)});
    }
    return table(rows);
}

void run_ps(const Context& context, const PsOptions& options) {
    const auto containers = selected(context, options);
    std::string text;
    if (options.quiet) {
        for (const auto& container : containers)
            text += container.id + "\n";
    } else if (options.list_services) {
        std::set<std::string> names;
        for (const auto& container : containers)
            names.insert(container.service);
        for (const auto& name : names)
            text += name + "\n";
    } else {
        text = ps_text(containers, options);
    }
    sys::write_out(text);
}

struct ListOptions {
    Strings services;
    std::string format = "table";
    bool quiet = false;
    bool all = false;
};

/// `list` as one line of JSON or by the template, or the rows.
std::string listed(const std::string& format,
                   const nlohmann::json& list,
                   const std::vector<Strings>& rows) {
    if (is_template(format))
        return formatted(format, std::vector<nlohmann::json>(list.begin(), list.end()));
    return format == "json" ? list.dump() + "\n" : table(rows);
}

/// name=PATTERN, any of them, as docker has it: a part of the name, or a regular expression.
bool is_wanted(const std::string& name, const Strings& filters) {
    return filters.empty() ||
           std::any_of(filters.begin(), filters.end(), [&](const std::string& filter) {
               const auto [key, pattern] = split_once(filter, '=');
               if (key != "name")
                   give_up("--filter knows name=PATTERN, not \"" + filter + "\"");
               try {
                   return std::regex_search(name, std::regex(pattern));
               } catch (const std::regex_error&) {
                   give_up("--filter name=" + pattern + ": that is no regular expression");
               }
           });
}

void run_ls(const Context& context, const ListOptions& options, const Strings& filters) {
    struct Summary {
        std::map<std::string, int> states;
        std::string files;
    };

    static_cast<void>(is_wanted("", filters));  // mistakes are said, whatever there is
    std::map<std::string, Summary> stacks;
    for (const auto& container : all_containers(context)) {
        if (container.project.empty() || container.project == single_containers ||
            (!options.all && !is_listed(container)) || !is_wanted(container.project, filters))
            continue;
        auto& summary = stacks[container.project];
        ++summary.states[state_text(container)];
        const auto files = container.labels.find("com.docker.compose.project.config_files");
        if (files != container.labels.end())
            summary.files = files->second;
    }
    nlohmann::json list = nlohmann::json::array();
    std::vector<Strings> rows{{"NAME", "STATUS", "CONFIG FILES"}};
    std::string names;
    for (const auto& [name, summary] : stacks) {
        Strings states;
        for (const auto& [state, count] : summary.states)
            states.push_back(state + "(" + std::to_string(count) + ")");
        list.push_back(
            {{"Name", name}, {"Status", join(states, ", ")}, {"ConfigFiles", summary.files}});
        rows.push_back({name, join(states, ", "), summary.files});
        names += name + "\n";
    }
    sys::write_out(options.quiet ? names : listed(options.format, list, rows));
}

/// What a container was made of, as docker compose has it, and `Image`: the name that it was said
/// by.
nlohmann::json image_json(const ObservedContainer& container,
                          const std::optional<image::Image>& image) {
    const auto [repository, tag] = repository_and_tag(container.image);
    return {{"ContainerName", container.name},
            {"Image", container.image},
            {"Repository", repository},
            {"Tag", tag.empty() ? "<none>" : tag},
            {"Platform", image ? image->config.os + "/" + image->config.architecture : "-"},
            {"ID", container.image_id},
            {"Size", image ? image->size : 0},
            {"Created", image ? time_text(image->created) : ""}};
}

void run_images(const Context& context,
                const Strings& services,
                bool quiet,
                const std::string& format) {
    const Stack stack = find_project(context, services);
    LocalEngine local(context.paths);
    const image::Store store(context.paths);
    std::vector<Strings> rows{
        {"CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"}};
    nlohmann::json list = nlohmann::json::array();
    std::set<std::string> ids;
    const Time now = std::chrono::system_clock::now();
    for (const auto& container : containers_of(stack, local.observe(stack), services)) {
        const auto image = store.find(container.image_id);
        const auto object = image_json(container, image);
        const std::string id = container.image_id.substr(container.image_id.find(':') + 1);
        rows.push_back({container.name,
                        object["Repository"],
                        object["Tag"],
                        object["Platform"],
                        id.substr(0, short_id),
                        image ? format_bytes(image->size) : "-",
                        image ? age_text(image->created, now) : "-"});
        list.push_back(object);
        ids.insert(id);
    }
    std::string lines;
    for (const auto& id : ids)
        lines += id + "\n";
    sys::write_out(quiet ? lines : listed(format, list, rows));
}

/// The volumes that containers of these services have.
std::set<std::string> volumes_of(const Context& context,
                                 const Stack& stack,
                                 const Strings& services) {
    std::set<std::string> names;
    LocalEngine local(context.paths);
    for (const auto& container : containers_of(stack, local.observe(stack), services))
        for (const auto& mount : container.mounts)
            if (mount.type == MountType::volume)
                names.insert(mount.source);
    return names;
}

void run_volumes(const Context& context, const ListOptions& options) {
    const Stack stack = find_project(context, options.services);
    const auto& format = options.format;
    const auto used = options.services.empty() ? std::set<std::string>()
                                               : volumes_of(context, stack, options.services);
    std::vector<Strings> rows{{"DRIVER", "VOLUME NAME"}};
    std::string names;
    std::string lines;
    std::vector<nlohmann::json> objects;
    for (const auto& volume : storage::list_volumes(context.paths)) {
        // Docker compose goes by the label of a stack's volumes, which anonymous ones do not have.
        if (volume.project != stack.name || volume.anonymous ||
            (!options.services.empty() && !used.contains(volume.name)))
            continue;
        rows.push_back({driver_of(volume), volume.name});
        names += volume.name + "\n";
        objects.push_back(volume_list_json(context.paths, volume));
        lines += objects.back().dump() + "\n";
    }
    if (is_template(format))
        lines = formatted(format, objects);
    sys::write_out(options.quiet ? names : format == "table" ? table(rows) : lines);
}

void list_ports(const ObservedContainer& container) {
    std::string text;
    for (const auto& port : ports_in_force(container))
        if (port.published != 0)
            text += target_text(port) + " -> " + host_text(port) + "\n";
    sys::write_out(text);
}

/// Where a port such as `80` or `53/udp` is published. Gives up where it is not.
Strings find_published(const ObservedContainer& container,
                       const std::string& port,
                       const std::string& protocol) {
    const std::string wanted = port.find('/') == std::string::npos ? port + "/" + protocol : port;
    Strings places;
    Strings others;
    for (const auto& published : ports_in_force(container))
        if (published.published != 0 && target_text(published) == wanted)
            places.push_back(host_text(published));
        else if (published.published != 0)
            others.push_back(target_text(published));
    others.erase(std::unique(others.begin(), others.end()), others.end());
    if (places.empty())
        give_up("container " + container.name + " does not publish port " + wanted +
                (others.empty() ? "" : "; it publishes " + join(others, ", ")));
    return places;
}

std::shared_ptr<ListOptions> declare_list(CLI::App& app) {
    auto options = std::make_shared<ListOptions>();
    add_format(app, options->format);
    app.add_flag("-q,--quiet", options->quiet, "Only names or ids");
    return options;
}

}  // namespace

void add_ps(CLI::App& app, Context& context) {
    const auto options = std::make_shared<PsOptions>();
    app.add_option("SERVICE", options->services, "Only these services");
    add_format(app, options->format);
    app.add_option("--status", options->status, "Only containers in this state (repeatable)")
        ->allow_extra_args(false);
    app.add_option("--filter", options->filters, "status=STATE: the same (repeatable)")
        ->allow_extra_args(false);
    app.add_flag("--orphans,!--no-orphans",
                 options->orphans,
                 "Also those of services that left the file (default); --orphans=false: not");
    app.add_flag("-a,--all", options->all, "Also containers that do not run");
    app.add_flag("-q,--quiet", options->quiet, "Only ids");
    app.add_flag("--services", options->list_services, "Only the services' names");
    app.add_flag("--no-trunc", options->no_trunc, "Whole commands");
    app.callback([&context, options] {
        for (const auto& filter : options->filters) {
            const auto [key, value] = split_once(filter, '=');
            if (key != "status" || value.empty())
                give_up("--filter knows status=STATE, not \"" + filter + "\"");
            options->status.push_back(value);
        }
        run_ps(context, *options);
    });
}

void add_ls(CLI::App& app, Context& context) {
    const auto options = declare_list(app);
    app.add_flag("-a,--all", options->all, "Also stacks of which nothing runs");
    const auto filters = std::make_shared<Strings>();
    app.add_option(
           "--filter", *filters, "name=PATTERN: only stacks whose names match it (repeatable)")
        ->allow_extra_args(false);
    app.callback([&context, options, filters] { run_ls(context, *options, *filters); });
}

void add_images(CLI::App& app, Context& context) {
    const auto options = declare_list(app);
    app.add_option("SERVICE", options->services, "Only these services");
    app.callback([&context, options] {
        run_images(context, options->services, options->quiet, options->format);
    });
}

void add_volumes(CLI::App& app, Context& context) {
    const auto options = declare_list(app);
    app.add_option("SERVICE", options->services, "Only what containers of these services have");
    app.callback([&context, options] { run_volumes(context, *options); });
}

void add_port(CLI::App& app, Context& context) {
    const auto target = std::make_shared<Target>();
    const auto port = std::make_shared<std::string>();
    const auto protocol = std::make_shared<std::string>("tcp");
    declare_target(app, *target);
    app.add_option("PORT", *port, "The port inside the container")->required();
    app.add_option("--protocol", *protocol, "tcp, udp or sctp");
    app.callback([&context, target, port, protocol] {
        const auto container = find_up_target(context, *target);
        sys::write_out(find_published(container, *port, *protocol).front() + "\n");
    });
}

void add_container_port(CLI::App& app, Context& context) {
    const auto target = std::make_shared<Target>();
    const auto port = std::make_shared<std::string>();
    target->naming = Naming::container;
    declare_target(app, *target);
    app.add_option("PORT", *port, "The port inside the container: 80 or 53/udp (default: all)");
    app.callback([&context, target, port] {
        const auto container = find_target(context, *target);  // docker: it need not run
        if (port->empty())
            list_ports(container);
        else
            sys::write_out(join(find_published(container, *port, "tcp"), "\n") + "\n");
    });
}

}  // namespace stack::cli
