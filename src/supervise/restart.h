#pragma once

// When a container that ended is started again: Docker's rules (reference "Restart supervision")
// and those of `deploy.restart_policy`, as a pure machine. Its state is a value, saved by the
// supervisor before it acts, so that neither the back-off nor the count of attempts starts anew
// when a supervisor dies.

#include <stack/model.h>
#include <stack/observed.h>

#include <optional>

namespace stack::supervise {

/// Docker's back-off: the first delay, doubled by every restart up to the cap, and the first again
/// after a run that lasted long enough to count as healthy.
inline constexpr Duration first_delay = std::chrono::milliseconds(100);
inline constexpr Duration longest_delay = std::chrono::seconds(60);
inline constexpr Duration healthy_run = std::chrono::seconds(10);

/// The end of one run of a container.
struct Ending {
    ExitStatus status;
    Time started{};
    Time finished{};
    bool stopped_by_user = false;

    bool operator==(const Ending&) const = default;
};

/// What is remembered of a container between its runs.
struct RestartState {
    int attempts = 0;          // restarts that count against the policy's limit
    Duration delay{};          // waited before the latest restart; zero: there was none
    std::optional<Time> next;  // when the next start is due; nullopt: none is
    Time ending{};             // when the run ended that `next` follows
    bool unhealthy = false;    // we stopped it ourselves, to start it again

    bool operator==(const RestartState&) const = default;
};

enum class RestartAction {
    rest,   // it stays as it is
    wait,   // until RestartState::next
    start,  // now
};

struct RestartStep {
    RestartAction action = RestartAction::rest;
    RestartState state;  // to be saved before `action` is carried out

    bool operator==(const RestartStep&) const = default;
};

/// The step for a container that has ended. Asking again without a change gives the same answer: a
/// look that comes twice or late does no harm.
[[nodiscard]] RestartStep on_ended(const RestartPolicy& policy,
                                   const Ending& ending,
                                   const RestartState& state,
                                   Time now);

/// The state of a container that was seen running.
[[nodiscard]] RestartState on_running(const RestartState& state);

/// The start that was due failed: it counts as an attempt, and the next one waits longer.
[[nodiscard]] RestartState on_start_failed(const RestartPolicy& policy,
                                           const RestartState& state,
                                           Time now);

}  // namespace stack::supervise
