#include "supervise/health.h"

#include <utility>

namespace stack::supervise {
namespace {

constexpr std::chrono::seconds default_interval{30};
constexpr std::chrono::seconds default_start_interval{5};
constexpr int default_retries = 3;

/// As Docker has it: 0 is "not set".
Duration set_or(const std::optional<Duration>& given, Duration otherwise) {
    return given.value_or(Duration::zero()) > Duration::zero() ? *given : otherwise;
}

}  // namespace

HealthMachine::HealthMachine(Healthcheck check, Moment started, Health health)
    : check_(std::move(check)),
      started_(started),
      health_(health),
      next_(after(started, pause(started))) {}

bool HealthMachine::in_start_period(Moment now) const {
    return now < after(started_, check_.start_period.value_or(Duration::zero()));
}

/// The first probe comes after one interval; while it starts, the shorter one counts.
Duration HealthMachine::pause(Moment now) const {
    if (health_ == Health::starting && in_start_period(now))
        return set_or(check_.start_interval, default_start_interval);
    return set_or(check_.interval, default_interval);
}

/// Whether a failure counts is decided by when it was asked, however long the answer took (moby's
/// daemon/health.go).
bool HealthMachine::on_result(const ProbeResult& result, Moment now) {
    const Moment asked = std::exchange(asked_, std::nullopt).value_or(now);
    const Health before = health_;
    if (result.exit_code == 0 && !result.timed_out) {
        health_ = Health::healthy;
        streak_ = 0;
    } else if (!(health_ == Health::starting && in_start_period(asked))) {
        ++streak_;
        const int retries = check_.retries.value_or(0);
        if (streak_ >= (retries > 0 ? retries : default_retries))
            health_ = Health::unhealthy;
    }
    next_ = after(now, pause(now));  // from the end of the last one
    return health_ != before;
}

}  // namespace stack::supervise
