#include "plan/outcome.h"

#include "plan/resolve.h"

#include <variant>

namespace stack::plan {

Outcome outcome_of(const Observed& observed, const Plan& plan) {
    Outcome outcome;
    for (const auto& container : observed.containers)
        if (is_up(container))
            outcome.services[container.name] = &*container.service_config;
    for (const auto& planned : plan.actions)
        if (const auto* removed = std::get_if<RemoveContainer>(&planned.action)) {
            outcome.services.erase(removed->name);
        } else if (const auto* made = std::get_if<CreateContainer>(&planned.action)) {
            outcome.services[made->spec->name] = &made->spec->service;
            outcome.made.insert(made->spec->name);
        } else if (const auto* changed = std::get_if<UpdateContainer>(&planned.action)) {
            outcome.services[changed->name] = &*changed->service;
            outcome.changes = true;
        }
    outcome.changes = outcome.changes || !outcome.made.empty();
    return outcome;
}

}  // namespace stack::plan
