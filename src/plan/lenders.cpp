#include "plan/lenders.h"

#include "plan/resolve.h"

#include <algorithm>

namespace stack::plan {

std::optional<std::string> Lenders::recreated(const Service& service) const {
    for (const auto& lender : shared_with(service))
        if (const auto planned = draft_.services.find(lender);
            planned != draft_.services.end() && planned->second.recreated)
            return lender;
    return std::nullopt;
}

bool Lenders::is_left_behind(const Service& service) const {
    const auto& containers = draft_.existing(service.name);
    return (!containers.empty() && recreated(service)) ||
           std::any_of(containers.begin(), containers.end(), [&](const auto* container) {
               return are_lost(service, *container);
           });
}

bool Lenders::are_lost(const Service& service, const ObservedContainer& container) const {
    const auto ends = [this](const std::string& id) { return turnover_.end_of(id).has_value(); };
    const auto lends = [this](const std::string& name) { return is_there_to_lend(name); };
    const auto& ids = container.lenders;
    const auto names = namespace_lenders(service);
    return is_up(container) &&
           (is_stranded(container, draft_.observed) || std::any_of(ids.begin(), ids.end(), ends)) &&
           std::all_of(names.begin(), names.end(), lends);
}

bool Lenders::is_there_to_lend(const std::string& service) const {
    const auto planned = draft_.services.find(service);
    if (planned == draft_.services.end()) {
        const auto& containers = draft_.existing(service);
        return std::any_of(
            containers.begin(), containers.end(), [](const auto* one) { return is_up(*one); });
    }
    const auto& slots = planned->second.slots;
    return std::any_of(slots.begin(), slots.end(), [](const Slot& slot) {
        return slot.start || (slot.existing && is_up(*slot.existing));
    });
}

}  // namespace stack::plan
