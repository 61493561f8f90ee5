#pragma once

// What an `up` is planned from, and what of it is planned so far: its parts have it in common.

#include <stack/plan.h>

#include "plan/builder.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stack::plan {

/// What is planned for one container.
struct Slot {
    std::string name;
    int number = 1;
    const ObservedContainer* existing = nullptr;
    std::optional<Node> stop;
    std::optional<Node> start;  // none: it runs, or is not to
    std::optional<Node> healthy;
    std::optional<Node> completed;
    bool recreated = false;
};

/// What is planned for one service.
struct ServicePlan {
    bool recreated = false;  // at least one of its containers
    std::vector<Slot> slots;
};

class Draft {
  public:
    Draft(const Stack& wanted, const Observed& seen, const PlanOptions& asked);

    /// The stack's containers of that service, not those of single commands, in the order of their
    /// numbers.
    [[nodiscard]] const std::vector<const ObservedContainer*>& existing(
        const std::string& service) const;

    const Stack& desired;
    const Observed& observed;
    const PlanOptions& options;
    Builder builder;
    std::map<std::string, ServicePlan> services;

  private:
    std::map<std::string, std::vector<const ObservedContainer*>> existing_;  // by service
};

}  // namespace stack::plan
