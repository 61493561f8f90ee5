#pragma once

// The health checks of a project's containers: which run has which machine, and when each is asked.

#include <stack/engine.h>

#include "supervise/health.h"
#include "supervise/timers.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace stack::supervise {

class HealthChecks {
  public:
    /// `answered`: called from the loop after each answer, with whether it has changed the
    /// container's health.
    HealthChecks(Engine& engine, Timers& timers, std::function<void(bool changed)> answered)
        : engine_(engine), timers_(timers), answered_(std::move(answered)) {}

    /// Asks those whose time has come.
    void check(const Observed& observed);

    /// Nothing is left of any; answers that are still to come are nobody's.
    void clear() { runs_.clear(); }

    /// When the next one is due.
    [[nodiscard]] std::optional<Moment> next() const;

  private:
    /// One run of a container, told from others by what is on record of its start.
    struct Run {
        Time started;
        HealthMachine machine;
    };

    /// nullptr: it has no health check.
    Run* run_of(const ObservedContainer& container);
    void probe(const std::string& id, const std::string& name);
    void finish(const std::string& id, Time start, const ProbeResult& result);

    Engine& engine_;
    Timers& timers_;
    std::function<void(bool changed)> answered_;
    std::map<std::string, Run> runs_;  // by container id
};

}  // namespace stack::supervise
