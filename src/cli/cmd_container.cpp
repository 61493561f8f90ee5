// container: containers by their own names, of whichever stack or none.

#include "base/text.h"
#include "base/units.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/format.h"
#include "cli/inspect.h"
#include "cli/local_runtime.h"
#include "cli/style.h"
#include "cli/target.h"
#include "sys/terminal.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

constexpr std::size_t short_id = 12;

struct ListOptions {
    std::string format = "table";
    bool all = false;
    bool quiet = false;
    Strings filters;
    bool no_trunc = false;
};

/// Whether one `--filter KEY=VALUE` lets the container through.
bool passes(const ObservedContainer& container, const std::string& filter) {
    const auto [key, value] = split_once(filter, '=');
    if (key == "name")
        return container.name.find(value) != std::string::npos;
    if (key == "id")
        return container.id.starts_with(value);
    if (key == "status")
        return state_text(container) == value;
    if (key == "ancestor")
        return container.image == value || container.image_id.find(value) != std::string::npos;
    if (key == "exited")
        return container.state == ContainerState::exited && container.exit.code &&
               std::to_string(*container.exit.code) == value;
    if (key == "label") {
        const auto [name, wanted] = split_once(value, '=');
        const auto label = container.labels.find(name);
        return label != container.labels.end() &&
               (value.find('=') == std::string::npos || label->second == wanted);
    }
    give_up("--filter knows name, id, status, ancestor, exited and label, not \"" + key + "\"");
}

/// Those on one key are alternatives, as docker has it; different keys must all hold.
bool passes(const ObservedContainer& container, const Strings& filters) {
    std::map<std::string, bool> holds;
    for (const auto& filter : filters) {
        bool& any = holds[split_once(filter, '=').first];
        any = passes(container, filter) || any;
    }
    return std::all_of(holds.begin(), holds.end(), [](const auto& key) { return key.second; });
}

std::string id_text(const ObservedContainer& container, bool whole) {
    return whole ? container.id : container.id.substr(0, short_id);
}

std::string list_text(const std::vector<ObservedContainer>& containers,
                      const ListOptions& options) {
    const Time now = std::chrono::system_clock::now();
    std::vector<Strings> rows{
        {"CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"}};
    std::string lines;
    if (is_template(options.format) && !options.quiet) {
        std::vector<nlohmann::json> objects;
        for (const auto& container : containers)
            objects.push_back(ps_json(container, now));
        return formatted(options.format, objects);
    }
    for (const auto& container : containers) {
        if (options.quiet)
            lines += id_text(container, options.no_trunc) + "\n";
        else if (options.format == "json")
            lines += ps_json(container, now)
                         .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                     "\n";
        const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - container.created);
        rows.push_back({id_text(container, options.no_trunc),
                        container.image,
                        command_text(container, options.no_trunc),
                        format_age(age) + " ago",
                        status_text(container, now),
                        ports_text(container),
                        container.name});
    }
    return options.quiet || options.format == "json" ? lines : table(rows);
}

void list(const Context& context, const ListOptions& options) {
    auto containers = all_containers(context);
    const bool all =
        options.all ||
        std::any_of(options.filters.begin(), options.filters.end(), [](const std::string& filter) {
            return filter.starts_with("status=") || filter.starts_with("exited=");
        });
    std::erase_if(containers, [&](const ObservedContainer& container) {
        if (!passes(container, options.filters))
            return true;
        return !all && container.state != ContainerState::running &&
               container.state != ContainerState::paused;
    });
    sys::write_out(list_text(containers, options));
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
}

void add_container_ls(CLI::App& app, Context& context) {
    const auto options = std::make_shared<ListOptions>();
    app.add_flag("-a,--all", options->all, "Also those that do not run");
    app.add_flag("-q,--quiet", options->quiet, "Only ids");
    app.add_option("-f,--filter",
                   options->filters,
                   "Only those with name=, id=, status=, ancestor=, exited= or label= (repeatable)")
        ->allow_extra_args(false);
    app.add_flag("--no-trunc", options->no_trunc, "Whole ids and commands");
    add_format(app, options->format);
    app.callback([&context, options] { list(context, *options); });
}

void add_container_inspect(CLI::App& app, Context& context) {
    const auto targets = std::make_shared<Targets>();
    targets->naming = Naming::container;
    declare_targets(app, *targets);
    const auto format = std::make_shared<std::string>();
    add_inspect_format(app, *format);
    app.callback([&context, targets, format] {
        const LocalRuntime runtime(context.paths);
        std::vector<nlohmann::json> list;
        for (const auto& container : find_targets(context, *targets))
            if (const auto record = runtime.get().find(container.id))
                list.push_back(
                    inspect_json(*record, container, runtime.get().log_path(container.id)));
        sys::write_out(inspected(*format, list));
    });
}

}  // namespace stack::cli
