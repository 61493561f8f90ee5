#pragma once

// Time that passes when a test says so.

#include "supervise/timers.h"

#include <deque>
#include <optional>
#include <utility>

namespace stack::test {

class FakeClock final : public supervise::Timers {
  public:
    [[nodiscard]] Time now() const override { return now_; }

    void set(Time when, std::function<void()> call) override { timer_ = {when, std::move(call)}; }

    void post(std::function<void()> call) override { posted_.push_back(std::move(call)); }

    /// Calls what was posted; returns whether there was anything.
    bool run_posted() {
        if (posted_.empty())
            return false;
        for (const auto& call : std::exchange(posted_, {}))
            call();
        return true;
    }

    /// Time goes to the timer, or to `until` where that comes first. Returns whether the timer went
    /// off.
    bool advance(Time until) {
        if (!timer_ || timer_->first > until) {
            now_ = until;
            return false;
        }
        now_ = std::max(now_, timer_->first);
        const auto call = std::move(timer_->second);
        timer_.reset();
        call();
        return true;
    }

  private:
    Time now_ = Time(std::chrono::hours(24 * 365));  // not where "never" is
    std::deque<std::function<void()>> posted_;
    std::optional<std::pair<Time, std::function<void()>>> timer_;
};

}  // namespace stack::test
