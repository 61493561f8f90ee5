#include "supervise/waits.h"

#include "base/units.h"

#include <algorithm>
#include <utility>

namespace stack::supervise {
namespace {

const ObservedContainer* find(const Observed& observed, const std::string& name) {
    for (const auto& container : observed.containers)
        if (container.name == name)
            return &container;
    return nullptr;
}

Error failure(const std::string& sentence) {
    return Error(std::make_error_code(std::errc::io_error), sentence);
}

std::string exit_text(const ExitStatus& exit) {
    return exit.code ? std::to_string(*exit.code) : "unknown status";
}

/// What a waiter's complaint begins with.
std::string subject_of(const AwaitHealthy& what) {
    return (what.or_well ? "container " : "dependency failed to start: container ") + what.name;
}

Outcome completed_verdict(const ObservedContainer& container) {
    if (container.exit.code == 0)
        return {};
    if (container.oneoff)
        return failure("hook exited with status " + exit_text(container.exit) +
                       ": what it said is in `stack container logs " + container.name + "`");
    return failure("service \"" + container.service + "\" didn't complete successfully: exit " +
                   exit_text(container.exit));
}

/// Of one that waits for health; nullopt: it is started again.
std::optional<Outcome> ended_verdict(const AwaitHealthy& what,
                                     const ObservedContainer& container,
                                     const std::map<std::string, RestartState>& restarts) {
    const auto condition = container.service_config->restart.condition;
    if (what.or_well && container.exit.code == 0 &&
        (condition == RestartCondition::no || condition == RestartCondition::on_failure))
        return Outcome();
    constexpr int patience = 3;  // a container that keeps ending will not become healthy
    const auto state = restarts.find(container.id);
    if (state != restarts.end() && state->second.next && state->second.attempts <= patience)
        return std::nullopt;
    return failure(subject_of(what) + " exited (" + exit_text(container.exit) + ")");
}

}  // namespace

void Waits::add(const AwaitHealthy& what, Done done) {
    waiters_.push_back({true, what, std::move(done)});
    if (what.timeout)
        waiters_.back().deadline = after(timers_.moment(), *what.timeout);
}

void Waits::add(const AwaitCompleted& what, Done done) {
    waiters_.push_back({false, {what.name}, std::move(done)});
}

void Waits::check(const Observed& observed, const Returning& returning) {
    for (auto& waiter : std::exchange(waiters_, {})) {
        if (auto outcome = verdict(waiter, observed, returning))
            timers_.post(
                [done = std::move(waiter.done), outcome = std::move(*outcome)] { done(outcome); });
        else
            waiters_.push_back(std::move(waiter));
    }
}

void Waits::abandon(const std::string& reason) {
    for (auto& waiter : std::exchange(waiters_, {}))
        timers_.post([done = std::move(waiter.done), name = waiter.what.name, reason] {
            done(failure("gave up waiting for container " + name + ": " + reason));
        });
}

std::optional<Moment> Waits::next() const {
    std::optional<Moment> first;
    for (const auto& waiter : waiters_)
        if (waiter.deadline)
            first = std::min(first.value_or(*waiter.deadline), *waiter.deadline);
    return first;
}

std::optional<Outcome> Waits::verdict(const Waiter& waiter,
                                      const Observed& observed,
                                      const Returning& returning) const {
    const ObservedContainer* container = find(observed, waiter.what.name);
    if (container == nullptr)
        return failure(subject_of(waiter.what) + " does not exist");
    const bool ended =
        container->state == ContainerState::exited && !returning.starting.contains(container->name);
    if (waiter.for_health)
        return ended ? ended_verdict(waiter.what, *container, returning.restarts)
                     : health_verdict(waiter, *container);
    // No conditional expression here: an Outcome is an optional itself, and none would become well.
    const auto restart = returning.restarts.find(container->id);
    const bool comes_back = restart != returning.restarts.end() && restart->second.next;
    if (!ended || (comes_back && container->exit.code != 0))
        return std::nullopt;
    return completed_verdict(*container);
}

std::optional<Outcome> Waits::health_verdict(const Waiter& waiter,
                                             const ObservedContainer& container) const {
    const std::string subject = subject_of(waiter.what);
    switch (container.health) {
        case Health::healthy:
            return Outcome();
        case Health::unhealthy:
            return failure(subject + " is unhealthy");
        case Health::none:
            if (container.state == ContainerState::running && waiter.what.or_well)
                return Outcome();
            if (container.state == ContainerState::running)
                return failure(subject + " has no healthcheck configured");
            break;
        case Health::starting:
            break;
    }
    if (waiter.deadline && timers_.moment() >= *waiter.deadline)
        return failure("application not healthy after " + format_duration(*waiter.what.timeout) +
                       ": container " + waiter.what.name + " is still starting");
    return std::nullopt;
}

}  // namespace stack::supervise
