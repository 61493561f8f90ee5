#pragma once

// Which containers there are once a plan is carried out.

#include <stack/plan.h>

#include <map>
#include <set>
#include <string>

namespace stack::plan {

struct Outcome {
    std::map<std::string, const Service*> services;  // of those that run, by the container's name
    std::set<std::string> made;                      // the names of those that the plan makes
    bool changes = false;  // whether the plan makes or changes any: what is there can stay
};

/// What is there now, and what the plan makes, changes and takes away. The pointers are into both.
[[nodiscard]] Outcome outcome_of(const Observed& observed, const Plan& plan);

}  // namespace stack::plan
