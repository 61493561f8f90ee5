#include "supervise/supervisor.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/units.h"
#include "supervise/desired.h"
#include "supervise/images_first.h"
#include "supervise/origin.h"
#include "sys/lock.h"

#include <algorithm>
#include <csignal>
#include <utility>

namespace stack::supervise {
namespace {

constexpr std::chrono::seconds resync{10};

/// Of our own, never a client's.
constexpr const char* keep = "keep";

Error failure(const std::string& sentence) {
    return Error(std::make_error_code(std::errc::io_error), sentence);
}

/// Whether its stack is what is wanted from now on.
bool renews(const Request& request) {
    return request.verb == "up" || request.verb == "run";
}

/// Whether the request means that the container ends and stays so. It may have ended already, by
/// our own hand.
bool ends(const Request& request, const ObservedContainer& container) {
    const bool is_down = request.verb == "down";
    const Strings& named = is_down ? request.down.services : request.services;
    if (!named.empty() && std::find(named.begin(), named.end(), container.service) == named.end())
        return false;
    if (request.verb != "kill")
        return is_down || request.verb == "stop";
    const std::string& own = container.service_config.stop_signal;
    const auto signal = parse_signal(request.signal);
    return request.signal.empty() || signal == SIGKILL ||
           signal == parse_signal(own.empty() ? "TERM" : own);
}

/// The stack with those services only of which the plan starts a container.
Stack coming_up(const Plan& plan, const Stack& wanted, const Observed& observed) {
    Stack stack;
    stack.name = wanted.name;
    const auto add = [&](const std::string& service) {
        if (const auto found = wanted.services.find(service); found != wanted.services.end())
            stack.services.insert(*found);
    };
    std::set<std::string> started;
    for (const auto& planned : plan.actions)
        if (const auto* create = std::get_if<CreateContainer>(&planned.action))
            add(create->spec->service.name);
        else if (const auto* start = std::get_if<StartContainer>(&planned.action))
            started.insert(start->name);
    for (const auto& container : observed.containers)
        if (started.contains(container.name))
            add(container.service);
    return stack;
}

/// Whether it is the request that the container be up.
bool starts(const Request& request, const ObservedContainer& container) {
    const bool is_up = request.verb == "up";
    if (!is_up && request.verb != "start" && request.verb != "restart")
        return false;
    const Strings& services = is_up ? request.up.services : request.services;
    return services.empty() ||
           std::find(services.begin(), services.end(), container.service) != services.end();
}

/// Whether what the request before waits for may be waited for in vain from now on. One that only
/// adds, or leaves what runs as it is, takes its turn.
bool outdates(const Request& request) {
    static const std::set<std::string> verbs{"up", "down", "stop", "restart", "rm"};
    static const std::set<std::string> ends{"", "KILL", "SIGKILL", "9", "TERM", "SIGTERM", "15"};
    return verbs.contains(request.verb) ||
           (request.verb == "kill" && ends.contains(request.signal));
}

/// The containers that the request, or its plan, ends.
std::set<std::string> ending_ids(const Request& request,
                                 const Plan& plan,
                                 const Observed& observed) {
    std::set<std::string> ids;
    for (const auto& container : observed.containers)
        if (ends(request, container))
            ids.insert(container.id);
    for (const auto& planned : plan.actions)
        if (const auto* stop = std::get_if<StopContainer>(&planned.action))
            ids.insert(stop->id);
        else if (const auto* remove = std::get_if<RemoveContainer>(&planned.action))
            ids.insert(remove->id);
    return ids;
}

}  // namespace

Supervisor::Supervisor(Engine& engine, Timers& timers, Paths paths, std::string project)
    : engine_(engine),
      timers_(timers),
      hooks_(engine, timers),
      waits_(timers),
      health_checks_(engine, timers, [this](bool changed) { changed ? wake() : schedule(); }),
      paths_(std::move(paths)),
      project_(std::move(project)),
      history_(events_file(paths_, project_)) {
    desired_.name = project_;
    engine_.on_change([this] { wake(); });
}

void Supervisor::adopt() {
    if (auto stored = load_desired(paths_, project_))
        desired_ = std::move(*stored);
    restarts_ = load_restarts(paths_, project_);
    kept_ = load_kept(paths_, project_);
    wake();
}

/// Coalesced: any number of events are one look.
void Supervisor::wake() {
    if (std::exchange(awake_, true))
        return;
    timers_.post([this] {
        awake_ = false;
        look();
    });
}

void Supervisor::look() {
    try {
        if (timers_.moment() >= next_reconcile_) {
            next_reconcile_ = timers_.moment() + resync;
            engine_.reconcile();
        }
        const Observed observed = engine_.observe(desired_, {});
        if (std::exchange(keeps_anew_, false))
            note_kept(observed);
        restart_ended(observed);
        remove_ended(observed);
        leave_networks(observed);
        waits_.check(observed, returning());
        health_checks_.check(observed);
        restart_unhealthy(observed);
        put_drift_right(observed);
        restart_stranded(observed);
        const bool over = observed.containers.empty() && observed.networks.empty();
        if (over && !over_)
            engine_.reconcile();  // there may be no other supervisor to come
        over_ = over;
        engine_.publish_names(desired_, observed);  // last: also of a network that has just gone
        history_.note(observed, timers_.now());
    } catch (const Error& error) {
        log::error(std::string("look: ") + error.what() + ", ignoring until the next look");
    }
    schedule();
    if (!busy_)
        idle_();
}

void Supervisor::schedule() {
    Moment next = timers_.moment() + resync;
    for (const auto& [id, state] : restarts_)
        if (state.next)
            next = std::min(next, after(timers_.moment(), *state.next - timers_.now()));
    for (const auto& other : {health_checks_.next(), waits_.next()})
        next = std::min(next, other.value_or(next));
    timers_.set(next, [this] { wake(); });
}

// --- requests ---

Supervisor::Ticket Supervisor::ask(Request request, EventSink events, Answer answer) {
    if (busy_ || !starting_.empty()) {
        events({.id = "Stack " + project_, .text = "Waiting for another command on this project"});
        if (outdates(request))
            abandon_waits("another command came: " + request.verb);
    }
    const Ticket ticket = ++last_ticket_;
    queue_.push_back({std::move(request), std::move(events), std::move(answer), false, ticket});
    next_request();
    return ticket;
}

void Supervisor::withdraw(Ticket ticket) {
    std::erase_if(queue_, [&](const Asked& asked) { return asked.ticket == ticket; });
    const auto executor = executor_.lock();
    if (ticket != under_way_ || !executor)
        return;
    executor->stop();
    abandon_waits("who asked for it has gone");
    engine_.give_up_work();
}

/// What only waits gives way: a `down` must not stand behind an `up` that waits for a health that
/// never comes.
void Supervisor::abandon_waits(const std::string& reason) {
    hooks_.abandon(reason);
    waits_.abandon(reason);
}

void Supervisor::next_request() {
    // What is being started would look to a plan as if nothing were to be done about it.
    if (busy_ || queue_.empty() || !starting_.empty())
        return;
    busy_ = true;
    over_ = false;
    const Asked asked = std::move(queue_.front());
    queue_.pop_front();
    under_way_ = asked.ticket;
    proceed(asked);
}

void Supervisor::proceed(const Asked& asked) {
    try {
        carry_out(asked);
    } catch (const Error& error) {
        asked.events({.id = "Stack " + project_,
                      .status = EventStatus::error,
                      .text = "Error",
                      .detail = error.what()});
        finish(asked, false);
    }
}

/// A request of our own: nobody listens.
void Supervisor::ask_myself(Request request) {
    queue_.push_back({std::move(request), [](const Event&) {}, [](int) {}, true});
    timers_.post([this] { next_request(); });
}

Plan Supervisor::plan_for(const Request& request,
                          const Stack& wanted,
                          const Observed& observed) const {
    PlanOptions options = request.up;
    options.now = timers_.now();
    if (request.verb == "up")
        return plan_up(wanted, observed, options);
    if (request.verb == "run")
        return plan_run(wanted, observed, options, request.run);
    if (request.verb == "down")
        return plan_down(wanted, observed, request.down);
    if (request.verb == "start")
        return plan_start(wanted, observed, request.services, request.up);
    if (request.verb == "stop")
        return plan_stop(wanted, observed, request.services, request.timeout);
    if (request.verb == "restart")
        return plan_restart(wanted, observed, request.services, request.timeout, request.no_deps);
    if (request.verb == "kill")
        return plan_kill(wanted, observed, request.services, request.signal);
    if (request.verb == "pause" || request.verb == "unpause")
        return plan_pause(wanted, observed, request.services, request.verb == "pause");
    if (request.verb == keep)
        return plan_keep(wanted, observed, request.up);
    if (request.verb == "rm")
        return plan_remove(wanted, observed, request.services, request.stop, request.volumes);
    throw failure("the supervisor knows no \"" + request.verb + "\"");
}

void Supervisor::carry_out(const Asked& asked) {
    if (asked.request.verb == "ping") {
        finish(asked, true);
        return;
    }
    engine_.set_environment(asked.request.environment);
    Stack wanted = asked.request.stack ? *asked.request.stack : desired_;
    const ObserveOptions options{.builds = renews(asked.request) && !asked.request.up.no_build,
                                 .files = renews(asked.request)};
    const Observed observed = engine_.observe(wanted, options);
    Plan plan = plan_for(asked.request, wanted, observed);
    if (asked.request.stack)
        plan = with_origin(std::move(plan), desired_, wanted, asked.request.named_by_hand);
    STACK_FAILPOINT("plan.computed");
    for (const auto& warning : plan.warnings)
        asked.events({.id = "Stack " + project_,
                      .status = EventStatus::warning,
                      .text = "Warning",
                      .detail = warning});
    if (refuse(asked, plan, wanted, observed)) {
        finish(asked, false);
        return;
    }
    remember(asked, std::move(wanted));  // what was refused changes nothing
    if (!asked.own)
        reset_restarts(asked.request, plan, observed);
    std::optional<Request> rest;
    if (auto first = images_first(asked.request, plan, observed)) {
        plan = std::move(first->plan);
        rest = std::move(first->rest);
    } else {
        for (const auto& name : plan.running)
            asked.events(
                {.id = "Container " + name, .status = EventStatus::done, .text = "Running"});
    }
    auto executor = std::make_shared<Executor>(
        std::move(plan),
        [this](const Action& action, const EventSink& events, Done done) {
            perform(action, events, std::move(done));
        },
        asked.events,
        [this, asked, rest](bool succeeded) {
            if (succeeded && rest)
                proceed({*rest, asked.events, asked.answer, asked.own, asked.ticket});
            else
                finish(asked, succeeded);
        },
        asked.request.parallel);
    if (asked.request.verb == "up" || asked.request.verb == "run")
        executor_ = executor;
    executor->start();
}

void Supervisor::remember(const Asked& asked, Stack wanted) {
    if (asked.own)
        return;
    if (renews(asked.request)) {
        desired_ = std::move(wanted);
        store_desired(paths_, desired_);
    }
    kept_.clear();  // until it is known what this command leaves
    store_kept(paths_, project_, kept_);
}

/// A person's word ends what we were about to start again, where it is to stop, and makes the
/// back-off of what it is to start begin anew.
void Supervisor::reset_restarts(const Request& request,
                                const Plan& plan,
                                const Observed& observed) {
    const auto before = restarts_;
    for (const auto& container : observed.containers)
        if (const auto state = restarts_.find(container.id);
            state != restarts_.end() && starts(request, container))
            state->second = {.unhealthy = state->second.unhealthy};  // which owes it its start
    for (const auto& id : ending_ids(request, plan, observed))
        restarts_.erase(id);
    if (restarts_ != before)
        keep_restarts();
}

/// Where there is no room to write them down, they hold for as long as this process lives.
void Supervisor::keep_restarts() const {
    try {
        store_restarts(paths_, project_, restarts_);
    } catch (const Error& error) {
        log::warn(std::string("restarts cannot be written down: ") + error.what());
    }
}

/// Says why nothing is done; nothing has been done then.
bool Supervisor::refuse(const Asked& asked,
                        const Plan& plan,
                        const Stack& wanted,
                        const Observed& observed) const {
    Strings reasons = plan.errors;
    const bool creates =
        std::any_of(plan.actions.begin(), plan.actions.end(), [](const PlannedAction& action) {
            return std::holds_alternative<CreateContainer>(action.action) ||
                   std::holds_alternative<StartContainer>(action.action);
        });
    if (reasons.empty() && asked.request.verb == "up" && creates && !asked.request.up.no_start)
        reasons = engine_.port_conflicts(coming_up(plan, wanted, observed), observed);
    for (const auto& reason : reasons)
        asked.events({.id = "Stack " + project_,
                      .status = EventStatus::error,
                      .text = "Error",
                      .detail = reason});
    return !reasons.empty();
}

void Supervisor::finish(const Asked& asked, bool succeeded) {
    if (asked.request.verb == "down" && asked.request.down.services.empty() && succeeded) {
        forget(paths_, project_);
        desired_ = {};
        desired_.name = project_;
        restarts_.clear();
        health_checks_.clear();
    } else if (!asked.own && asked.request.verb != "ping") {
        keeps_anew_ = true;
    }
    if (asked.request.verb == keep)
        next_keep_ = succeeded ? Moment{} : timers_.moment() + resync;
    busy_ = false;
    if (asked.request.verb == keep && succeeded)
        restart_followers(asked.request.services);  // before a look finds them stranded
    look();
    if (asked.request.verb == "restart" && succeeded)
        tell_restart(asked.request.services);
    asked.answer(succeeded ? 0 : 1);
    next_request();
    if (!busy_)
        idle_();
}

void Supervisor::tell_restart(const Strings& services) {
    history_.tell(
        "restart",
        [&](const Seen& seen) {
            return seen.state == ContainerState::running &&
                   (services.empty() ||
                    std::find(services.begin(), services.end(), seen.service) != services.end());
        },
        {},
        timers_.now());
}

// --- actions ---

void Supervisor::perform(const Action& action, const EventSink& events, Done done) {
    if (const auto* healthy = std::get_if<AwaitHealthy>(&action)) {
        waits_.add(*healthy, std::move(done));
        wake();
    } else if (const auto* completed = std::get_if<AwaitCompleted>(&action)) {
        waits_.add(*completed, std::move(done));
        wake();
    } else if (const auto* start = std::get_if<StartContainer>(&action)) {
        start_container(*start, events, std::move(done));
    } else if (const auto* stop = std::get_if<StopContainer>(&action);
               stop && !stop->pre_stop.empty()) {
        hooks_.run({"pre_stop", stop->name, stop->pre_stop},
                   [this, action, events, done = std::move(done)](const Outcome& outcome) {
                       if (outcome)
                           done(outcome);
                       else
                           engine_.perform(action, events, done);
                   });
    } else if (const auto* kill = std::get_if<KillContainer>(&action)) {
        engine_.perform(action,
                        events,
                        [this, name = kill->name, signal = kill->signal, done = std::move(done)](
                            const Outcome& outcome) {
                            if (!outcome)
                                history_.tell(
                                    "kill",
                                    [&](const Seen& seen) { return seen.name == name; },
                                    {{"signal", signal}},
                                    timers_.now());
                            done(outcome);
                        });
    } else {
        engine_.perform(action, events, std::move(done));
    }
}

/// A plan and a restart may want the same container at the same time: it is started once.
void Supervisor::start_container(const StartContainer& action, const EventSink& events, Done done) {
    auto& waiting = starting_[action.name];
    waiting.push_back(std::move(done));
    if (waiting.size() > 1)
        return;
    engine_.perform(action, events, [this, action](const Outcome& outcome) {
        if (outcome || action.post_start.empty()) {
            started(action, outcome);
            return;
        }
        wake();  // it runs, whatever its hooks take
        hooks_.run({"post_start", action.name, action.post_start},
                   [this, action](const Outcome& hooked) { started(action, hooked); });
    });
}

void Supervisor::started(const StartContainer& action, const Outcome& outcome) {
    const auto dones = std::move(starting_[action.name]);
    starting_.erase(action.name);
    wake();
    for (const auto& one : dones)
        one(outcome);
    next_request();
}

Returning Supervisor::returning() const {
    Returning returning{{}, restarts_};
    for (const auto& [name, dones] : starting_)
        returning.starting.insert(name);
    return returning;
}

// --- restarts ---

void Supervisor::restart_ended(const Observed& observed) {
    std::set<std::string> present;
    const auto before = restarts_;
    std::vector<const ObservedContainer*> due;
    for (const auto& container : observed.containers) {
        present.insert(container.id);
        if (ailing_.contains(container.id))
            continue;
        if (is_up(container)) {
            if (const auto state = restarts_.find(container.id); state != restarts_.end())
                state->second = on_running(state->second);
            continue;
        }
        if (container.state != ContainerState::exited || starting_.contains(container.name))
            continue;
        const Ending ending{
            container.exit, container.started, container.finished, container.stopped_by_user};
        const RestartStep step = on_ended(
            container.service_config.restart, ending, restarts_[container.id], timers_.now());
        restarts_[container.id] = step.state;
        if (step.action == RestartAction::start)
            due.push_back(&container);
    }
    std::erase_if(restarts_, [&](const auto& entry) { return !present.contains(entry.first); });
    if (restarts_ != before && !present.empty())
        keep_restarts();
    for (const auto* container : due)
        restart(*container);
}

void Supervisor::restart(const ObservedContainer& container) {
    const auto failed = [this, policy = container.service_config.restart, id = container.id](
                            const Error& error) {
        log::warn(std::string("restart: ") + error.what() + ", its policy decides what comes next");
        restarts_[id] = on_start_failed(policy, restarts_[id], timers_.now());
        keep_restarts();
    };
    STACK_FAILPOINT("restart.start");
    try {
        engine_.count_restart(container.id);
    } catch (const Error& error) {
        failed(error);  // no room on the disk: the others are looked after all the same
        return;
    }
    start_container(
        {.name = container.name,
         .post_start = container.service_config.post_start,
         .by_policy = !restarts_[container.id].unhealthy},
        [](const Event&) {},
        [this, failed, service = container.service](const Outcome& outcome) {
            if (outcome)
                failed(*outcome);
            else
                restart_followers({service});
        });
}

/// Those that a new start of the services has left behind.
void Supervisor::restart_followers(const Strings& services) {
    std::set<std::string> followers;
    for (const auto& service : services)
        for (auto& follower : followers_of(desired_, service))
            followers.insert(std::move(follower));
    for (const auto& service : services)
        followers.erase(service);  // it has just begun itself, in its turn
    Request request;
    request.verb = "restart";
    try {
        for (const auto& container : engine_.observe(desired_, {}).containers)
            if (is_up(container) && !container.oneoff && followers.contains(container.service))
                request.services.push_back(container.service);
    } catch (const Error& error) {
        log::error(std::string("restart of dependents: ") + error.what() + ", leaving them alone");
    }
    if (!request.services.empty())
        ask_myself(std::move(request));
}

/// It is stopped with its grace period; that it is to come back is noted first.
void Supervisor::restart_unhealthy(const Observed& observed) {
    for (const auto& container : observed.containers) {
        if (busy_ || container.state != ContainerState::running ||
            container.health != Health::unhealthy || !container.service_config.restart_unhealthy ||
            container.oneoff || !ailing_.insert(container.id).second)
            continue;
        restarts_[container.id].unhealthy = true;
        keep_restarts();
        engine_.perform(
            StopContainer{container.id, container.name, std::nullopt},
            [](const Event&) {},
            [this, id = container.id](const Outcome& outcome) {
                ailing_.erase(id);
                if (outcome)
                    log::warn(std::string("restart of an unhealthy container: ") + outcome->what() +
                              ", trying again at the next look");
                wake();
            });
    }
}

// --- drift ---

/// What lives now by its restart policy is what a person has left to live.
void Supervisor::note_kept(const Observed& observed) {
    kept_.clear();
    for (const auto& container : observed.containers) {
        const bool lives = is_up(container) || (container.state == ContainerState::exited &&
                                                !container.stopped_by_user);
        if (lives && !container.oneoff && desired_.services.contains(container.service) &&
            container.service_config.restart.condition != RestartCondition::no)
            ++kept_[container.service];
    }
    store_kept(paths_, project_, kept_);
}

/// A container that somebody took away by hand comes back.
void Supervisor::put_drift_right(const Observed& observed) {
    if (busy_ || !queue_.empty() || timers_.moment() < next_keep_)
        return;
    Kept present;
    for (const auto& container : observed.containers)
        if (!container.oneoff)
            ++present[container.service];
    Request request;
    request.verb = keep;
    request.up.no_deps = true;
    for (const auto& [service, count] : kept_)
        if (present[service] < count && desired_.services.contains(service)) {
            request.up.services.push_back(service);
            request.up.scale[service] = count;
            if (present[service] == 0)
                request.services.push_back(service);  // who shares with it has lost it
        }
    if (!request.up.services.empty())
        ask_myself(std::move(request));
}

/// Who lost the container that it shares a namespace with, and nobody saw it, or while another one
/// of that service lived on. Not again at once, whatever came of it.
void Supervisor::restart_stranded(const Observed& observed) {
    if (busy_ || !queue_.empty() || !starting_.empty() || timers_.moment() < next_rescue_)
        return;
    Request request;
    request.verb = "restart";
    request.services = stranded_services(desired_, observed);
    request.no_deps = true;  // only what shares namespaces with them goes along
    if (request.services.empty())
        return;
    next_rescue_ = timers_.moment() + resync;
    ask_myself(std::move(request));
}

/// Whether it was made to run and could not be started. One without a stack may wait for a person.
bool Supervisor::is_abandoned(const ObservedContainer& container) const {
    return container.state == ContainerState::created && project_ != single_containers && !busy_ &&
           queue_.empty();
}

void Supervisor::remove_ended(const Observed& observed) {
    for (const auto& container : observed.containers) {
        const bool is_over = container.state == ContainerState::exited || is_abandoned(container);
        if (!container.auto_remove || !is_over || starting_.contains(container.name) ||
            !removing_.insert(container.id).second)
            continue;
        engine_.perform(
            RemoveContainer{container.id, container.name, true},
            [](const Event&) {},
            [this, id = container.id](const Outcome& outcome) {
                removing_.erase(id);
                if (outcome)
                    log::warn(std::string("remove: ") + outcome->what() +
                              ", trying again at the next look");
                else
                    wake();
            });
    }
}

/// Containers without a stack share a network, which nobody takes down when the last one has gone.
void Supervisor::leave_networks(const Observed& observed) {
    if (project_ != single_containers || busy_ || !observed.containers.empty() ||
        observed.networks.empty())
        return;
    const auto lock = sys::Lock::try_acquire(single_use_lock(paths_));
    if (!lock || !engine_.observe(desired_, {}).containers.empty())
        return;  // somebody is about to use it, or has begun to
    forget(paths_, project_);
    desired_ = {};
    desired_.name = project_;
    bool waits = false;
    for (const auto& network : observed.networks) {
        if (network.project != project_)
            continue;
        waits = true;
        engine_.perform(
            RemoveNetwork{network.name},
            [](const Event&) {},
            [this](const Outcome& outcome) {
                if (!outcome)
                    wake();
            });
    }
    if (!waits)
        wake();
}

}  // namespace stack::supervise
