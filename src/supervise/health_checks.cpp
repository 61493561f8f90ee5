#include "supervise/health_checks.h"

#include "base/log.h"
#include "base/units.h"

#include <algorithm>
#include <set>
#include <utility>

namespace stack::supervise {
namespace {

/// As docker has it on record.
HealthResult on_record(const ProbeResult& result, const Healthcheck& check, Time start, Time end) {
    if (!result.timed_out)
        return {start, end, result.exit_code, result.output};
    const std::string most = check.timeout ? " (" + format_duration(*check.timeout) + ")" : "";
    return {start, end, -1, "Health check exceeded timeout" + most + ": " + result.output};
}

}  // namespace

void HealthChecks::check(const Observed& observed) {
    std::set<std::string> running;
    for (const auto& container : observed.containers) {
        if (container.state != ContainerState::running)
            continue;  // a paused one is not asked, and keeps its state
        running.insert(container.id);
        const Run* run = run_of(container);
        const auto due = run ? run->machine.next() : std::nullopt;
        if (due && *due <= timers_.moment())
            probe(container.id, container.name);
    }
    std::erase_if(runs_, [&](const auto& entry) {
        return !running.contains(entry.first) && entry.second.machine.next();
    });
}

HealthChecks::Run* HealthChecks::run_of(const ObservedContainer& container) {
    const auto found = runs_.find(container.id);
    if (found != runs_.end() && found->second.started == container.started)
        return &found->second;
    if (found != runs_.end())
        runs_.erase(found);
    auto check = engine_.healthcheck(container.id);
    if (!check)
        return nullptr;
    const Health known = container.health == Health::none ? Health::starting : container.health;
    const Duration age = std::max<Duration>(timers_.now() - container.started, Duration::zero());
    HealthMachine machine(std::move(*check), after(timers_.moment(), -age), known);
    return &runs_.emplace(container.id, Run{container.started, std::move(machine)}).first->second;
}

void HealthChecks::probe(const std::string& id, const std::string& name) {
    HealthMachine& machine = runs_.at(id).machine;
    machine.on_probe_started(timers_.moment());
    const auto finished = [this, id, start = timers_.now()](const ProbeResult& result) {
        finish(id, start, result);
    };
    try {
        engine_.probe(id, machine.check(), finished);
    } catch (const Error& error) {
        log::info("health check of " + name + ": " + error.what());
        timers_.post([finished] { finished({.exit_code = 125}); });
    }
}

void HealthChecks::finish(const std::string& id, Time start, const ProbeResult& result) {
    const auto found = runs_.find(id);
    if (found == runs_.end())
        return;
    HealthMachine& machine = found->second.machine;
    const bool changed = machine.on_result(result, timers_.moment());
    engine_.set_health(id,
                       machine.health(),
                       machine.failing_streak(),
                       on_record(result, machine.check(), start, timers_.now()));
    answered_(changed);
}

std::optional<Moment> HealthChecks::next() const {
    std::optional<Moment> first;
    for (const auto& [id, run] : runs_)
        if (const auto probe = run.machine.next())
            first = std::min(first.value_or(*probe), *probe);
    return first;
}

}  // namespace stack::supervise
