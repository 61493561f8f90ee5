#pragma once

// Who waits until a container is healthy, or has done its work.

#include <stack/engine.h>

#include "supervise/restart.h"
#include "supervise/timers.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stack::supervise {

/// What comes of containers that have ended, beside what is seen of them.
struct Returning {
    std::set<std::string> starting;                       // names; a start is under way
    const std::map<std::string, RestartState>& restarts;  // by id
};

class Waits {
  public:
    explicit Waits(Timers& timers) : timers_(timers) {}

    void add(const AwaitHealthy& what, Done done);
    void add(const AwaitCompleted& what, Done done);

    /// Answers, soon, those whose container is what they wait for, or will not be.
    void check(const Observed& observed, const Returning& returning);

    /// All of them are answered that it was in vain.
    void abandon(const std::string& reason);

    /// The first deadline.
    [[nodiscard]] std::optional<Moment> next() const;

  private:
    struct Waiter {
        bool for_health = false;
        AwaitHealthy what;
        Done done;
        std::optional<Moment> deadline = {};
    };

    [[nodiscard]] std::optional<Outcome> verdict(const Waiter& waiter,
                                                 const Observed& observed,
                                                 const Returning& returning) const;
    [[nodiscard]] std::optional<Outcome> health_verdict(const Waiter& waiter,
                                                        const ObservedContainer& container) const;

    Timers& timers_;
    std::vector<Waiter> waiters_;
};

}  // namespace stack::supervise
