// down, start, stop, restart, kill, rm, pause, unpause, scale: commands on containers that exist.

#include "cli/ask.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/dry_run.h"
#include "cli/local.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/project.h"
#include "cli/stack_images.h"

#include <algorithm>

namespace stack::cli {
namespace {

struct LifeOptions {
    Strings services;
    std::optional<double> timeout;
    std::string signal = "SIGKILL";
    bool no_deps = false;
    bool volumes = false;
    bool stop = false;
    bool force = false;
    bool remove_orphans = false;
    std::string remove_images;  // all, local
    bool wait = false;
    std::optional<double> wait_timeout;  // seconds
};

using Fill = std::function<void(const Stack&, const LifeOptions&, Request&)>;
using PlanFor = std::function<Plan(const Stack&, const Observed&, const LifeOptions&)>;
/// Says what docker compose says of such a plan, or gives up with it.
using Tell = void (*)(const Stack&, const Observed&, const Plan&);

/// A command that is one request, and whose --dry-run is one plan.
struct LifeCommand {
    const char* verb;
    const char* title;
    PlanFor plan;
    Fill fill;
    Tell tell = nullptr;
};

PlanOptions wait_options(const LifeOptions& options) {
    PlanOptions plan;
    plan.wait = options.wait;
    plan.wait_timeout = seconds(options.wait_timeout);
    return plan;
}

void run_life(Context& context, LifeOptions options, const LifeCommand& command) {
    const auto [stack, by_name] = find_existing(context, options.services);
    options.remove_orphans = options.remove_orphans || by_name;
    LocalEngine local(context.paths);
    const Observed observed = local.observe(stack);
    static_cast<void>(containers_of(
        stack, observed, options.services));  // a service that does not exist is said here
    if (command.tell && !context.globals.dry_run)
        command.tell(stack, observed, command.plan(stack, observed, options));
    const auto images =
        options.remove_images.empty()
            ? Strings()
            : stack_images(stack, observed, options.services, options.remove_images == "local");
    Request request;
    request.verb = command.verb;
    request.services = options.services;
    request.timeout = seconds(options.timeout);
    command.fill(stack, options, request);
    if (context.globals.dry_run) {
        Plan plan = command.plan(stack, observed, options);
        if (request.stack)
            plan = as_supervised(context, stack, std::move(plan));
        if (!images.empty() && context.globals.dry_run_format != "text")
            give_up("images have no part in a plan: --rmi has --dry-run only as text");
        const int status = only_plan(context, plan).value_or(0);
        context.exit_code = std::max(status, tell_removal(context, images));
        return;
    }
    context.exit_code = ask(context, stack, request, command.title);
    if (context.exit_code == 0)
        remove_images(context, images);
}

std::shared_ptr<LifeOptions> declare(CLI::App& app, Context& context, LifeCommand command) {
    auto options = std::make_shared<LifeOptions>();
    app.add_option("SERVICE",
                   options->services,
                   command.verb == std::string("start")
                       ? "Only these services and what they depend on"
                       : "Only these services");
    app.callback([&context, options, command = std::move(command)] {
        run_life(context, *options, command);
    });
    return options;
}

void add_timeout(CLI::App& app, LifeOptions& options) {
    app.add_option("-t,--timeout",
                   options.timeout,
                   "Seconds to wait for a container to stop before it is killed");
}

void tell_of_no_resource(const Stack& stack, const Observed& observed, const Plan& plan) {
    const auto is_own = [&](const auto& one) { return one.project == stack.name; };
    if (plan.actions.empty() &&
        std::none_of(observed.containers.begin(), observed.containers.end(), is_own))
        tell_status("Warning: No resource found to remove for project \"" + stack.name + "\".");
}

/// By what the file says, of which nothing may have been brought up.
void refuse_start(const Stack& /*stack*/, const Observed& /*observed*/, const Plan& plan) {
    if (!plan.errors.empty())
        give_up(plan.errors.front());
}

void tell_of_none_to_kill(const Stack& /*stack*/, const Observed& /*observed*/, const Plan& plan) {
    if (plan.actions.empty())
        tell_status("no container to kill");
}

void tell_of_none_to_remove(const Stack& /*stack*/,
                            const Observed& /*observed*/,
                            const Plan& plan) {
    if (plan.actions.empty())
        tell_status("No stopped containers");
}

const Fill nothing_more = [](const Stack&, const LifeOptions&, Request&) {};

}  // namespace

void add_down(CLI::App& app, Context& context) {
    const auto down_options = [](const LifeOptions& options) {
        DownOptions down;
        down.services = options.services;
        down.volumes = options.volumes;
        down.remove_orphans = options.remove_orphans;
        down.timeout = seconds(options.timeout);
        return down;
    };
    const auto options = declare(
        app,
        context,
        {"down",
         "Running",
         [down_options](const Stack& stack, const Observed& observed, const LifeOptions& given) {
             return plan_down(stack, observed, down_options(given));
         },
         [down_options](const Stack& stack, const LifeOptions& given, Request& request) {
             request.stack = stack;
             request.down = down_options(given);
         },
         tell_of_no_resource});
    app.add_flag("-v,--volumes",
                 options->volumes,
                 "Remove the stack's named volumes and anonymous ones, too: their data is lost");
    app.add_flag("--remove-orphans",
                 options->remove_orphans,
                 "Remove containers of services that left the file")
        ->envname("COMPOSE_REMOVE_ORPHANS");
    app.add_option("--rmi",
                   options->remove_images,
                   "Remove images, too: all of the services', or local ones, which have no name in "
                   "the file")
        ->check(CLI::IsMember({"all", "local"}));
    add_timeout(app, *options);
}

void add_start(CLI::App& app, Context& context) {
    const auto options =
        declare(app,
                context,
                {"start",
                 "Running",
                 [](const Stack& stack, const Observed& observed, const LifeOptions& given) {
                     return plan_start(stack, observed, given.services, wait_options(given));
                 },
                 [](const Stack&, const LifeOptions& given, Request& request) {
                     request.up = wait_options(given);
                 },
                 refuse_start});
    CLI::Option* const wait = app.add_flag(
        "--wait", options->wait, "Return when everything is healthy, runs or has ended well");
    app.add_option("--wait-timeout", options->wait_timeout, "Seconds to wait at most")->needs(wait);
}

void add_stop(CLI::App& app, Context& context) {
    const auto options =
        declare(app,
                context,
                {"stop",
                 "Stopping",
                 [](const Stack& stack, const Observed& observed, const LifeOptions& given) {
                     return plan_stop(stack, observed, given.services, seconds(given.timeout));
                 },
                 nothing_more});
    add_timeout(app, *options);
}

void add_restart(CLI::App& app, Context& context) {
    const auto options =
        declare(app,
                context,
                {"restart",
                 "Restarting",
                 [](const Stack& stack, const Observed& observed, const LifeOptions& given) {
                     return plan_restart(
                         stack, observed, given.services, seconds(given.timeout), given.no_deps);
                 },
                 [](const Stack&, const LifeOptions& given, Request& request) {
                     request.no_deps = given.no_deps;
                 }});
    app.add_flag("--no-deps", options->no_deps, "Leave dependents alone");
    add_timeout(app, *options);
}

void add_kill(CLI::App& app, Context& context) {
    const auto options =
        declare(app,
                context,
                {"kill",
                 "Killing",
                 [](const Stack& stack, const Observed& observed, const LifeOptions& given) {
                     return plan_kill(stack, observed, given.services, given.signal);
                 },
                 [](const Stack&, const LifeOptions& given, Request& request) {
                     request.signal = given.signal;
                 },
                 tell_of_none_to_kill});
    app.add_option(
        "-s,--signal",
        options->signal,
        "The signal (default SIGKILL); this one and a container's stop signal also end its "
        "restarts, until it is started again");
    add_accepted_flag(app, "--remove-orphans", "it kills containers of services that left, too");
}

void add_rm(CLI::App& app, Context& context) {
    const auto options =
        declare(app,
                context,
                {"rm",
                 "Removing",
                 [](const Stack& stack, const Observed& observed, const LifeOptions& given) {
                     return plan_remove(stack, observed, given.services, given.stop, given.volumes);
                 },
                 [](const Stack&, const LifeOptions& given, Request& request) {
                     request.stop = given.stop;
                     request.volumes = given.volumes;
                 },
                 tell_of_none_to_remove});
    app.add_flag("-s,--stop", options->stop, "Stop them first, where they run");
    app.add_flag("-v,--volumes", options->volumes, "Remove their anonymous volumes, too");
    app.add_flag("-f,--force", options->force, "Accepted for compatibility: nothing is asked");
    add_accepted_flag(app, "-a,--all", "it removes what single commands have left, too");
}

void add_pause(CLI::App& app, Context& context) {
    declare(app,
            context,
            {"pause",
             "Pausing",
             [](const Stack& stack, const Observed& observed, const LifeOptions& given) {
                 return plan_pause(stack, observed, given.services, true);
             },
             nothing_more});
}

void add_unpause(CLI::App& app, Context& context) {
    declare(app,
            context,
            {"unpause",
             "Resuming",
             [](const Stack& stack, const Observed& observed, const LifeOptions& given) {
                 return plan_pause(stack, observed, given.services, false);
             },
             nothing_more});
}

void add_scale(CLI::App& app, Context& context) {
    const auto pairs = std::make_shared<Strings>();
    const auto no_deps = std::make_shared<bool>(false);
    app.add_option("SERVICE=N", *pairs, "How many containers each service is to have")->required();
    app.add_flag("--no-deps", *no_deps, "Leave the services' dependencies alone");
    app.callback([&context, pairs, no_deps] {
        UpOptions options;
        options.scale = *pairs;
        options.no_deps = *no_deps;
        for (const auto& [service, count] : scale_of(*pairs))
            options.services.push_back(service);
        const Stack stack = load_project(context, {.named_services = options.services});
        Request request;
        request.verb = "up";
        request.stack = stack;
        request.up = plan_options(options, stack);
        const auto shown = only_up(context, stack, request.up);
        context.exit_code = shown ? *shown : ask(context, stack, request, "Running");
    });
}

}  // namespace stack::cli
