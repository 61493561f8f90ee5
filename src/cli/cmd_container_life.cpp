// container start, stop, restart, kill, rm, pause, unpause, rename, update, prune: containers by
// their own names, with the engine in this process. The supervisor of one's project, where there is
// one, sees what has become of it.

#include <stack/error.h>
#include <stack/supervise.h>

#include "cli/ask.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/container_size.h"
#include "cli/describe.h"
#include "cli/filters.h"
#include "cli/local_runtime.h"
#include "cli/options.h"
#include "cli/prune.h"
#include "cli/session.h"
#include "cli/single.h"
#include "cli/single_stack.h"
#include "cli/target.h"
#include "engine/image/store.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace stack::cli {
namespace {

bool is_single(const ObservedContainer& container) {
    return container.project == single_containers;
}

/// What is done to one container, in order.
using ActionsFor = std::function<std::vector<Action>(const ObservedContainer&)>;

/// One container's actions follow each other; different ones have nothing to wait for.
Plan plan_for(const std::vector<ObservedContainer>& containers, const ActionsFor& actions_for) {
    Plan plan;
    for (const auto& container : containers) {
        std::vector<std::size_t> after;
        for (auto& action : actions_for(container)) {
            plan.actions.push_back(
                {std::move(action), "container/" + container.name, "asked for", {}, after});
            after = {plan.actions.size() - 1};
        }
    }
    return plan;
}

/// Carries out the plan for the containers; the names of those to which all of it could be done.
Strings carry_out(const Context& context,
                  const std::vector<ObservedContainer>& containers,
                  Plan plan) {
    require_root();
    Strings failed;
    LocalEngine local(context.paths);
    local.carry_out(std::move(plan), [&](const Event& event) {
        if (event.status == EventStatus::warning)
            warn(event.id + ": " + event.detail);
        if (event.status != EventStatus::error)
            return;
        failed.push_back(event.id);
        sys::write_err("stack: " + event.detail + "\n");
    });
    Strings done;
    for (const auto& container : containers)
        if (std::find(failed.begin(), failed.end(), "Container " + container.name) == failed.end())
            done.push_back(container.name);
    if (std::any_of(containers.begin(), containers.end(), is_single))
        publish_single_names(local);
    return done;
}

/// Does it and prints the names of those to which all of it could be done.
int carry_out(const Context& context, const Found& found, const ActionsFor& actions_for) {
    Plan plan = plan_for(found.containers, actions_for);
    if (const auto status = only_plan(context, plan))
        return found.all ? *status : 1;
    const Strings done = carry_out(context, found.containers, std::move(plan));
    for (const auto& name : done)
        sys::write_out(name + "\n");
    return found.all && done.size() == found.containers.size() ? 0 : 1;
}

/// Those that `is_fit` holds of; of each other one a sentence is said.
Found fit_ones(Found found,
               const std::function<bool(const ObservedContainer&)>& is_fit,
               const std::string& what) {
    std::erase_if(found.containers, [&](const ObservedContainer& container) {
        if (is_fit(container))
            return false;
        sys::write_err("stack: container " + container.name + " " + what + "\n");
        found.all = false;
        return true;
    });
    return found;
}

std::shared_ptr<Targets> declare(CLI::App& app) {
    auto targets = std::make_shared<Targets>();
    targets->naming = Naming::container;
    declare_targets(app, *targets);
    return targets;
}

void ensure_keepers(const Context& context, const Found& found) {
    if (context.globals.dry_run)
        return;
    for (const auto& container : found.containers)
        ensure_keeper(context, container);
}

int start(const Context& context, const Targets& targets) {
    const Found found = find_present(context, targets);
    const sys::Lock use = use_single_project(context.paths);
    const int status = carry_out(context, found, [](const ObservedContainer& container) {
        return std::vector<Action>{StartContainer{container.name}};
    });
    ensure_keepers(context, found);
    return status;
}

struct StartOptions {
    bool attached = false;
    bool interactive = false;
    std::string detach_keys = default_detach_keys;
};

AttachmentOptions attachment_options(const ObservedContainer& container,
                                     const StartOptions& options) {
    const Service& service = container.service_config;
    AttachmentOptions attach;
    attach.terminal = service.tty;
    attach.input = options.interactive && service.stdin_open;
    attach.proxy_signals = !service.tty;
    attach.detach_keys = detach_keys(options.detach_keys);
    return attach;
}

/// With its streams: the program waits until they are connected. One that runs goes on.
int start_attached(const Context& context, const Targets& targets, const StartOptions& options) {
    require_root();
    const auto containers = find_targets(context, targets);
    if (containers.size() != 1)
        give_up("one container at a time can have this terminal");
    const ObservedContainer& container = containers.front();
    if (container.state == ContainerState::paused)
        give_up("container " + container.name +
                " is paused: unpause it before it is started, by `stack container unpause " +
                container.name + "`");
    if (container.state == ContainerState::running)
        return attach_to(context, container, attachment_options(container, options));
    Session session;
    session.container = container.name;
    session.attach = attachment_options(container, options);
    session.quiet = true;
    session.start = [&](const EventSink& events) {
        const sys::Lock use = use_single_project(context.paths);
        LocalRuntime runtime(context.paths);
        const auto starting = runtime->start(container.id, runtime::Starter::client);
        events({.id = "Container " + container.name, .text = "Starting"});
        runtime->finish_start(starting, sys::read_all(starting.status));
        ensure_keeper(context, container);
        return 0;
    };
    session.ended = [&](const std::string& id) {
        if (container.auto_remove)
            await_removal(context, id);
    };
    const int status = run_session(context, std::move(session));
    LocalEngine local(context.paths);
    if (is_single(container))
        publish_single_names(local);
    return status;
}

struct StopOptions {
    std::optional<double> timeout;  // seconds
    std::string signal;             // empty: each one's own
};

StopContainer stop_of(const ObservedContainer& container, const StopOptions& options) {
    StopContainer action{container.id, container.name, seconds(options.timeout)};
    action.signal = options.signal;
    return action;
}

int stop(const Context& context, const Targets& targets, const StopOptions& options) {
    return carry_out(
        context, find_present(context, targets), [&](const ObservedContainer& container) {
            return std::vector<Action>{stop_of(container, options)};
        });
}

/// In one order, whatever theirs on the command line: two restarts do not wait for each other.
std::vector<sys::Lock> hold_for_restart(const Context& context, const Found& found) {
    std::set<std::string> ids;
    for (const auto& container : found.containers)
        if (container.auto_remove && !context.globals.dry_run)
            ids.insert(container.id);
    const LocalRuntime runtime(context.paths);
    std::vector<sys::Lock> held;
    for (const auto& id : ids)
        held.push_back(runtime.get().hold_for_restart(id));
    return held;
}

int restart(const Context& context, const Targets& targets, const StopOptions& options) {
    const Found found = find_present(context, targets);
    auto held = hold_for_restart(context, found);
    const int status = carry_out(context, found, [&](const ObservedContainer& container) {
        return std::vector<Action>{stop_of(container, options), StartContainer{container.name}};
    });
    held.clear();  // before somebody looks what has become of them
    ensure_keepers(context, found);
    return status;
}

int kill(const Context& context, const Targets& targets, const std::string& signal) {
    const Found found = fit_ones(find_present(context, targets), is_up, "is not running");
    return carry_out(context, found, [&](const ObservedContainer& container) {
        return std::vector<Action>{KillContainer{container.id, container.name, signal}};
    });
}

int pause(const Context& context, const Targets& targets, bool paused) {
    const Found found = fit_ones(
        find_present(context, targets),
        [&](const ObservedContainer& container) {
            return container.state == (paused ? ContainerState::running : ContainerState::paused);
        },
        paused ? "is not running, or paused already" : "is not paused");
    return carry_out(context, found, [&](const ObservedContainer& container) {
        return std::vector<Action>{PauseContainer{container.id, container.name, paused}};
    });
}

/// Takes away those of the names that are ids of containers whose records are damaged. The others
/// stay in `names`.
void remove_damaged(const Context& context, Strings& names) {
    LocalRuntime runtime(context.paths);
    const Strings damaged = runtime->damaged();
    std::erase_if(names, [&](const std::string& name) {
        constexpr std::size_t shortest_id = 12;
        const auto found = std::find_if(damaged.begin(), damaged.end(), [&](const auto& id) {
            return name.size() >= shortest_id && id.starts_with(name);
        });
        if (found == damaged.end())
            return false;
        runtime->remove(*found, false);
        sys::write_out(name + "\n");
        return true;
    });
}

int remove(const Context& context, Targets targets, bool force, bool volumes) {
    if (force && !context.globals.dry_run)
        remove_damaged(context, targets.names);
    Found found = find_present(context, targets);
    if (force)
        found.all = !found.ambiguous;  // one that is not there is what was asked for
    else
        found = fit_ones(std::move(found),
                         std::not_fn(is_up),
                         "is running: stop it first, or remove it with -f");
    const int status = carry_out(context, found, [&](const ObservedContainer& container) {
        std::vector<Action> actions;
        // One that is about to be started again stays down.
        if (is_up(container) || container.service_config->restart.condition != RestartCondition::no)
            actions.emplace_back(StopContainer{container.id, container.name, Duration::zero()});
        actions.emplace_back(RemoveContainer{container.id, container.name, volumes});
        return actions;
    });
    leave_single_project(context);
    return status;
}

std::vector<Action> removal_of(const ObservedContainer& container) {
    return {RemoveContainer{container.id, container.name, false}};
}

int prune(const Context& context, const Strings& filters, bool force) {
    require_root();
    if (const auto status =
            only_plan(context, plan_for(containers_to_prune(context, filters), removal_of)))
        return *status;
    if (!may_remove("all stopped containers.", force))
        return 1;
    const Pruned pruned = prune_containers(context, filters);
    sys::write_out(pruned_text("Containers", pruned) + reclaimed_text(pruned.freed));
    return pruned.status;
}

void rename(const Context& context, const Target& target, const std::string& name) {
    require_root();
    const auto container = find_target(context, target);
    LocalRuntime(context.paths)->rename(container.id, name);
    LocalEngine local(context.paths);
    if (is_single(container))
        publish_single_names(local);
}

/// The service with the limits and the policy that the options name.
Service updated(Service service, SingleOptions options) {
    options.name = "container";
    options.image = "image";
    SingleContext nothing;
    nothing.directory = "/";
    const SingleStack single = single_stack(options, nothing);
    const Service& wanted = single.stack.services.at(options.name);
    const Resources& limits = wanted.resources;
    Resources& own = service.resources;
    const auto take = [](auto& to, const auto& from) {
        if (from)
            to = from;
    };
    take(own.memory, limits.memory);
    take(own.memory_reservation, limits.memory_reservation);
    take(own.memory_swap, limits.memory_swap);
    take(own.cpus, limits.cpus);
    take(own.cpu_shares, limits.cpu_shares);
    take(own.cpu_period, limits.cpu_period);
    take(own.cpu_quota, limits.cpu_quota);
    take(own.memory_swappiness, limits.memory_swappiness);
    take(own.cpu_rt_period, limits.cpu_rt_period);
    take(own.cpu_rt_runtime, limits.cpu_rt_runtime);
    take(own.pids, limits.pids);
    if (limits.blkio.weight != 0)
        own.blkio.weight = limits.blkio.weight;
    if (!limits.cpuset.empty())
        own.cpuset = limits.cpuset;
    if (!limits.cpuset_mems.empty())
        own.cpuset_mems = limits.cpuset_mems;
    if (!options.restart.empty())
        service.restart = wanted.restart;
    return service;
}

int update(const Context& context, const Targets& targets, const SingleOptions& options) {
    const bool may_come_back = !options.restart.empty() && options.restart != "no";
    const Found found = fit_ones(
        find_present(context, targets),
        [&](const ObservedContainer& container) {
            return !may_come_back || !container.auto_remove;
        },
        "is removed at its end (--rm): it can have no restart policy");
    const int status = carry_out(context, found, [&](const ObservedContainer& container) {
        return std::vector<Action>{UpdateContainer{container.id,
                                                   container.name,
                                                   updated(container.service_config, options),
                                                   container.config_digest}};
    });
    for (const auto& container : found.containers)
        if (is_up(container))
            ensure_keeper(context, container);
    return status;
}

std::shared_ptr<StopOptions> declare_stop(CLI::App& app) {
    auto options = std::make_shared<StopOptions>();
    app.add_option("-t,--time,--timeout",
                   options->timeout,
                   "Seconds to wait for a container to stop before it is killed");
    app.add_option("-s,--signal", options->signal, "Ask with this signal, not with its own");
    return options;
}

void declare_pause(CLI::App& app, Context& context, bool paused) {
    const auto targets = declare(app);
    app.callback(
        [&context, targets, paused] { context.exit_code = pause(context, *targets, paused); });
}

}  // namespace

std::vector<ObservedContainer> containers_to_prune(const Context& context, const Strings& texts) {
    const Filters filters(texts, {"until", "label", "label!"});
    auto containers = all_containers(context);
    std::erase_if(containers, [&](const ObservedContainer& container) {
        return is_listed(container) ||
               !filters.hold([&](const std::string& key, const std::string& value) {
                   return key == "until" ? is_until(container.created, value)
                                         : has_label(container.labels, value) == (key == "label");
               });
    });
    return containers;
}

Pruned prune_containers(const Context& context, const Strings& filters) {
    const auto containers = containers_to_prune(context, filters);
    std::map<std::string, std::int64_t> sizes;
    for (const auto& container : containers)
        sizes[container.name] = size_of(context.paths, container).written;
    Pruned pruned;
    if (!containers.empty())
        pruned.removed = carry_out(context, containers, plan_for(containers, removal_of));
    for (const auto& name : pruned.removed)
        pruned.freed += sizes.at(name);
    pruned.status = pruned.removed.size() == containers.size() ? 0 : 1;
    leave_single_project(context);
    return pruned;
}

void add_container_start(CLI::App& app, Context& context) {
    const auto targets = declare(app);
    const auto options = std::make_shared<StartOptions>();
    app.add_flag("-a,--attach", options->attached, "Show what it prints, and wait for its end");
    app.add_flag("-i,--interactive", options->interactive, "Pass input on, too");
    app.add_option("--detach-keys",
                   options->detach_keys,
                   "The keys that leave it running (default ctrl-p,ctrl-q)");
    app.callback([&context, targets, options] {
        context.exit_code = options->attached || options->interactive
                                ? start_attached(context, *targets, *options)
                                : start(context, *targets);
    });
}

void add_container_stop(CLI::App& app, Context& context) {
    const auto targets = declare(app);
    const auto options = declare_stop(app);
    app.callback(
        [&context, targets, options] { context.exit_code = stop(context, *targets, *options); });
}

void add_container_restart(CLI::App& app, Context& context) {
    const auto targets = declare(app);
    const auto options = declare_stop(app);
    app.callback(
        [&context, targets, options] { context.exit_code = restart(context, *targets, *options); });
}

void add_container_kill(CLI::App& app, Context& context) {
    const auto targets = declare(app);
    const auto signal = std::make_shared<std::string>("KILL");
    app.add_option(
        "-s,--signal",
        *signal,
        "The signal, by name or number (default KILL); this one and its stop signal also end "
        "its restarts, until it is started again");
    app.callback(
        [&context, targets, signal] { context.exit_code = kill(context, *targets, *signal); });
}

void add_container_rm(CLI::App& app, Context& context) {
    const auto targets = declare(app);
    const auto force = std::make_shared<bool>(false);
    const auto volumes = std::make_shared<bool>(false);
    app.add_flag("-f,--force",
                 *force,
                 "Also those that run: they are killed; one that is not there is no failure");
    app.add_flag("-v,--volumes", *volumes, "Remove their anonymous volumes, too");
    app.add_flag_callback(
           "-l,--link",
           [] {
               give_up("rm -l: a link is a line of its container's /etc/hosts, and goes with it");
           },
           "")
        ->group("");
    app.callback([&context, targets, force, volumes] {
        context.exit_code = remove(context, *targets, *force, *volumes);
    });
}

void add_container_pause(CLI::App& app, Context& context) {
    declare_pause(app, context, true);
}

void add_container_unpause(CLI::App& app, Context& context) {
    declare_pause(app, context, false);
}

void add_container_prune(CLI::App& app, Context& context) {
    const auto force = std::make_shared<bool>(false);
    const auto filters = std::make_shared<Strings>();
    app.add_flag("-f,--force", *force, "Do not ask");
    app.add_option(
           "--filter", *filters, "Only those with until=24h, label= or label!= (repeatable)")
        ->allow_extra_args(false);
    app.callback(
        [&context, filters, force] { context.exit_code = prune(context, *filters, *force); });
}

void add_container_rename(CLI::App& app, Context& context) {
    const auto target = std::make_shared<Target>();
    const auto name = std::make_shared<std::string>();
    target->naming = Naming::container;
    declare_target(app, *target);
    app.add_option("NAME", *name, "The new name")->required();
    app.callback([&context, target, name] { rename(context, *target, *name); });
}

void add_container_update(CLI::App& app, Context& context) {
    const auto targets = declare(app);
    const auto options = std::make_shared<SingleOptions>();
    declare_limits(app, *options);
    app.add_option("--restart",
                   options->restart,
                   "Start it again: no, on-failure[:TIMES], always, unless-stopped");
    app.callback(
        [&context, targets, options] { context.exit_code = update(context, *targets, *options); });
}

}  // namespace stack::cli
