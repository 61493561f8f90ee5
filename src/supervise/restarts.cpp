#include "supervise/restarts.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "supervise/desired.h"
#include "supervise/requests.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace stack::supervise {

Restarts::Restarts(Engine& engine, Timers& timers, Paths paths, std::string project, Links links)
    : engine_(engine),
      timers_(timers),
      paths_(std::move(paths)),
      project_(std::move(project)),
      links_(std::move(links)) {}

void Restarts::adopt() {
    states_ = load_restarts(paths_, project_);
}

void Restarts::check(const Observed& observed, const std::set<std::string>& starting) {
    std::set<std::string> present;
    const auto before = states_;
    std::vector<const ObservedContainer*> due;
    for (const auto& container : observed.containers) {
        present.insert(container.id);
        if (ailing_.contains(container.id))
            continue;
        if (is_up(container)) {
            if (const auto state = states_.find(container.id); state != states_.end())
                state->second = on_running(state->second);
            continue;
        }
        if (container.state != ContainerState::exited || starting.contains(container.name))
            continue;
        const Ending ending{
            container.exit, container.started, container.finished, container.stopped_by_user};
        const RestartStep step = on_ended(
            container.service_config->restart, ending, states_[container.id], timers_.now());
        states_[container.id] = step.state;
        if (step.action == RestartAction::start)
            due.push_back(&container);
    }
    std::erase_if(states_, [&](const auto& entry) { return !present.contains(entry.first); });
    if (states_ != before && !present.empty())
        store();
    for (const auto* container : due)
        restart(*container);
}

void Restarts::restart(const ObservedContainer& container) {
    const auto failed = [this, policy = container.service_config->restart, id = container.id](
                            const Error& error) {
        log::warn(std::string("restart: ") + error.what() + ", its policy decides what comes next");
        states_[id] = on_start_failed(policy, states_[id], timers_.now());
        store();
    };
    STACK_FAILPOINT("restart.start");
    try {
        engine_.count_restart(container.id);
    } catch (const Error& error) {
        failed(error);  // no room on the disk: the others are looked after all the same
        return;
    }
    links_.start({.name = container.name,
                  .post_start = container.service_config->post_start,
                  .by_policy = !states_[container.id].unhealthy},
                 [this, failed, service = container.service](const Outcome& outcome) {
                     if (outcome)
                         failed(*outcome);
                     else
                         links_.restarted(service);
                 });
}

void Restarts::check_health(const Observed& observed) {
    for (const auto& container : observed.containers) {
        if (container.state != ContainerState::running || container.health != Health::unhealthy ||
            !container.service_config->restart_unhealthy || container.oneoff ||
            !ailing_.insert(container.id).second)
            continue;
        states_[container.id].unhealthy = true;
        store();
        engine_.perform(
            StopContainer{container.id, container.name, std::nullopt},
            [](const Event&) {},
            [this, id = container.id](const Outcome& outcome) {
                ailing_.erase(id);
                if (outcome)
                    log::warn(std::string("restart of an unhealthy container: ") + outcome->what() +
                              ", trying again at the next look");
                links_.wake();
            });
    }
}

namespace {

/// Also of what the services depend on.
bool plan_starts(const Plan& plan, const std::string& name) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const auto& planned) {
        const auto* start = std::get_if<StartContainer>(&planned.action);
        return start != nullptr && start->name == name;
    });
}

}  // namespace

void Restarts::reset(const Request& request, const Plan& plan, const Observed& observed) {
    const auto before = states_;
    const auto is_started = [&](const ObservedContainer& container) {
        return starts(request, container) ||
               (request.verb == "start" && plan_starts(plan, container.name));
    };
    for (const auto& container : observed.containers)
        if (const auto state = states_.find(container.id);
            state != states_.end() && is_started(container))
            state->second = {.unhealthy = state->second.unhealthy};  // which owes it its start
    for (const auto& id : ending_ids(request, plan, observed))
        states_.erase(id);
    if (states_ != before)
        store();
}

std::optional<Moment> Restarts::next() const {
    std::optional<Moment> first;
    for (const auto& [id, state] : states_)
        if (state.next) {
            const Moment due = after(timers_.moment(), *state.next - timers_.now());
            first = std::min(first.value_or(due), due);
        }
    return first;
}

/// Where there is no room to write them down, they hold for as long as this process lives.
void Restarts::store() const {
    try {
        store_restarts(paths_, project_, states_);
    } catch (const Error& error) {
        log::warn(std::string("restarts cannot be written down: ") + error.what());
    }
}

}  // namespace stack::supervise
