#pragma once

// Random stacks, and random worlds that they find: what an older version of the stack left behind,
// damaged, among things of others.

#include <stack/observed.h>
#include <stack/plan.h>

#include "tests/property/chance.h"

namespace stack::test {

struct Pair {
    Stack desired;
    Observed observed;
    PlanOptions options;
};

/// The pair of that seed, and no other.
[[nodiscard]] Pair pair_for(std::uint64_t seed);

/// The same things, seen in another order.
[[nodiscard]] Observed shuffled(Observed observed, Chance& chance);

/// One order in which an executor may finish the actions of a plan: indices, each after those that
/// it is `after`.
[[nodiscard]] std::vector<std::size_t> some_order(const Plan& plan, Chance& chance);

}  // namespace stack::test
