// start: the containers that there are of services and of what these depend on, as early as each
// can be.

#include "plan/conditions.h"
#include "plan/draft.h"
#include "plan/resolve.h"

#include <algorithm>
#include <map>
#include <set>

namespace stack {
namespace plan {
namespace {

class StartPlanner {
  public:
    StartPlanner(const Stack& desired, const Observed& observed, const PlanOptions& options)
        : desired_(desired), options_(options), draft_(desired, observed, options) {
        for (const auto& [name, service] : desired.services)
            services_[name] = &service;
        for (const auto& container : observed.containers)
            if (container.project == desired.name && !container.oneoff)
                services_.try_emplace(container.service, &*container.service_config);
    }

    Plan plan(const Strings& named) {
        const std::set<std::string> services = with_dependencies(named);
        refuse_without_container(named, services);
        for (const auto& name : services)
            plan_starts(name);
        for (const auto& name : services)
            order_starts(name);
        if (options_.wait)
            for (const auto& name : services)
                conditions_.await(name);
        return std::move(draft_.builder).finish();
    }

  private:
    /// All where none is named.
    [[nodiscard]] std::set<std::string> with_dependencies(Strings named) const {
        if (named.empty())
            for (const auto& [name, service] : services_)
                named.push_back(name);
        std::set<std::string> all;
        while (!named.empty()) {
            const std::string name = std::move(named.back());
            named.pop_back();
            if (!all.insert(name).second || !services_.contains(name))
                continue;
            for (const auto& [dependency, how] : services_.at(name)->depends_on)
                named.push_back(dependency);
        }
        return all;
    }

    [[nodiscard]] bool is_missing(const std::string& service) const {
        const auto known = desired_.services.find(service);
        return draft_.existing(service).empty() &&
               (known == desired_.services.end() || scale_of(known->second, options_) > 0);
    }

    /// Where none is named, a service may lack its containers as long as others have theirs.
    void refuse_without_container(const Strings& named, const std::set<std::string>& services) {
        const auto has_one = [&](const auto& name) { return !draft_.existing(name).empty(); };
        if (named.empty() && std::any_of(services.begin(), services.end(), has_one))
            return;
        const Strings needed = named.empty() ? Strings(services.begin(), services.end()) : named;
        const auto missing = std::find_if(
            needed.begin(), needed.end(), [&](const auto& name) { return is_missing(name); });
        if (missing != needed.end())
            draft_.builder.refuse("service \"" + *missing + "\" has no container to start");
    }

    void plan_starts(const std::string& name) {
        auto& slots = draft_.services[name].slots;
        for (const auto* container : draft_.existing(name)) {
            Slot slot{.name = container->name, .number = container->number, .existing = container};
            if (!is_up(*container))
                slot.start = draft_.builder.add(
                    StartContainer{container->name, container->service_config->post_start},
                    "container/" + container->name,
                    "asked for");
            slots.push_back(std::move(slot));
        }
    }

    void order_starts(const std::string& name) {
        const auto service = services_.find(name);
        if (service == services_.end())
            return;
        for (const auto& slot : draft_.services[name].slots) {
            if (!slot.start)
                continue;
            refuse_without_dependency(*service->second);
            conditions_.order_dependencies(*service->second, *slot.start);
        }
    }

    /// What is not there becomes neither healthy nor complete. One whose profile is not active has
    /// no part in it.
    void refuse_without_dependency(const Service& service) {
        for (const auto& [dependency, how] : service.depends_on)
            if (how.required && how.condition != DependencyCondition::started &&
                desired_.services.contains(dependency) && is_missing(dependency))
                draft_.builder.refuse("service \"" + service.name + "\" is missing dependency \"" +
                                      dependency + "\", which has no container to start");
    }

    const Stack& desired_;
    const PlanOptions& options_;
    std::map<std::string, const Service*> services_;  // the file's; of others, a container's
    Draft draft_;
    Conditions conditions_{draft_};
};

}  // namespace
}  // namespace plan

Plan plan_start(const Stack& desired,
                const Observed& observed,
                const Strings& services,
                const PlanOptions& options) {
    return plan::StartPlanner(desired, observed, options).plan(services);
}

}  // namespace stack
