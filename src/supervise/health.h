#pragma once

// When a container is asked how it feels, and what its answers mean: Docker's rules (engine.md
// section 6), as a pure machine.

#include <stack/engine.h>

#include "supervise/timers.h"

#include <optional>

namespace stack::supervise {

class HealthMachine {
  public:
    /// For a run that began at `started`. The state of an earlier supervisor's machine may be
    /// given.
    HealthMachine(Healthcheck check, Moment started, Health health = Health::starting);

    /// When the next probe is due; nullopt while one runs.
    [[nodiscard]] std::optional<Moment> next() const {
        return asked_ ? std::nullopt : std::optional(next_);
    }

    void on_probe_started(Moment now) { asked_ = now; }

    /// The answer to the probe that runs. True where the container's health changed.
    bool on_result(const ProbeResult& result, Moment now);

    [[nodiscard]] Health health() const { return health_; }

    [[nodiscard]] int failing_streak() const { return streak_; }

    [[nodiscard]] const Healthcheck& check() const { return check_; }

  private:
    [[nodiscard]] bool in_start_period(Moment now) const;
    [[nodiscard]] Duration pause(Moment now) const;

    Healthcheck check_;
    Moment started_;
    Health health_;
    int streak_ = 0;
    Moment next_;
    std::optional<Moment> asked_;  // since when a probe runs
};

}  // namespace stack::supervise
