#pragma once

// Time that passes when a test says so.

#include "supervise/timers.h"

#include <deque>
#include <optional>
#include <utility>

namespace stack::test {

class FakeClock final : public supervise::Timers {
  public:
    [[nodiscard]] Time now() const override {
        return wall_ + std::chrono::duration_cast<Time::duration>(moment_.time_since_epoch());
    }

    [[nodiscard]] supervise::Moment moment() const override { return moment_; }

    void set(supervise::Moment when, std::function<void()> call) override {
        timer_ = {when, std::move(call)};
    }

    void post(std::function<void()> call) override { posted_.push_back(std::move(call)); }

    /// Somebody sets the clock on the wall, forwards or back.
    void step(Duration by) { wall_ += std::chrono::duration_cast<Time::duration>(by); }

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
    bool advance(supervise::Moment until) {
        if (!timer_ || timer_->first > until) {
            moment_ = until;
            return false;
        }
        moment_ = std::max(moment_, timer_->first);
        const auto call = std::move(timer_->second);
        timer_.reset();
        call();
        return true;
    }

  private:
    supervise::Moment moment_{std::chrono::hours(24)};
    Time wall_ = Time(std::chrono::hours(24 * 365));  // at the moment zero; not where "never" is
    std::deque<std::function<void()>> posted_;
    std::optional<std::pair<supervise::Moment, std::function<void()>>> timer_;
};

}  // namespace stack::test
