#pragma once

// A world in memory: what each action of a plan makes of what is there. It refuses what the kernel
// would refuse (a name that is taken, a network in use), so that a plan in the wrong order fails.

#include <stack/observed.h>
#include <stack/plan.h>

#include <string>

namespace stack::test {

/// The world in which the postcondition of `action` holds. Awaited containers oblige: they become
/// healthy, or end with status 0. Throws stack::Error where the real world would refuse.
[[nodiscard]] Observed apply(Observed world, const Action& action, Time now);

/// All actions of the plan, in its order.
[[nodiscard]] Observed apply(Observed world, const Plan& plan, Time now);

/// The first container of that name; nullptr where there is none.
[[nodiscard]] ObservedContainer* find_container(Observed& world, const std::string& name);
[[nodiscard]] const ObservedContainer* find_container(const Observed& world,
                                                      const std::string& name);

/// The id that an image has after a pull of `reference`, or after a build of it from
/// `source_digest`.
[[nodiscard]] std::string fake_image_id(const std::string& reference,
                                        const std::string& source_digest = {});

}  // namespace stack::test
