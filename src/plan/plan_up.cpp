// up: from what is there to what is wanted, as early as each part can be.

#include "model/images.h"
#include "model/volumes_from.h"
#include "plan/addresses.h"
#include "plan/builder.h"
#include "plan/capacity.h"
#include "plan/diverge.h"
#include "plan/host_ports.h"
#include "plan/images.h"
#include "plan/resolve.h"
#include "plan/resources.h"
#include "plan/service_order.h"
#include "plan/values.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace stack {
namespace plan {
namespace {

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

/// Those of the stack's services, not of single commands.
std::map<std::string, std::vector<const ObservedContainer*>> containers_by_service(
    const Stack& stack, const Observed& observed) {
    std::map<std::string, std::vector<const ObservedContainer*>> services;
    for (const auto& container : observed.containers)
        if (container.project == stack.name && !container.oneoff)
            services[container.service].push_back(&container);
    for (auto& [name, containers] : services)
        std::sort(containers.begin(), containers.end(), [](const auto* a, const auto* b) {
            return std::tie(a->number, a->name, a->id) < std::tie(b->number, b->name, b->id);
        });
    return services;
}

class UpPlanner {
  public:
    UpPlanner(const Stack& desired, const Observed& observed, const PlanOptions& options, bool keep)
        : desired_(desired),
          observed_(observed),
          options_(options),
          keep_(keep),
          images_(desired, observed, options, builder_),
          existing_(containers_by_service(desired, observed)),
          resources_(desired, observed, options, keep, selected_, builder_) {}

    Plan plan() {
        const Strings services = selected_services(desired_, options_.services, options_.no_deps);
        plan_services(services);
        if (desired_.all_resources && options_.services.empty() && !keep_)
            resources_.plan_all();
        plan_sharers();
        order_stops();
        if (options_.wait && !options_.no_start)
            for (const auto& name : services)
                await(name);
        plan_orphans();
        order_names();
        return std::move(builder_).finish();
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
        order_stops();
        order_names();
        return std::move(builder_).finish();
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
            plan_pre_start(desired_.services.at(name));
    }

    /// What lives in a namespace of a service that gets a new one cannot stay as it is, whether the
    /// command names it or not.
    void plan_sharers() {
        for (const auto& name : selected_services(desired_, {}, false)) {
            const Service& service = desired_.services.at(name);
            if (selected_.contains(name) || !is_left_behind(service))
                continue;
            selected_.insert(name);
            if (!keep_)
                images_.plan({name});
            resources_.plan(service);
            plan_containers(name);
            plan_pre_start(service);
        }
    }

    // --- containers ---

    /// In the order of their numbers.
    const std::vector<const ObservedContainer*>& existing(const std::string& service) const {
        static const std::vector<const ObservedContainer*> none;
        const auto found = existing_.find(service);
        return found == existing_.end() ? none : found->second;
    }

    std::optional<Divergence> why_recreate(const ObservedContainer& container,
                                           const Service& service) {
        if (keep_ || options_.recreate == RecreatePolicy::never)
            return std::nullopt;
        if (images_.is_built(service.name))
            return Divergence{"its image is built anew", {}};
        if (const auto lender = recreated_lender(service))
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
        auto& planned = services_[name];
        auto containers = existing(name);
        const auto wanted = static_cast<std::size_t>(std::max(0, scale_of(service, options_)));
        for (const auto* surplus : take_surplus(containers, service, wanted))
            remove(*surplus, "more than the scale of " + std::to_string(wanted));
        planned.recreated =
            containers.empty() && wanted > 0;  // for those that knew the ones before
        std::set<int> numbers;
        for (const auto* container : containers) {
            numbers.insert(container->number);
            plan_existing(planned, service, *container);
        }
        for (int number = 1; planned.slots.size() < wanted; ++number)
            if (!numbers.contains(number))
                plan_new(planned, service, number, "not found");
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
        if (const auto diverged = why_recreate(container, service)) {
            recreate(planned, service, container, *diverged);
            return;
        }
        Slot slot;
        slot.name = container.name;
        slot.number = container.number;
        slot.existing = &container;
        const bool dependency_restarts =
            loses_lender(service, container) || restarts_with_dependency(service);
        const bool stays_up = is_up(container) && !dependency_restarts;
        const bool starts = !stays_up && !keep_ && !options_.no_start &&
                            (is_up(container) || !is_done(service, container));
        const auto updated = plan_update(service, container, starts);
        if (stays_up) {
            builder_.keep(container.name);
        } else if (starts) {
            if (is_up(container))
                slot.stop = stop(container, "a dependency starts anew");
            slot.start =
                start(service,
                      container.name,
                      is_up(container) ? "a dependency starts anew" : why_not_running(container));
            if (slot.stop)
                builder_.order(*slot.stop, *slot.start);
            if (updated)
                builder_.order(*updated, *slot.start);
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
            is_left ? container.service_config.networks : networks_of(desired_, service));
        if (!change)
            return std::nullopt;
        const Node node = builder_.add(
            UpdateContainer{container.id, container.name, change->service, container.config_digest},
            "container/" + container.name,
            change->reason,
            change->changes);
        resources_.order(change->service, node);
        auto left = container.service_config.networks;
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

    /// Whether containers of the service cannot stay, because others of its lenders come.
    bool is_left_behind(const Service& service) const {
        const auto& containers = existing(service.name);
        return (!containers.empty() && recreated_lender(service)) ||
               std::any_of(containers.begin(), containers.end(), [&](const auto* container) {
                   return loses_lender(service, *container);
               });
    }

    /// The service, of those that it shares a namespace or volumes with, that is made anew.
    std::optional<std::string> recreated_lender(const Service& service) const {
        for (const auto& lender : shared_with(service))
            if (const auto planned = services_.find(lender);
                planned != services_.end() && planned->second.recreated)
                return lender;
        return std::nullopt;
    }

    /// Whether the container runs in a namespace of one that has ended, or ends by this plan, and
    /// there is one to share with in its stead.
    bool loses_lender(const Service& service, const ObservedContainer& container) const {
        const auto ends = [this](const std::string& id) { return stops_.contains(id); };
        const auto lends = [this](const std::string& name) { return is_there_to_lend(name); };
        const auto& ids = container.lenders;
        const auto names = namespace_lenders(service);
        return is_up(container) &&
               (is_stranded(container, observed_) || std::any_of(ids.begin(), ids.end(), ends)) &&
               std::all_of(names.begin(), names.end(), lends);
    }

    bool is_there_to_lend(const std::string& service) const {
        const auto planned = services_.find(service);
        if (planned == services_.end()) {
            const auto& containers = existing(service);
            return std::any_of(
                containers.begin(), containers.end(), [](const auto* one) { return is_up(*one); });
        }
        const auto& slots = planned->second.slots;
        return std::any_of(slots.begin(), slots.end(), [](const Slot& slot) {
            return slot.start || (slot.existing && is_up(*slot.existing));
        });
    }

    bool restarts_with_dependency(const Service& service) const {
        if (recreated_lender(service))
            return true;
        for (const auto& [name, dependency] : service.depends_on) {
            const auto planned = services_.find(name);
            if (dependency.restart && planned != services_.end() && planned->second.recreated)
                return true;
        }
        return false;
    }

    void recreate(ServicePlan& planned,
                  const Service& service,
                  const ObservedContainer& container,
                  const Divergence& why) {
        planned.recreated = true;
        const Node removed = remove(container, why.reason, why.changes);
        images_.order(service, stops_.contains(container.id) ? stops_.at(container.id) : removed);
        Slot& slot =
            plan_new(planned, service, container.number, why.reason, container.anonymous_salt);
        slot.recreated = true;
        slot.existing = &container;
        if (stops_.contains(container.id))
            slot.stop = stops_.at(container.id);
        builder_.order(removed, created_.at(slot.name));
    }

    Slot& plan_new(ServicePlan& planned,
                   const Service& service,
                   int number,
                   const std::string& reason,
                   const std::string& salt = {}) {
        CreateContainer action{first_replica_of(service)};
        action.spec->number = number;
        action.spec->name = container_name(desired_, service, number);
        action.spec->anonymous_salt = options_.renew_anonymous_volumes ? options_.renew_salt : salt;
        return plan_created(planned, service, std::move(action), reason);
    }

    /// Worked out once: the digest in it is what takes a plan the most time.
    const ContainerSpec& first_replica_of(const Service& service) {
        const auto [found, is_new] = first_replicas_.try_emplace(service.name);
        if (is_new)
            found->second = container_spec(desired_, service, 1);
        return found->second;
    }

    // --- pre_start ---

    /// Before the first start of its containers, what prepares them runs to its end, one after
    /// another, when the dependencies are there. What has run well is not run again while it says
    /// the same.
    void plan_pre_start(const Service& service) {
        std::map<int, Node> last;  // of each replica
        for (std::size_t index = 0; index < service.pre_start.size(); ++index) {
            std::optional<Node> shared;
            bool is_planned = false;
            for (auto& slot : services_[service.name].slots) {
                if (!slot.start)
                    continue;
                const bool is_own = service.pre_start[index].per_replica;
                if (is_own || !is_planned)
                    shared = plan_hook(service, index, slot, last);
                is_planned = true;
                if (!shared)
                    continue;
                builder_.order(*shared, *slot.start);
                last[slot.number] = *shared;
            }
        }
    }

    /// The node at whose end it has run well; none where it has already.
    std::optional<Node> plan_hook(const Service& service,
                                  std::size_t index,
                                  const Slot& slot,
                                  const std::map<int, Node>& last) {
        const CreateContainer action{pre_start_spec(desired_, service, index, slot.number)};
        const std::string resource = "container/" + action.spec->name;
        constexpr const char* reason = "prepares the start";
        std::optional<Node> removal;
        for (const auto& container : observed_.containers) {
            if (container.name != action.spec->name || container.project != desired_.name)
                continue;
            if (container.state == ContainerState::exited && container.exit.code == 0 &&
                container.config_digest == action.spec->config_digest)
                return std::nullopt;
            removal = remove(container, reason);
        }
        const Node create = builder_.add(action, resource, reason);
        created_[action.spec->name] = create;
        if (const auto image = images_.need(action.spec->image, service))
            builder_.order(*image, create);
        images_.order_mounted(service, create);
        resources_.order(action.spec->service, create);
        order_volume_lenders(action.spec->service, create);
        const Node run = start(action.spec->service, action.spec->name, reason);
        builder_.order(create, run);
        if (const auto own = created_.find(slot.name); own != created_.end())
            builder_.order(own->second, run);
        if (slot.stop)
            builder_.order(*slot.stop, run);
        if (const auto before = last.find(slot.number); before != last.end())
            builder_.order(before->second, run);
        const Node done = builder_.add(AwaitCompleted{action.spec->name}, resource, reason);
        builder_.order(run, done);
        return done;
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
        plan_created(services_[service.name], service, std::move(action), "asked for");
    }

    Slot& plan_created(ServicePlan& planned,
                       const Service& service,
                       CreateContainer action,
                       const std::string& reason) {
        Slot slot;
        slot.name = action.spec->name;
        slot.number = action.spec->number;
        const Node create = builder_.add(std::move(action), "container/" + slot.name, reason);
        created_[slot.name] = create;
        images_.order(service, create);
        resources_.order(std::get<CreateContainer>(builder_.action(create)).spec->service, create);
        order_volume_lenders(service, create);
        if (!options_.no_start) {
            slot.start = start(service, slot.name, reason);
            builder_.order(create, *slot.start);
        }
        planned.slots.push_back(slot);
        return planned.slots.back();
    }

    /// What they have mounted is known when they are made.
    void order_volume_lenders(const Service& service, Node user) {
        const auto order_created = [&](const std::string& container) {
            if (const auto create = created_.find(container); create != created_.end())
                builder_.order(create->second, user);
        };
        for (const auto& text : service.volumes_from) {
            const auto from = model::parse_volumes_from(text);
            if (from && from->is_container)
                order_created(from->name);
            else if (const auto lender = from ? services_.find(from->name) : services_.end();
                     lender != services_.end())
                for (const auto& slot : lender->second.slots)
                    order_created(slot.name);
        }
    }

    Node start(const Service& service, const std::string& name, const std::string& reason) {
        const Node node =
            builder_.add(StartContainer{name, service.post_start}, "container/" + name, reason);
        for (const auto& [dependency, how] : service.depends_on)
            for (const Node earlier : conditions(dependency, how))
                how.required ? builder_.order(earlier, node)
                             : builder_.order_tolerantly(earlier, node);
        // It shares with one that stays.
        for (const auto& lender : namespace_lenders(service))
            if (const auto stops = stopped_services_.find(lender); stops != stopped_services_.end())
                builder_.order_all(stops->second, node);
        return node;
    }

    Node stop(const ObservedContainer& container, const std::string& reason) {
        const Node node = builder_.add(
            stop_of(container, options_.timeout), "container/" + container.name, reason);
        stops_[container.id] = node;
        stopped_services_[container.service].push_back(node);
        return node;
    }

    Node remove(const ObservedContainer& container,
                const std::string& reason,
                std::vector<FieldChange> changes = {}) {
        std::optional<Node> stopped;
        if (is_up(container) || awaits_restart(container))  // or it would be up again by then
            stopped = stop(container, reason);
        const Node node = builder_.add(RemoveContainer{container.id, container.name, false},
                                       "container/" + container.name,
                                       reason,
                                       std::move(changes));
        if (stopped)
            builder_.order(*stopped, node);
        resources_.order_removals(container.service_config.networks, node);
        removals_[container.id] = node;
        return node;
    }

    /// A name is free when the container that has it is gone.
    void order_names() {
        for (const auto& container : observed_.containers) {
            const auto create = created_.find(container.name);
            if (create == created_.end())
                continue;
            if (const auto removal = removals_.find(container.id); removal != removals_.end())
                builder_.order(removal->second, create->second);
            else
                builder_.refuse("the name " + container.name + " belongs to a container of " +
                                (container.project == desired_.name
                                     ? "service " + container.service
                                     : "stack " + container.project) +
                                ": remove it, or give the service another container_name");
        }
    }

    // --- dependencies ---

    /// The nodes that a dependent waits for.
    std::vector<Node> conditions(const std::string& dependency, const Dependency& how) {
        std::vector<Node> nodes;
        const auto planned = services_.find(dependency);
        if (planned == services_.end())
            return nodes;
        for (auto& slot : planned->second.slots) {
            std::optional<Node> node;
            switch (how.condition) {
                case DependencyCondition::started:
                    node = slot.start;
                    break;
                case DependencyCondition::healthy:
                    node = await_healthy(slot);
                    break;
                case DependencyCondition::completed_successfully:
                    node = await_completed(slot);
                    break;
            }
            if (node)
                nodes.push_back(*node);
        }
        return nodes;
    }

    std::optional<Node> await_healthy(Slot& slot) {
        const bool is_healthy =
            !slot.start && slot.existing && slot.existing->health == Health::healthy;
        if (!slot.healthy && !is_healthy) {
            slot.healthy = builder_.add(
                AwaitHealthy{slot.name}, "container/" + slot.name, "others need it healthy");
            if (slot.start)
                builder_.order(*slot.start, *slot.healthy);
        }
        return slot.healthy;
    }

    std::optional<Node> await_completed(Slot& slot) {
        const bool is_completed = !slot.start && slot.existing &&
                                  slot.existing->state == ContainerState::exited &&
                                  slot.existing->exit.code == 0;
        if (!slot.completed && !is_completed) {
            slot.completed = builder_.add(
                AwaitCompleted{slot.name}, "container/" + slot.name, "others need it completed");
            if (slot.start)
                builder_.order(*slot.start, *slot.completed);
        }
        return slot.completed;
    }

    /// --wait: well, as AwaitHealthy has it, unless somebody waits for more already.
    void await(const std::string& name) {
        for (const auto& slot : services_[name].slots) {
            const bool is_well = !slot.start && slot.existing &&
                                 (!is_up(*slot.existing) || slot.existing->health == Health::none ||
                                  slot.existing->health == Health::healthy);
            if (is_well || slot.healthy || slot.completed)
                continue;
            const Node node = builder_.add(AwaitHealthy{slot.name, true, options_.wait_timeout},
                                           "container/" + slot.name,
                                           "asked to wait");
            if (slot.start)
                builder_.order(*slot.start, node);
        }
    }

    /// Dependents stop before what they depend on.
    void order_stops() {
        for (const auto& [name, stops] : stopped_services_) {
            const auto service = desired_.services.find(name);
            if (service == desired_.services.end())
                continue;
            for (const auto& [dependency, how] : service->second.depends_on)
                if (const auto later = stopped_services_.find(dependency);
                    later != stopped_services_.end())
                    for (const Node node : later->second)
                        builder_.order_all(stops, node);
        }
    }

    void plan_orphans() {
        if (keep_)
            return;
        std::map<std::string, const ObservedContainer*> orphans;  // by name
        for (const auto& container : observed_.containers)
            if (container.project == desired_.name && !is_known(desired_, container.service) &&
                !container.oneoff)
                orphans[container.name] = &container;
        if (orphans.empty())
            return;
        std::string list;
        for (const auto& [name, container] : orphans) {
            list += (list.empty() ? "" : ", ") + name;
            if (options_.remove_orphans)
                remove(*container, "its service is not in the stack file");
        }
        if (options_.remove_orphans || options_.ignore_orphans)
            return;
        builder_.warn("found orphan containers (" + list +
                      ") of services that left the stack file: --remove-orphans removes them");
    }

    const Stack& desired_;
    const Observed& observed_;
    const PlanOptions& options_;
    bool keep_;
    Builder builder_;
    std::set<std::string> selected_;  // services
    std::map<std::string, ServicePlan> services_;
    std::map<std::string, ContainerSpec> first_replicas_;  // by service
    Images images_;
    std::map<std::string, std::vector<const ObservedContainer*>> existing_;  // by service
    Resources resources_;
    std::map<std::string, Node> created_;   // containers, by name
    std::map<std::string, Node> stops_;     // containers, by id
    std::map<std::string, Node> removals_;  // containers, by id
    std::map<std::string, std::vector<Node>> stopped_services_;
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
