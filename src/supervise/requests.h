#pragma once

// What a request means: its plan, and what it says of the containers that are there.

#include <stack/supervise.h>

#include <set>
#include <string>

namespace stack::supervise {

/// A verb of our own, never a client's: what vanished comes back.
inline constexpr const char* keep = "keep";

/// Throws stack::Error where the request's verb is unknown.
[[nodiscard]] Plan plan_for(const Request& request,
                            const Stack& wanted,
                            const Observed& observed,
                            Time now);

/// Of what is there, what runs: a restart of our own is of nothing that has ended, or that somebody
/// has paused.
[[nodiscard]] Observed those_that_run(Observed observed);

/// Whether its stack is what is wanted from now on.
[[nodiscard]] bool renews(const Request& request);

/// Whether it is the request that the container be up.
[[nodiscard]] bool starts(const Request& request, const ObservedContainer& container);

/// Whether what the request before waits for may be waited for in vain from now on. One that only
/// adds, or leaves what runs as it is, takes its turn.
[[nodiscard]] bool outdates(const Request& request);

/// The containers that the request, or its plan, ends.
[[nodiscard]] std::set<std::string> ending_ids(const Request& request,
                                               const Plan& plan,
                                               const Observed& observed);

/// The stack with those services only of which the plan starts a container.
[[nodiscard]] Stack coming_up(const Plan& plan, const Stack& wanted, const Observed& observed);

}  // namespace stack::supervise
