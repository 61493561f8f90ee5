#pragma once

// Time as the supervisor sees it, so that tests can let a day pass in a moment.

#include <stack/observed.h>

#include <functional>

namespace stack::supervise {

class Timers {
  public:
    virtual ~Timers() = default;
    [[nodiscard]] virtual Time now() const = 0;
    /// Calls `call` from the loop at `when`, instead of whatever was to be called before.
    virtual void set(Time when, std::function<void()> call) = 0;
    /// Calls `call` from the loop, soon.
    virtual void post(std::function<void()> call) = 0;
};

}  // namespace stack::supervise
