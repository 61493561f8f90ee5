// ps, ls, images, volumes, port, top: looking at what is there.

#include "base/text.h"
#include "base/units.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/local.h"
#include "cli/project.h"
#include "cli/style.h"
#include "engine/image/store.h"
#include "engine/runtime/runtime.h"
#include "engine/storage/volumes.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

constexpr std::size_t short_id = 12;

struct PsOptions {
    Strings services;
    Strings status;
    std::string format = "table";
    bool all = false;
    bool quiet = false;
    bool list_services = false;
    bool no_trunc = false;
};

std::vector<ObservedContainer> selected(const Context& context, const PsOptions& options) {
    const Stack stack = find_project(context);
    LocalEngine local(context.paths);
    auto containers = containers_of(stack, local.observe(stack), options.services, options.all);
    std::erase_if(containers, [&](const ObservedContainer& container) {
        if (!options.status.empty())
            return std::find(options.status.begin(), options.status.end(), state_text(container)) ==
                   options.status.end();
        return !options.all && container.state != ContainerState::running &&
               container.state != ContainerState::paused;
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
    std::vector<Strings> rows{
        {"NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"}};
    for (const auto& container : containers) {
        const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - container.created);
        rows.push_back({container.name,
                        container.image,
                        command_text(container, options.no_trunc),
                        container.service,
                        format_age(age) + " ago",
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

/// Every container of the instance, of whichever stack.
std::vector<ObservedContainer> all_containers(const Context& context) {
    const cgroup::Cgroups cgroups;
    network::Networks networks(context.paths);
    const runtime::Runtime runtime(context.paths, cgroups, networks);
    std::vector<ObservedContainer> containers;
    for (const auto& id : runtime.list())
        if (auto container = runtime.observe(id))
            containers.push_back(std::move(*container));
    return containers;
}

void run_ls(const Context& context, bool all, bool quiet, const std::string& format) {
    struct Summary {
        std::map<std::string, int> states;
        std::string files;
        bool runs = false;
    };

    std::map<std::string, Summary> stacks;
    for (const auto& container : all_containers(context)) {
        if (container.project.empty())
            continue;
        auto& summary = stacks[container.project];
        ++summary.states[state_text(container)];
        summary.runs = summary.runs || container.state == ContainerState::running;
        const auto files = container.labels.find("com.docker.compose.project.config_files");
        if (files != container.labels.end())
            summary.files = files->second;
    }
    nlohmann::json list = nlohmann::json::array();
    std::vector<Strings> rows{{"NAME", "STATUS", "CONFIG FILES"}};
    std::string names;
    for (const auto& [name, summary] : stacks) {
        if (!all && !summary.runs)
            continue;
        Strings states;
        for (const auto& [state, count] : summary.states)
            states.push_back(state + "(" + std::to_string(count) + ")");
        list.push_back(
            {{"Name", name}, {"Status", join(states, ", ")}, {"ConfigFiles", summary.files}});
        rows.push_back({name, join(states, ", "), summary.files});
        names += name + "\n";
    }
    sys::write_out(quiet ? names : format == "json" ? list.dump() + "\n" : table(rows));
}

void run_images(const Context& context,
                const Strings& services,
                bool quiet,
                const std::string& format) {
    const Stack stack = find_project(context);
    LocalEngine local(context.paths);
    const image::Store store(context.paths);
    std::vector<Strings> rows{{"CONTAINER", "IMAGE", "IMAGE ID", "SIZE"}};
    nlohmann::json list = nlohmann::json::array();
    std::set<std::string> ids;
    for (const auto& container : containers_of(stack, local.observe(stack), services)) {
        const auto image = store.find(container.image_id);
        const std::string id = container.image_id.substr(container.image_id.find(':') + 1);
        rows.push_back({container.name,
                        container.image,
                        id.substr(0, short_id),
                        image ? format_bytes(image->size) : "-"});
        list.push_back({{"ContainerName", container.name},
                        {"Image", container.image},
                        {"ID", container.image_id},
                        {"Size", image ? image->size : 0}});
        ids.insert(id);
    }
    std::string lines;
    for (const auto& id : ids)
        lines += id + "\n";
    sys::write_out(quiet ? lines : format == "json" ? list.dump() + "\n" : table(rows));
}

void run_volumes(const Context& context, bool quiet, const std::string& format) {
    const Stack stack = find_project(context);
    std::vector<Strings> rows{{"DRIVER", "VOLUME NAME"}};
    std::string names;
    std::string lines;
    for (const auto& volume : storage::list_volumes(context.paths)) {
        if (volume.project != stack.name)
            continue;
        rows.push_back({volume.driver.empty() ? "local" : volume.driver, volume.name});
        names += volume.name + "\n";
        lines +=
            nlohmann::json{{"Name", volume.name},
                           {"Driver", volume.driver.empty() ? "local" : volume.driver},
                           {"Mountpoint", storage::volume_directory(context.paths, volume.name)}}
                .dump() +
            "\n";
    }
    sys::write_out(quiet ? names : format == "json" ? lines : table(rows));
}

void run_port(const Context& context,
              const std::string& service,
              const std::string& port,
              const std::string& protocol,
              int index) {
    const Stack stack = find_project(context);
    LocalEngine local(context.paths);
    const auto container = running_container(stack, local.observe(stack), service, index);
    const auto [number, suffix] = split_once(port, '/');
    const std::string wanted = suffix.empty() ? protocol : suffix;
    constexpr std::array<const char*, 3> protocols{"tcp", "udp", "sctp"};
    for (const auto& published : container.ports) {
        if (std::to_string(published.target) == number && published.published != 0 &&
            wanted == protocols[static_cast<std::size_t>(published.protocol)]) {
            sys::write_out((published.host_ip.empty() ? "0.0.0.0" : published.host_ip) + ":" +
                           std::to_string(published.published) + "\n");
            return;
        }
    }
    give_up("container " + container.name + " does not publish port " + number + "/" + wanted +
            (container.ports.empty() ? "" : "; it publishes " + ports_text(container)));
}

std::string process_rows(const ObservedContainer& container, const std::vector<int>& pids) {
    std::vector<Strings> rows{{"PID", "PPID", "STAT", "COMMAND"}};
    for (const int pid : pids) {
        const std::string directory = "/proc/" + std::to_string(pid);
        const auto stat = sys::read_file(directory + "/stat").value_or("");
        const auto after_name = stat.rfind(')');
        if (after_name == std::string::npos)
            continue;  // it has just ended
        const auto fields = split(std::string_view(stat).substr(after_name + 2), ' ');
        std::string command = replace_all(
            sys::read_file(directory + "/cmdline").value_or(""), std::string(1, '\0'), " ");
        if (command.empty())
            command = "[" + stat.substr(stat.find('(') + 1, after_name - stat.find('(') - 1) + "]";
        rows.push_back({std::to_string(pid), fields[1], fields[0], printable(command)});
    }
    return container.name + "\n" + table(rows);
}

void run_top(const Context& context, const Strings& services) {
    const Stack stack = find_project(context);
    LocalEngine local(context.paths);
    const cgroup::Cgroups cgroups;
    network::Networks networks(context.paths);
    const runtime::Runtime runtime(context.paths, cgroups, networks);
    Strings sections;
    for (const auto& container : containers_of(stack, local.observe(stack), services))
        if (container.state == ContainerState::running || container.state == ContainerState::paused)
            sections.push_back(process_rows(container, runtime.processes(container.id)));
    sys::write_out(join(sections, "\n"));
}

struct ListOptions {
    Strings services;
    std::string format = "table";
    bool quiet = false;
    bool all = false;
};

std::shared_ptr<ListOptions> declare_list(CLI::App& app) {
    auto options = std::make_shared<ListOptions>();
    app.add_option("--format", options->format, "table or json")
        ->check(CLI::IsMember({"table", "json"}));
    app.add_flag("-q,--quiet", options->quiet, "Only names or ids");
    return options;
}

}  // namespace

void add_ps(CLI::App& app, Context& context) {
    const auto options = std::make_shared<PsOptions>();
    app.add_option("SERVICE", options->services, "Only these services");
    app.add_option("--format", options->format, "table or json")
        ->check(CLI::IsMember({"table", "json"}));
    app.add_option("--status", options->status, "Only containers in this state (repeatable)")
        ->allow_extra_args(false);
    app.add_flag("-a,--all", options->all, "Also containers that do not run");
    app.add_flag("-q,--quiet", options->quiet, "Only ids");
    app.add_flag("--services", options->list_services, "Only the services' names");
    app.add_flag("--no-trunc", options->no_trunc, "Whole commands");
    app.callback([&context, options] { run_ps(context, *options); });
}

void add_ls(CLI::App& app, Context& context) {
    const auto options = declare_list(app);
    app.add_flag("-a,--all", options->all, "Also stacks of which nothing runs");
    app.callback(
        [&context, options] { run_ls(context, options->all, options->quiet, options->format); });
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
    app.callback([&context, options] { run_volumes(context, options->quiet, options->format); });
}

void add_port(CLI::App& app, Context& context) {
    const auto service = std::make_shared<std::string>();
    const auto port = std::make_shared<std::string>();
    const auto protocol = std::make_shared<std::string>("tcp");
    const auto index = std::make_shared<int>(0);
    app.add_option("SERVICE", *service, "The service")->required();
    app.add_option("PORT", *port, "The port inside the container")->required();
    app.add_option("--protocol", *protocol, "tcp, udp or sctp");
    app.add_option("--index", *index, "Which of the service's containers");
    app.callback([&context, service, port, protocol, index] {
        run_port(context, *service, *port, *protocol, *index);
    });
}

void add_top(CLI::App& app, Context& context) {
    const auto services = std::make_shared<Strings>();
    app.add_option("SERVICE", *services, "Only these services");
    app.callback([&context, services] { run_top(context, *services); });
}

}  // namespace stack::cli
