#pragma once

// Starts again what has ended, as its policy has it (restart.h), and what is unhealthy, where that
// is asked for. What is to come is written down before it is done.

#include <stack/engine.h>
#include <stack/paths.h>
#include <stack/supervise.h>

#include "supervise/restart.h"
#include "supervise/timers.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace stack::supervise {

class Restarts {
  public:
    /// Its part of the loop.
    struct Links {
        std::function<void(const StartContainer&, Done)> start;
        std::function<void(const std::string& service)> restarted;
        std::function<void()> wake;
    };

    Restarts(Engine& engine, Timers& timers, Paths paths, std::string project, Links links);

    /// Takes up what the one before has written down.
    void adopt();

    /// `starting`: names of containers whose start is under way.
    void check(const Observed& observed, const std::set<std::string>& starting);

    /// Those that ail are stopped with their grace period; that they are to come back is noted
    /// first.
    void check_health(const Observed& observed);

    /// A person's word ends what we were about to start again, where it is to stop, and makes the
    /// back-off of what it is to start begin anew.
    void reset(const Request& request, const Plan& plan, const Observed& observed);

    void clear() { states_.clear(); }

    /// By container id.
    [[nodiscard]] const std::map<std::string, RestartState>& states() const { return states_; }

    /// When the next start is due.
    [[nodiscard]] std::optional<Moment> next() const;

  private:
    void restart(const ObservedContainer& container);
    void store() const;

    Engine& engine_;
    Timers& timers_;
    Paths paths_;
    std::string project_;
    Links links_;
    std::map<std::string, RestartState> states_;  // by container id
    std::set<std::string> ailing_;                // ids of unhealthy ones that are being stopped
};

}  // namespace stack::supervise
