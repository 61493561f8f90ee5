#pragma once

// What prepares a service's containers before their first start: each hook a container of its own.

#include <stack/plan.h>

#include "plan/draft.h"
#include "plan/turnover.h"

#include <cstddef>
#include <map>
#include <optional>

namespace stack::plan {

class PreStart {
  public:
    PreStart(Draft& draft, Turnover& turnover) : draft_(draft), turnover_(turnover) {}

    /// Before the first start of its containers, what prepares them runs to its end, one after
    /// another, when the dependencies are there. What has run well is not run again while it says
    /// the same.
    void plan(const Service& service);

  private:
    [[nodiscard]] std::optional<Node> plan_hook(const Service& service,
                                                std::size_t index,
                                                const Slot& slot,
                                                const std::map<int, Node>& last);

    Draft& draft_;
    Turnover& turnover_;
};

}  // namespace stack::plan
