#include "supervise/health.h"

namespace stack::supervise {
namespace {

constexpr std::chrono::seconds default_interval{30};
constexpr std::chrono::seconds default_start_interval{5};
constexpr int default_retries = 3;

Time after(Time from, Duration pause) {
    return from + std::chrono::duration_cast<Time::duration>(pause);
}

}  // namespace

HealthMachine::HealthMachine(Healthcheck check, Time started, Health health)
    : check_(std::move(check)),
      started_(started),
      health_(health),
      next_(after(started, pause(started))) {}

bool HealthMachine::in_start_period(Time now) const {
    return now < after(started_, check_.start_period.value_or(Duration::zero()));
}

/// The first probe comes after one interval; while it starts, the shorter one counts.
Duration HealthMachine::pause(Time now) const {
    if (health_ == Health::starting && in_start_period(now))
        return check_.start_interval.value_or(default_start_interval);
    return check_.interval.value_or(default_interval);
}

bool HealthMachine::on_result(const ProbeResult& result, Time now) {
    probing_ = false;
    const Health before = health_;
    if (result.exit_code == 0 && !result.timed_out) {
        health_ = Health::healthy;
        streak_ = 0;
    } else if (!(health_ == Health::starting && in_start_period(now))) {
        ++streak_;
        if (streak_ >= check_.retries.value_or(default_retries))
            health_ = Health::unhealthy;
    }
    next_ = after(now, pause(now));  // from the end of the last one
    return health_ != before;
}

}  // namespace stack::supervise
