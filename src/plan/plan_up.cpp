// up: from what is there to what is wanted, as early as each part can be.

#include "model/images.h"
#include "plan/addresses.h"
#include "plan/capacity.h"
#include "plan/conditions.h"
#include "plan/diverge.h"
#include "plan/draft.h"
#include "plan/host_ports.h"
#include "plan/images.h"
#include "plan/lenders.h"
#include "plan/pre_start.h"
#include "plan/resolve.h"
#include "plan/resources.h"
#include "plan/service_order.h"
#include "plan/turnover.h"
#include "plan/values.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace stack {
namespace plan {
namespace {

class UpPlanner {
  public:
    UpPlanner(const Stack& desired, const Observed& observed, const PlanOptions& options, bool keep)
        : desired_(desired),
          options_(options),
          keep_(keep),
          draft_(desired, observed, options),
          images_(desired, observed, options, draft_.builder),
          resources_(desired, observed, options, keep, selected_, draft_.builder) {}

    Plan plan() {
        const Strings services = selected_services(desired_, options_.services, options_.no_deps);
        plan_services(services);
        if (desired_.all_resources && options_.services.empty() && !keep_)
            resources_.plan_all();
        plan_sharers();
        turnover_.order_stops();
        if (options_.wait && !options_.no_start)
            for (const auto& name : services)
                conditions_.await(name);
        plan_orphans();
        turnover_.order_names();
        return std::move(draft_.builder).finish();
    }

    Plan plan(const RunOptions& run) {
        const std::string& own = run.service.name;
        Strings dependencies = selected_services(desired_, {own}, options_.no_deps);
        std::erase(dependencies, own);
        plan_services(dependencies);
        images_.plan({own});
        resources_.plan(run.service);
        plan_oneoff(run);
        if (options_.remove_orphans)
            plan_orphans();
        turnover_.order_stops();
        turnover_.order_names();
        return std::move(draft_.builder).finish();
    }

  private:
    void plan_services(const Strings& services) {
        selected_ = {services.begin(), services.end()};
        if (!keep_)
            images_.plan(services);
        for (const auto& name : services)
            resources_.plan(desired_.services.at(name));
        for (const auto& name : services)
            plan_containers(name);
        for (const auto& name : services)
            pre_start_.plan(desired_.services.at(name));
    }

    /// What lives in a namespace of a service that gets a new one cannot stay as it is, whether the
    /// command names it or not.
    void plan_sharers() {
        if (selected_.size() == desired_.services.size())
            return;
        for (const auto& name : selected_services(desired_, {}, false)) {
            const Service& service = desired_.services.at(name);
            if (selected_.contains(name) || !lenders_.is_left_behind(service))
                continue;
            selected_.insert(name);
            if (!keep_)
                images_.plan({name});
            resources_.plan(service);
            plan_containers(name);
            pre_start_.plan(service);
        }
    }

    std::optional<Divergence> why_recreate(const ObservedContainer& container,
                                           const Service& service) {
        if (keep_ || options_.recreate == RecreatePolicy::never)
            return std::nullopt;
        if (images_.is_built(service.name))
            return Divergence{"its image is built anew", {}};
        if (const auto lender = lenders_.recreated(service))
            return Divergence{
                "it shares a namespace or volumes with " + *lender + ", which is made anew", {}};
        const ObservedImage* current = images_.present(model::image_of(desired_, service));
        const std::string name = container_name(desired_, service, container.number);
        if (container.name != name)
            return Divergence{"configuration changed", {{"name", container.name, name}}};
        const ContainerSpec& spec = first_replica_of(service);  // no number is looked at
        if (auto diverged = divergence(container, spec, current ? current->id : ""))
            return diverged;
        if (auto diverged = images_.why_mount_anew(container, service))
            return diverged;
        for (const auto& [key, attachment] : service.networks)
            if (const auto network = desired_.networks.find(key);
                network != desired_.networks.end() && resources_.is_made_anew(network->second.name))
                return Divergence{"network " + network->second.name + " is recreated", {}};
        if (is_forced(service.name))
            return Divergence{"forced", {}};
        return std::nullopt;
    }

    bool is_forced(const std::string& service) const {
        const bool named = options_.services.empty() ||
                           std::find(options_.services.begin(), options_.services.end(), service) !=
                               options_.services.end();
        return named ? options_.recreate == RecreatePolicy::always : options_.recreate_dependencies;
    }

    void plan_containers(const std::string& name) {
        const Service& service = desired_.services.at(name);
        auto& planned = draft_.services[name];
        auto containers = draft_.existing(name);
        const auto wanted = static_cast<std::size_t>(std::max(0, scale_of(service, options_)));
        for (const auto* surplus : take_surplus(containers, service, wanted))
            turnover_.remove(*surplus, "more than the scale of " + std::to_string(wanted));
        planned.recreated =
            containers.empty() && wanted > 0;  // for those that knew the ones before
        std::set<int> numbers;
        for (const auto* container : containers) {
            numbers.insert(container->number);
            plan_existing(planned, service, *container);
        }
        for (int number = 1; planned.slots.size() < wanted; ++number)
            if (!numbers.contains(number))
                plan_new(service, number, "not found");
    }

    /// Duplicates of a number, then diverged ones, then the highest numbers.
    std::vector<const ObservedContainer*> take_surplus(
        std::vector<const ObservedContainer*>& containers,
        const Service& service,
        std::size_t wanted) {
        std::vector<const ObservedContainer*> surplus;
        std::set<int> numbers;
        if (keep_)
            return surplus;  // to take away is a person's wish
        // Of two with a number, the one that has the right name stays.
        std::stable_sort(containers.begin(), containers.end(), [&](const auto* a, const auto* b) {
            const auto rank = [&](const ObservedContainer* container) {
                return std::make_pair(
                    container->number,
                    container->name != container_name(desired_, service, container->number));
            };
            return rank(a) < rank(b);
        });
        std::erase_if(containers, [&](const ObservedContainer* container) {
            const bool duplicate = !numbers.insert(container->number).second;
            if (duplicate)
                surplus.push_back(container);
            return duplicate;
        });
        if (containers.size() <= wanted)
            return surplus;
        auto by_worth = containers;
        std::stable_sort(by_worth.begin(), by_worth.end(), [&](const auto* a, const auto* b) {
            return std::make_tuple(why_recreate(*a, service).has_value(), a->number) <
                   std::make_tuple(why_recreate(*b, service).has_value(), b->number);
        });
        for (std::size_t i = wanted; i < by_worth.size(); ++i)
            surplus.push_back(by_worth[i]);
        std::erase_if(containers, [&](const ObservedContainer* container) {
            return std::find(surplus.begin(), surplus.end(), container) != surplus.end();
        });
        return surplus;
    }

    void plan_existing(ServicePlan& planned,
                       const Service& service,
                       const ObservedContainer& container) {
        if (auto diverged = why_recreate(container, service)) {
            recreate(planned, service, container, std::move(*diverged));
            return;
        }
        Slot slot;
        slot.name = container.name;
        slot.number = container.number;
        slot.existing = &container;
        const bool dependency_restarts =
            lenders_.are_lost(service, container) || restarts_with_dependency(service);
        const bool stays_up = is_up(container) && !dependency_restarts;
        const bool starts = !stays_up && !options_.no_start &&
                            (keep_ ? container.state == ContainerState::created
                                   : is_up(container) || !is_done(service, container));
        const auto updated = plan_update(service, container, starts);
        if (stays_up) {
            draft_.builder.keep(container.name);
        } else if (starts) {
            if (is_up(container))
                slot.stop = turnover_.stop(container, "a dependency starts anew");
            slot.start = turnover_.start(
                service,
                container.name,
                is_up(container) ? "a dependency starts anew" : why_not_running(container));
            if (slot.stop)
                draft_.builder.order(*slot.stop, *slot.start);
            if (updated)
                draft_.builder.order(*updated, *slot.start);
            resources_.order(container.service_config, *slot.start);
        }
        planned.slots.push_back(slot);
    }

    std::optional<Node> plan_update(const Service& service,
                                    const ObservedContainer& container,
                                    bool starts) {
        if (keep_)
            return std::nullopt;
        // What is left as it is keeps its networks, too: whether they could be changed in place is
        // no matter of what was asked for. To start, it needs networks that are there.
        const bool is_left = options_.recreate == RecreatePolicy::never && !starts;
        const auto change = change_in_place(
            container,
            service.restart,
            service.resources,
            is_left ? container.service_config->networks : networks_of(desired_, service));
        if (!change)
            return std::nullopt;
        const Node node = draft_.builder.add(
            UpdateContainer{container.id, container.name, change->service, container.config_digest},
            "container/" + container.name,
            change->reason,
            change->changes);
        resources_.order(change->service, node);
        auto left = container.service_config->networks;
        for (const auto& [name, attachment] : change->service.networks)
            left.erase(name);
        resources_.order_removals(left, node);
        return node;
    }

    /// Whether it is a one-shot that has done its work, which others wait for: it is not run again.
    bool is_done(const Service& service, const ObservedContainer& container) const {
        if (container.state != ContainerState::exited || container.exit.code != 0 ||
            container.stopped_by_user)
            return false;
        for (const auto& [name, other] : desired_.services) {
            const auto dependency = other.depends_on.find(service.name);
            if (dependency != other.depends_on.end() &&
                dependency->second.condition == DependencyCondition::completed_successfully)
                return true;
        }
        return false;
    }

    bool restarts_with_dependency(const Service& service) const {
        if (lenders_.recreated(service))
            return true;
        for (const auto& [name, dependency] : service.depends_on) {
            const auto planned = draft_.services.find(name);
            if (dependency.restart && planned != draft_.services.end() && planned->second.recreated)
                return true;
        }
        return false;
    }

    void recreate(ServicePlan& planned,
                  const Service& service,
                  const ObservedContainer& container,
                  Divergence why) {
        planned.recreated = true;
        const Node removed = turnover_.remove(container, why.reason, std::move(why.changes));
        const auto stopped = turnover_.end_of(container.id);
        images_.order(service, stopped.value_or(removed));
        Slot& slot = plan_new(service, container.number, why.reason, container.anonymous_salt);
        slot.recreated = true;
        slot.existing = &container;
        slot.stop = stopped;
        draft_.builder.order(removed, turnover_.creation(slot.name).value());
    }

    Slot& plan_new(const Service& service,
                   int number,
                   const std::string& reason,
                   const std::string& salt = {}) {
        CreateContainer action{first_replica_of(service)};
        action.spec->number = number;
        action.spec->name = container_name(desired_, service, number);
        action.spec->anonymous_salt = options_.renew_anonymous_volumes ? options_.renew_salt : salt;
        return turnover_.create(service, std::move(action), reason);
    }

    /// Worked out once: the digest in it is what takes a plan the most time.
    const ContainerSpec& first_replica_of(const Service& service) {
        auto found = first_replicas_.find(service.name);
        if (found == first_replicas_.end())
            found =
                first_replicas_.emplace(service.name, container_spec(desired_, service, 1)).first;
        return found->second;
    }

    void plan_oneoff(const RunOptions& run) {
        Service service = run.service;
        if (!run.keeps_policy)
            service.restart = {};
        service.post_start.clear();  // of the service's life, not of one command's
        service.pre_stop.clear();
        CreateContainer action{container_spec(desired_, service, 1)};
        action.spec->name = run.name;
        action.spec->oneoff = true;
        action.spec->auto_remove = run.auto_remove;
        action.spec->await_client = run.await_client;
        action.spec->anonymous_salt = run.name;  // what the service's own have is theirs
        turnover_.create(service, std::move(action), "asked for");
    }

    void plan_orphans() {
        if (keep_)
            return;
        std::map<std::string, const ObservedContainer*> orphans;  // by name
        for (const auto& container : draft_.observed.containers)
            if (container.project == desired_.name && !is_known(desired_, container.service) &&
                !container.oneoff)
                orphans[container.name] = &container;
        if (orphans.empty())
            return;
        std::string list;
        for (const auto& [name, container] : orphans) {
            list += (list.empty() ? "" : ", ") + name;
            if (options_.remove_orphans)
                turnover_.remove(*container, "its service is not in the stack file");
        }
        if (options_.remove_orphans || options_.ignore_orphans)
            return;
        draft_.builder.warn(
            "found orphan containers (" + list +
            ") of services that left the stack file: --remove-orphans removes them");
    }

    const Stack& desired_;
    const PlanOptions& options_;
    bool keep_;
    std::set<std::string> selected_;  // services
    Draft draft_;
    Images images_;
    Resources resources_;
    Conditions conditions_{draft_};
    Turnover turnover_{draft_, images_, resources_, conditions_};
    Lenders lenders_{draft_, turnover_};
    PreStart pre_start_{draft_, turnover_};
    std::map<std::string, ContainerSpec> first_replicas_;  // by service
};

}  // namespace
}  // namespace plan

namespace {

/// What can be seen only of the whole.
Plan checked(const Stack& desired, const Observed& observed, Plan plan) {
    plan = plan::within_capacity(desired, observed, std::move(plan));
    plan = plan::with_ports_of_their_own(observed, std::move(plan));
    plan = plan::with_addresses_kept(desired, std::move(plan));
    return plan::with_values(std::move(plan));
}

}  // namespace

Plan plan_up(const Stack& desired, const Observed& observed, const PlanOptions& options) {
    return checked(desired, observed, plan::UpPlanner(desired, observed, options, false).plan());
}

Plan plan_run(const Stack& desired,
              const Observed& observed,
              const PlanOptions& options,
              const RunOptions& run) {
    return checked(desired, observed, plan::UpPlanner(desired, observed, options, false).plan(run));
}

Plan plan_keep(const Stack& desired, const Observed& observed, const PlanOptions& options) {
    return plan::with_addresses_kept(desired,
                                     plan::UpPlanner(desired, observed, options, true).plan());
}

}  // namespace stack
