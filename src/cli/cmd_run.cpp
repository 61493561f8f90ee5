// run

#include "base/random.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/here.h"
#include "cli/local.h"
#include "cli/options.h"
#include "cli/project.h"
#include "cli/session.h"
#include "engine/storage/volumes.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <set>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using nlohmann::json;

struct Options {
    UpOptions up;
    std::string service;
    Strings command;
    Strings environment;
    Strings volumes;
    Strings ports;
    Strings labels;
    Strings environment_files;
    Strings cap_add;
    Strings cap_drop;
    std::optional<std::string> entrypoint;
    std::string user;
    std::string working_dir;
    std::string name;
    std::string detach_keys = default_detach_keys;
    bool service_ports = false;
    bool no_tty = false;
    bool interactive = true;
    bool detach = false;
    bool remove = false;
    bool use_aliases = false;
    bool silent = false;
    Quiet quiet;

    [[nodiscard]] bool has_terminal() const {
        return !detach && !no_tty && sys::is_terminal(0) && sys::is_terminal(1);
    }
};

// --- what the command line changes in the service ---

/// For the loader, which would take a `$` for a variable.
json literal(const std::string& text) {
    return replace_all(text, "$", "$$");
}

json literal(const Strings& texts) {
    json list = json::array();
    for (const auto& text : texts)
        list.push_back(literal(text));
    return list;
}

/// A stack file that says of the service what the command line says: the loader knows how the two
/// become one.
std::string overlay(const Options& options, const Strings& environment, const Strings& volumes) {
    Strings fields;
    const auto add = [&](const std::string& name, const json& value, const std::string& tag = "") {
        fields.push_back(name + ": " + tag +
                         value.dump(-1, ' ', false, json::error_handler_t::replace));
    };
    if (!environment.empty())
        add("environment", literal(environment));
    if (!options.volumes.empty())
        add("volumes", literal(options.volumes));
    if (!options.labels.empty())
        add("labels", literal(options.labels));
    if (!options.cap_add.empty())
        add("cap_add", literal(options.cap_add));
    if (!options.cap_drop.empty())
        add("cap_drop", literal(options.cap_drop));
    if (!options.user.empty())
        add("user", literal(options.user));
    if (!options.working_dir.empty())
        add("working_dir", literal(options.working_dir));
    if (options.entrypoint)
        add("entrypoint", literal(*options.entrypoint));
    if (!options.command.empty() || options.entrypoint)
        add("command", literal(options.command));  // an entrypoint of ours has no use for another's
    if (!options.detach) {
        add("tty", options.has_terminal());
        add("stdin_open", options.interactive);
    }
    add("ports", literal(options.ports), options.service_ports ? "" : "!override ");
    json declared = json::object();
    for (const auto& name : volumes)
        declared[name] = {{"external", true}, {"name", literal(name)}};
    return "services: {" + json(options.service).dump() + ": {" + join(fields, ", ") +
           "}}\nvolumes: " + declared.dump() + "\n";
}

/// What the files of variables say, which the loader reads, and then what wins over them.
Strings environment_of(const Context& context, const Options& options) {
    Strings variables;
    if (!options.environment_files.empty()) {
        json files = json::array();
        for (const auto& file : options.environment_files)
            files.push_back(literal(here(file)));
        LoadAdjustments adjust;
        adjust.named_services = {options.service};
        adjust.overlay = "services: {" + json(options.service).dump() + ": {env_file: !override " +
                         files.dump() + ", environment: !override {}}}\n";
        const Stack read = load_project(context, adjust);
        for (const auto& [name, value] : read.services.at(options.service).environment)
            variables.push_back(name + (value ? "=" + *value : ""));
    }
    variables.insert(variables.end(), options.environment.begin(), options.environment.end());
    return variables;
}

/// The volumes that -v names: what is no path.
std::set<std::string> named_volumes(const Options& options) {
    std::set<std::string> names;
    for (const auto& text : options.volumes) {
        const auto [source, target] = split_once(text, ':');
        if (!target.empty() && source.find_first_of("./~") != 0)
            names.insert(source);
    }
    return names;
}

/// Of those, what the stack does not declare: each is the engine's volume of that very name. What
/// it declares and no service uses comes to `stack`.
Strings undeclared_volumes(const Context& context, const Options& options, Stack& stack) {
    std::set<std::string> names = named_volumes(options);
    std::erase_if(names, [&](const auto& name) { return stack.volumes.contains(name); });
    if (names.empty())
        return {};
    Context whole = context;
    whole.globals.all_resources = true;
    LoadAdjustments adjust;
    adjust.named_services = {options.service};
    adjust.overlay = "services: {}\n";  // what there is to warn of has been printed
    const Stack all = load_project(whole, adjust);
    for (const auto& [key, volume] : all.volumes)
        if (names.erase(key) != 0)
            stack.volumes[key] = volume;
    return {names.begin(), names.end()};
}

/// Without them, the start would make some that are taken for anonymous.
void make_volumes(const Context& context, const Strings& names) {
    for (const auto& name : names) {
        storage::VolumeRecord record;
        record.name = name;
        storage::ensure_volume(context.paths, record);
    }
}

Request run_request(const Context& context, const Stack& stack, const Options& options) {
    Request request;
    request.verb = "run";
    request.stack = stack;
    request.up = plan_options(options.up, stack);
    request.parallel = context.globals.parallel;
    request.named_by_hand = is_named_by_hand(context);
    LoadAdjustments adjust;
    adjust.named_services = {options.service};
    const Strings volumes = undeclared_volumes(context, options, *request.stack);
    adjust.overlay = overlay(options, environment_of(context, options), volumes);
    request.run.service = load_project(context, adjust).services.at(options.service);
    if (!context.globals.dry_run)
        make_volumes(context, volumes);
    for (auto& [network, attachment] : request.run.service.networks) {
        if (!options.use_aliases)
            attachment.aliases.clear();
        else
            attachment.aliases.push_back(options.service);
    }
    constexpr std::size_t digits = 12;
    request.run.name = options.name.empty()
                           ? stack.name + "-" + options.service + "-run-" + random_hex(digits)
                           : options.name;
    request.run.auto_remove = options.remove;
    request.run.await_client = !options.detach;
    return request;
}

// --- the client of the container ---

int run_attached(const Context& context, const Request& request, const Options& options) {
    Session session;
    session.container = request.run.name;
    session.attach.terminal = request.run.service.tty;
    session.attach.input = request.run.service.stdin_open;
    session.attach.proxy_signals = !request.run.service.tty;
    session.attach.detach_keys = detach_keys(options.detach_keys);
    session.quiet = options.silent;
    session.start = [&](const EventSink& events) {
        return stack::request(
            context.paths, request.stack->name, request, hushed(options.quiet, events));
    };
    session.ended = [&](const std::string& id) {
        if (options.remove)
            await_removal(context, id);
    };
    return run_session(context, std::move(session));
}

int run_detached(const Context& context,
                 const Stack& stack,
                 const Request& request,
                 const Options& options) {
    Context quiet = context;
    if (options.silent)
        quiet.globals.progress = "quiet";
    const int status = ask(quiet, stack, request, "Running", options.quiet);
    if (status != 0)
        return status;
    for (const auto& container : LocalEngine(context.paths).observe(stack).containers)
        if (container.name == request.run.name)
            sys::write_out(container.id + "\n");
    return 0;
}

void run(Context& context, const Options& options) {
    require_root();
    LoadAdjustments adjust;
    adjust.named_services = {options.service};
    const Stack stack = load_project(context, adjust);
    check_services({options.service}, stack);
    const Request request = run_request(context, stack, options);
    if (context.globals.dry_run) {
        LocalEngine local(context.paths);
        const Observed observed = local.observe(stack, {.builds = true, .files = true});
        const Plan plan = plan_run(stack, observed, request.up, request.run);
        context.exit_code = only_plan(context, as_supervised(context, stack, plan)).value_or(0);
    } else if (options.detach) {
        context.exit_code = run_detached(context, stack, request, options);
    } else {
        context.exit_code = run_attached(context, request, options);
    }
}

void add_service_options(CLI::App& app, Options& options) {
    const auto add_list = [&](const char* names, Strings& list, const char* help) {
        app.add_option(names, list, help)->allow_extra_args(false);
    };
    add_list("-e,--env", options.environment, "Set a variable: NAME=VALUE, or NAME (repeatable)");
    add_list("-v,--volume,--volumes",
             options.volumes,
             "Mount a volume or path: SOURCE:TARGET (repeatable)");
    add_list("-p,--publish", options.ports, "Publish a port: HOST:CONTAINER (repeatable)");
    add_list("-l,--label,--labels", options.labels, "Set a label: NAME=VALUE (repeatable)");
    add_list("--env-from-file",
             options.environment_files,
             "Set the variables of a file; -e wins (repeatable)");
    add_list("--cap-add", options.cap_add, "Give a capability (repeatable)");
    add_list("--cap-drop", options.cap_drop, "Take a capability away (repeatable)");
    app.add_flag(
        "--use-aliases", options.use_aliases, "Answer to the service's names in its networks, too");
    app.add_flag("-P,--service-ports", options.service_ports, "Publish the service's ports");
    app.add_option("--entrypoint", options.entrypoint, "Run this instead of the entrypoint");
    app.add_option("-u,--user", options.user, "Run as this user");
    app.add_option("-w,--workdir", options.working_dir, "Run in this directory");
    app.add_option("--name", options.name, "Name of the container");
    app.add_flag("-T,--no-TTY", options.no_tty, "No terminal, also where there is one");
    app.add_flag("-i,--interactive", options.interactive, "Pass input on (default true)");
}

}  // namespace

void add_run(CLI::App& app, Context& context) {
    const auto options = std::make_shared<Options>();
    app.prefix_command(false);
    app.positionals_at_end(true);
    app.add_option("SERVICE", options->service, "The service")->required();
    app.add_option("COMMAND", options->command, "The command and its arguments");
    add_service_options(app, *options);
    app.add_flag("-d,--detach", options->detach, "Print the container's id and do not wait");
    app.add_flag("--rm", options->remove, "Remove the container when it has ended");
    app.add_flag("--no-deps", options->up.no_deps, "Leave the service's dependencies alone");
    app.add_flag("--build", options->up.build, "Build images first, where their sources changed");
    app.add_option("--pull", options->up.pull, "Pull images: always, missing or never")
        ->check(CLI::IsMember({"always", "missing", "never", "policy"}));
    app.add_flag("--remove-orphans",
                 options->up.remove_orphans,
                 "Remove containers of services that left the file");
    app.add_flag("-q,--quiet", options->silent, "No progress");
    app.add_flag("--quiet-pull", options->quiet.pull, "Do not show the layers of a pull");
    app.add_flag("--quiet-build", options->quiet.build, "Do not show the steps of a build");
    app.add_option("--detach-keys",
                   options->detach_keys,
                   "The keys that leave it running (default ctrl-p,ctrl-q)");
    add_accepted_flag(app, "-t,--tty", "the default where there is a terminal");
    app.callback([&context, options] { run(context, *options); });
}

}  // namespace stack::cli
