#include "plan/draft.h"

#include <algorithm>
#include <tuple>

namespace stack::plan {

Draft::Draft(const Stack& wanted, const Observed& seen, const PlanOptions& asked)
    : desired(wanted), observed(seen), options(asked) {
    for (const auto& container : observed.containers)
        if (container.project == desired.name && !container.oneoff)
            existing_[container.service].push_back(&container);
    for (auto& [name, containers] : existing_)
        std::sort(containers.begin(), containers.end(), [](const auto* a, const auto* b) {
            return std::tie(a->number, a->name, a->id) < std::tie(b->number, b->name, b->id);
        });
}

const std::vector<const ObservedContainer*>& Draft::existing(const std::string& service) const {
    static const std::vector<const ObservedContainer*> none;
    const auto found = existing_.find(service);
    return found == existing_.end() ? none : found->second;
}

}  // namespace stack::plan
