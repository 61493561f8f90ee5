#pragma once

// Time as the supervisor sees it, so that tests can let a day pass in a moment.

#include <stack/observed.h>

#include <chrono>
#include <functional>

namespace stack::supervise {

/// By the clock that nobody sets: what comes next is timed by it. Means nothing after a reboot, or
/// to another process.
using Moment = std::chrono::steady_clock::time_point;

[[nodiscard]] inline Moment after(Moment from, Duration pause) {
    return from + std::chrono::duration_cast<Moment::duration>(pause);
}

/// A look comes at least this often, and what was in vain is not tried again sooner.
inline constexpr std::chrono::seconds resync{10};

class Timers {
  public:
    virtual ~Timers() = default;
    /// By the clock on the wall, which may be set at any time: for what is put on record.
    [[nodiscard]] virtual Time now() const = 0;
    [[nodiscard]] virtual Moment moment() const = 0;
    /// Calls `call` from the loop at `when`, instead of whatever was to be called before.
    virtual void set(Moment when, std::function<void()> call) = 0;
    /// Calls `call` from the loop, soon.
    virtual void post(std::function<void()> call) = 0;
};

}  // namespace stack::supervise
