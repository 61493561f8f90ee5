#include <stack/plan.h>

#include "model/images.h"
#include "plan/resolve.h"

#include <map>
#include <utility>

namespace stack {

Plan plan_build(const Stack& desired, const Strings& services) {
    Plan plan;
    const auto order = plan::build_order(desired, services);
    if (!order) {
        plan.errors.push_back(order.error().message);
        return plan;
    }
    std::map<std::string, std::size_t> places;
    std::map<std::string, std::size_t> tags;
    for (const auto& name : *order) {
        const Service& service = desired.services.at(name);
        BuildImage action;
        action.service = name;
        action.tag = model::image_of(desired, service);
        action.build = plan::resolved_build(desired, service);
        action.no_cache = service.build->no_cache;
        action.pull = service.build->pull;
        PlannedAction planned;
        planned.resource = "image/" + action.tag;
        planned.reason = "asked for";
        for (const auto& source : plan::build_sources(service))
            planned.after.push_back(places.at(source));
        const auto [same, is_first] = tags.try_emplace(action.tag, plan.actions.size());
        if (!is_first)  // the second has the steps of the first, and the name is one's at a time
            planned.after.push_back(std::exchange(same->second, plan.actions.size()));
        planned.action = std::move(action);
        places[name] = plan.actions.size();
        plan.actions.push_back(std::move(planned));
    }
    return plan;
}

}  // namespace stack
