#pragma once

// Services that share namespaces or volumes of others: what becomes of them when those are made
// anew.

#include <stack/plan.h>

#include "plan/draft.h"
#include "plan/turnover.h"

#include <optional>
#include <string>

namespace stack::plan {

class Lenders {
  public:
    Lenders(const Draft& draft, const Turnover& turnover) : draft_(draft), turnover_(turnover) {}

    /// The service, of those that `service` shares a namespace or volumes with, that is made anew.
    [[nodiscard]] std::optional<std::string> recreated(const Service& service) const;

    /// Whether containers of the service cannot stay, because others of its lenders come.
    [[nodiscard]] bool is_left_behind(const Service& service) const;

    /// Whether the container runs in a namespace of one that has ended, or ends by this plan, and
    /// there is one to share with in its stead.
    [[nodiscard]] bool are_lost(const Service& service, const ObservedContainer& container) const;

  private:
    [[nodiscard]] bool is_there_to_lend(const std::string& service) const;

    const Draft& draft_;
    const Turnover& turnover_;
};

}  // namespace stack::plan
