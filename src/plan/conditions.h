#pragma once

// What starts of an `up` wait for: that the containers of other services have been started, are
// healthy, or have completed.

#include <stack/plan.h>

#include "plan/draft.h"

#include <optional>
#include <string>
#include <vector>

namespace stack::plan {

class Conditions {
  public:
    explicit Conditions(Draft& draft) : draft_(draft) {}

    /// `start` comes when what the service depends on is as it says.
    void order_dependencies(const Service& service, Node start);

    /// --wait: the service's containers are well, as AwaitHealthy has it, unless somebody waits for
    /// more already.
    void await(const std::string& service);

  private:
    [[nodiscard]] std::vector<Node> nodes_of(const std::string& dependency, const Dependency& how);
    [[nodiscard]] std::optional<Node> await_healthy(Slot& slot);
    [[nodiscard]] std::optional<Node> await_completed(Slot& slot);

    Draft& draft_;
};

}  // namespace stack::plan
