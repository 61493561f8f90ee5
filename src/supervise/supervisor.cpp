#include "supervise/supervisor.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "base/units.h"
#include "supervise/desired.h"
#include "supervise/images_first.h"
#include "supervise/origin.h"
#include "supervise/requests.h"
#include "sys/lock.h"
#include "sys/populate.h"

#include <algorithm>
#include <new>
#include <utility>

namespace stack::supervise {

Supervisor::Supervisor(Engine& engine, Timers& timers, Paths paths, std::string project)
    : engine_(engine),
      timers_(timers),
      hooks_(engine, timers),
      waits_(timers),
      health_checks_(engine, timers, [this](bool changed) { changed ? wake() : schedule(); }),
      paths_(std::move(paths)),
      project_(std::move(project)),
      restarts_(engine,
                timers,
                paths_,
                project_,
                {.start =
                     [this](const StartContainer& action, Done done) {
                         start_container(
                             action, [](const Event&) {}, std::move(done));
                     },
                 .restarted = [this](const std::string& service) { restart_followers({service}); },
                 .wake = [this] { wake(); }}),
      drift_(timers, paths_, project_),
      history_(events_file(paths_, project_)) {
    desired_.name = project_;
    engine_.on_change([this] { wake(); });
}

void Supervisor::adopt() {
    if (auto stored = load_desired(paths_, project_))
        desired_ = std::move(*stored);
    restarts_.adopt();
    drift_.adopt();
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
    if (!is_in_charge_()) {
        idle_();
        return;
    }
    const bool resyncs = timers_.moment() >= next_reconcile_;
    try {
        if (resyncs) {
            next_reconcile_ = timers_.moment() + resync;
            engine_.reconcile();
        }
        const Observed observed = engine_.observe(desired_, {});
        if (std::exchange(keeps_anew_, false))
            drift_.note(desired_, observed);
        restarts_.check(observed, starting_names());
        remove_ended(observed);
        leave_networks(observed);
        waits_.check(observed, returning());
        health_checks_.check(observed);
        if (!busy_)
            restarts_.check_health(observed);
        put_drift_right(observed);
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
    if (resyncs)
        sys::release_memory();  // what this look, and those since the last, took while they lasted
}

void Supervisor::schedule() {
    Moment next = timers_.moment() + resync;
    for (const auto& other : {restarts_.next(), health_checks_.next(), waits_.next()})
        next = std::min(next, other.value_or(next));
    timers_.set(next, [this] { wake(); });
}

void Supervisor::compact() {
    desired_ = Stack(desired_);  // a copy's parts lie side by side
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
    const auto give_up = [&](const std::string& reason) {
        asked.events({.id = "Stack " + project_,
                      .status = EventStatus::error,
                      .text = "Error",
                      .detail = reason});
        finish(asked, false);
    };
    try {
        carry_out(asked);
    } catch (const Error& error) {
        give_up(error.what());
    } catch (const std::bad_alloc&) {  // the next supervisor would only die of it, too
        give_up("there is not enough memory for " + asked.request.verb);
    }
}

/// A request of our own: nobody listens.
void Supervisor::ask_myself(Request request) {
    queue_.push_back({std::move(request), [](const Event&) {}, [](int) {}, true});
    timers_.post([this] { next_request(); });
}

void Supervisor::carry_out(const Asked& asked) {
    if (asked.request.verb == "ping") {
        finish(asked, true);
        return;
    }
    engine_.set_environment(asked.request.environment);
    if (!asked.own) {  // what a person wants is to be there when it is said to be
        next_reconcile_ = timers_.moment() + resync;
        engine_.reconcile();
    }
    Stack wanted = asked.request.stack ? *asked.request.stack : desired_;
    const ObserveOptions options{.builds = renews(asked.request) && !asked.request.up.no_build,
                                 .files = renews(asked.request)};
    const Observed observed = engine_.observe(wanted, options);
    const bool follows = asked.own && asked.request.verb == "restart";
    Plan plan = follows ? plan_for(asked.request, wanted, those_that_run(observed), timers_.now())
                        : plan_for(asked.request, wanted, observed, timers_.now());
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
        restarts_.reset(asked.request, plan, observed);
    std::optional<Request> rest;
    if (auto first =
            asked.images_are_there ? std::nullopt : images_first(asked.request, plan, observed)) {
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
                proceed({*rest, asked.events, asked.answer, asked.own, asked.ticket, true});
            else
                finish(asked, succeeded);
        },
        asked.request.parallel);
    if (asked.request.verb == "up" || asked.request.verb == "run" || asked.request.verb == "start")
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
    drift_.forget(asked.request, desired_);
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
        drift_.replaced(succeeded);
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
    return {starting_names(), restarts_.states()};
}

std::set<std::string> Supervisor::starting_names() const {
    std::set<std::string> names;
    for (const auto& [name, dones] : starting_)
        names.insert(name);
    return names;
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
            if (container.state == ContainerState::running && !container.oneoff &&
                followers.contains(container.service))
                request.services.push_back(container.service);
    } catch (const Error& error) {
        log::error(std::string("restart of dependents: ") + error.what() + ", leaving them alone");
    }
    if (!request.services.empty())
        ask_myself(std::move(request));
}

void Supervisor::put_drift_right(const Observed& observed) {
    if (busy_ || !queue_.empty())
        return;
    if (auto request = drift_.replacement(desired_, observed))
        ask_myself(std::move(*request));
    else if (starting_.empty())
        if (auto rescue = drift_.rescue(desired_, observed))
            ask_myself(std::move(*rescue));
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
