#include "supervise/restart.h"

#include <algorithm>

namespace stack::supervise {
namespace {

/// An exit that nobody saw counts as a failure: better a restart too many than a service that stays
/// away.
bool failed(const ExitStatus& status) {
    return !status.code || *status.code != 0;
}

bool wants_restart(const RestartPolicy& policy, const Ending& ending, const RestartState& state) {
    if (ending.stopped_by_user && !state.unhealthy)
        return false;
    if (state.unhealthy)
        return true;
    switch (policy.condition) {
        case RestartCondition::no:
            return false;
        case RestartCondition::on_failure:
            return failed(ending.status);
        case RestartCondition::always:
        case RestartCondition::unless_stopped:
            return true;
    }
    return false;
}

/// Docker: `on-failure:0` is without a limit.
bool attempts_used_up(const RestartPolicy& policy, int attempts) {
    return policy.max_attempts.value_or(0) > 0 && attempts >= *policy.max_attempts;
}

Duration delay_after(const RestartPolicy& policy, Duration previous) {
    if (policy.delay)
        return *policy.delay;
    if (previous <= Duration::zero())
        return first_delay;
    return std::min(previous * 2, longest_delay);
}

Time after(Time now, Duration delay) {
    return now + std::chrono::duration_cast<Time::duration>(delay);
}

/// When the wait began: with the end, since to hear of one and to clear away what it left takes
/// time, too. An end of which nobody knows when it was, or that a clock has put off, is now.
Time wait_began(const Ending& ending, Time now) {
    return ending.finished == Time{} ? now : std::min(ending.finished, now);
}

/// The restart before this ending succeeded where the run outlasted the policy's window; Docker's
/// own policies have no window, and their count is never set back.
RestartState judged(const RestartPolicy& policy, const Ending& ending, RestartState state) {
    const Duration ran = ending.finished - ending.started;
    if (ran >= healthy_run)
        state.delay = Duration::zero();
    if (policy.window && ran >= *policy.window)
        state.attempts = 0;
    return state;
}

}  // namespace

RestartStep on_ended(const RestartPolicy& policy,
                     const Ending& ending,
                     const RestartState& before,
                     Time now) {
    RestartState state = before;
    if (!wants_restart(policy, ending, state)) {
        state.next.reset();
        return {RestartAction::rest, state};
    }
    if (state.next && state.ending == ending.finished) {
        // A clock that was set back must not make a wait longer than its own length.
        state.next = std::min(*state.next, after(now, std::max(state.delay, first_delay)));
        return {now >= *state.next ? RestartAction::start : RestartAction::wait, state};
    }
    if (state.ending != ending.finished || state.ending == Time{}) {
        state = judged(policy, ending, state);
    }
    state.ending = ending.finished;
    if (attempts_used_up(policy, state.attempts)) {
        state.next.reset();
        return {RestartAction::rest, state};
    }
    state.attempts++;
    state.delay = delay_after(policy, state.delay);
    state.next = after(wait_began(ending, now), state.delay);
    return {now >= *state.next ? RestartAction::start : RestartAction::wait, state};
}

RestartState on_running(const RestartState& before) {
    RestartState state = before;
    state.next.reset();
    state.unhealthy = false;
    return state;
}

RestartState on_start_failed(const RestartPolicy& policy, const RestartState& before, Time now) {
    RestartState state = before;
    if (attempts_used_up(policy, state.attempts)) {
        state.next.reset();
        return state;
    }
    state.attempts++;
    state.delay = delay_after(policy, state.delay);
    state.next = after(now, state.delay);
    return state;
}

}  // namespace stack::supervise
