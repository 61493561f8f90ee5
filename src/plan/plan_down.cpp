// down, and the commands on containers that exist.

#include "plan/builder.h"
#include "plan/resolve.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace stack {
namespace plan {
namespace {

using Containers = std::vector<const ObservedContainer*>;

/// The stack's containers of the named services (all where none is named), in a fixed order.
Containers containers_of(const Stack& stack, const Observed& observed, const Strings& services) {
    Containers list;
    for (const auto& container : observed.containers)
        if (container.project == stack.name &&
            (services.empty() ||
             std::find(services.begin(), services.end(), container.service) != services.end()))
            list.push_back(&container);
    std::sort(list.begin(), list.end(), [](const auto* a, const auto* b) {
        return std::tie(a->service, a->number, a->name, a->id) <
               std::tie(b->service, b->number, b->name, b->id);
    });
    return list;
}

/// A container of a service that left the stack file. Where there is no file, none has left it.
bool is_orphan(const Stack& stack, const ObservedContainer& container) {
    return container.project == stack.name && !stack.services.empty() &&
           !is_known(stack, container.service);
}

using ServiceNodes = std::map<std::string, std::vector<Node>>;

/// What each service depends on, as the stack file has it; what its containers were made from says
/// it of a service that has left the file, or where there is no file.
std::map<std::string, std::set<std::string>> dependencies_of(const Stack& stack,
                                                             const Observed& observed) {
    std::map<std::string, std::set<std::string>> all;
    for (const auto& [name, service] : stack.services)
        for (const auto& [dependency, how] : service.depends_on)
            all[name].insert(dependency);
    for (const auto& container : observed.containers)
        if (container.project == stack.name && !stack.services.contains(container.service))
            for (const auto& [dependency, how] : container.service_config->depends_on)
                all[container.service].insert(dependency);
    return all;
}

class LifePlanner {
  public:
    LifePlanner(const Stack& stack, const Observed& observed)
        : stack_(stack), observed_(observed), dependencies_(dependencies_of(stack, observed)) {}

    void stop(const Containers& containers,
              std::optional<Duration> timeout,
              const std::string& reason,
              bool network_goes = false) {
        for (const auto* container : containers) {
            if (!is_up(*container) && !awaits_restart(*container))
                continue;
            StopContainer action = stop_of(*container, timeout);
            action.network_goes = network_goes;
            const Node node =
                builder_.add(std::move(action), "container/" + container->name, reason);
            stops_[container->service].push_back(node);
            stop_of_[container->id] = node;
        }
        for_each_dependency(stops_, [&](const auto& dependents, const auto& dependencies) {
            order_between(dependents, dependencies);
        });
    }

    void start(const Containers& containers, const std::string& reason) {
        for (const auto* container : containers) {
            const auto stopped = stop_of_.find(container->id);
            if ((is_up(*container) && stopped == stop_of_.end()) || container->oneoff)
                continue;
            const Node node =
                builder_.add(StartContainer{container->name, container->service_config->post_start},
                             "container/" + container->name,
                             reason);
            if (stopped != stop_of_.end())
                builder_.order(stopped->second, node);
            starts_[container->service].push_back(node);
        }
        for_each_dependency(starts_, [&](const auto& dependents, const auto& dependencies) {
            order_between(dependencies, dependents);
        });
    }

    void remove(const Containers& containers,
                bool volumes,
                const std::string& reason,
                bool only_stopped = false) {
        for (const auto* container : containers) {
            const auto stopped = stop_of_.find(container->id);
            if (only_stopped && is_up(*container) && stopped == stop_of_.end())
                continue;
            const Node node = builder_.add(RemoveContainer{container->id, container->name, volumes},
                                           "container/" + container->name,
                                           reason);
            if (stopped != stop_of_.end())
                builder_.order(stopped->second, node);
            removed_.push_back(node);
        }
    }

    /// Networks and volumes of `staying` stay with it.
    void remove_networks(const Containers& staying) {
        std::set<std::string> names;
        for (const auto& network : observed_.networks)
            if (network.project == stack_.name && !is_external(stack_.networks, network.name))
                names.insert(network.name);
        for (const auto* container : staying)
            for (const auto& [name, attachment] : container->service_config->networks)
                spare(names, name, "network", *container);
        for (const auto& name : names)
            builder_.order_all(removed_,
                               builder_.add(RemoveNetwork{name}, "network/" + name, "down"));
    }

    void remove_volumes(const Containers& staying) {
        std::set<std::string> names;
        for (const auto& volume : observed_.volumes)
            if (volume.project == stack_.name && !is_external(stack_.volumes, volume.name))
                names.insert(volume.name);
        for (const auto* container : staying)
            for (const auto& mount : container->mounts)
                spare(names, mount.source, "volume", *container);
        for (const auto& name : names)
            builder_.order_all(
                removed_, builder_.add(RemoveVolume{name}, "volume/" + name, "down with volumes"));
    }

    Plan finish() { return std::move(builder_).finish(); }

  private:
    void spare(std::set<std::string>& names,
               const std::string& name,
               const char* kind,
               const ObservedContainer& user) {
        if (names.erase(name) != 0)
            builder_.warn(std::string(kind) + " " + name + " is still in use by container " +
                          user.name + ", whose service is not in the stack file: it stays " +
                          "(--remove-orphans removes both)");
    }

    template <class Map>
    static bool is_external(const Map& elements, const std::string& name) {
        return std::any_of(elements.begin(), elements.end(), [&](const auto& element) {
            return element.second.external && element.second.name == name;
        });
    }

    /// For every pair (service, its dependency) with nodes on both sides.
    template <class Order>
    void for_each_dependency(const ServiceNodes& nodes, const Order& order) const {
        for (const auto& [name, own] : nodes)
            if (const auto found = dependencies_.find(name); found != dependencies_.end())
                for (const auto& dependency : found->second)
                    if (const auto theirs = nodes.find(dependency); theirs != nodes.end())
                        order(own, theirs->second);
    }

    void order_between(const std::vector<Node>& earlier, const std::vector<Node>& later) {
        for (const Node node : later)
            builder_.order_all(earlier, node);
    }

    const Stack& stack_;
    const Observed& observed_;
    const std::map<std::string, std::set<std::string>> dependencies_;
    Builder builder_;
    ServiceNodes stops_;
    ServiceNodes starts_;
    std::map<std::string, Node> stop_of_;  // by container id
    std::vector<Node> removed_;
};

bool shares_namespace(const Service& service, const std::string& lender) {
    const auto lenders = namespace_lenders(service);
    return std::find(lenders.begin(), lenders.end(), lender) != lenders.end();
}

bool follows(const Service& service, const std::string& other) {
    const auto dependency = service.depends_on.find(other);
    return shares_namespace(service, other) ||
           (dependency != service.depends_on.end() && dependency->second.restart);
}

/// The services of `named` and those that a restart of one of them would leave behind.
Strings with_those_left_behind(const Stack& stack, Strings named, bool no_deps) {
    for (std::size_t i = 0; i < named.size(); ++i)
        for (const auto& [name, service] : stack.services)
            if ((no_deps ? shares_namespace(service, named[i]) : follows(service, named[i])) &&
                std::find(named.begin(), named.end(), name) == named.end())
                named.push_back(name);
    return named;
}

}  // namespace
}  // namespace plan

Plan plan_down(const Stack& desired, const Observed& observed, const DownOptions& options) {
    plan::LifePlanner planner(desired, observed);
    auto going = plan::containers_of(desired, observed, options.services);
    plan::Containers staying;
    if (options.services.empty() && !options.remove_orphans) {
        const auto orphans =
            std::stable_partition(going.begin(), going.end(), [&](const auto* one) {
                return !plan::is_orphan(desired, *one);
            });
        staying.assign(orphans, going.end());
        going.erase(orphans, going.end());
    }
    planner.stop(going, options.timeout, "down", options.services.empty() && staying.empty());
    planner.remove(going, options.volumes, "down");
    if (options.services.empty()) {
        planner.remove_networks(staying);
        if (options.volumes)
            planner.remove_volumes(staying);
    }
    return planner.finish();
}

Plan plan_stop(const Stack& desired,
               const Observed& observed,
               const Strings& services,
               std::optional<Duration> timeout) {
    plan::LifePlanner planner(desired, observed);
    planner.stop(plan::containers_of(desired, observed, services), timeout, "asked for");
    return planner.finish();
}

Plan plan_restart(const Stack& desired,
                  const Observed& observed,
                  const Strings& services,
                  std::optional<Duration> timeout,
                  bool no_deps) {
    plan::LifePlanner planner(desired, observed);
    const auto containers = plan::containers_of(
        desired, observed, plan::with_those_left_behind(desired, services, no_deps));
    planner.stop(containers, timeout, "restart");
    planner.start(containers, "restart");
    return planner.finish();
}

Strings followers_of(const Stack& desired, const std::string& service) {
    Strings names;
    for (const auto& [name, other] : desired.services)
        if (plan::follows(other, service))
            names.push_back(name);
    return names;
}

Strings stranded_services(const Stack& desired, const Observed& observed) {
    std::set<std::string> services;
    for (const auto& container : observed.containers) {
        const auto lenders = plan::namespace_lenders(container.service_config);
        const auto lends = [&](const std::string& lender) {
            return std::any_of(
                observed.containers.begin(), observed.containers.end(), [&](const auto& other) {
                    return other.service == lender && !other.oneoff && is_up(other);
                });
        };
        if (container.state == ContainerState::running && !container.oneoff &&
            desired.services.contains(container.service) &&
            plan::is_stranded(container, observed) &&
            std::all_of(lenders.begin(), lenders.end(), lends))
            services.insert(container.service);
    }
    return {services.begin(), services.end()};
}

Plan plan_kill(const Stack& desired,
               const Observed& observed,
               const Strings& services,
               const std::string& signal) {
    plan::Builder builder;
    for (const auto* container : plan::containers_of(desired, observed, services))
        if (is_up(*container))
            builder.add(KillContainer{container->id, container->name, signal},
                        "container/" + container->name,
                        "asked for");
    return std::move(builder).finish();
}

Plan plan_pause(const Stack& desired,
                const Observed& observed,
                const Strings& services,
                bool paused) {
    plan::Builder builder;
    const auto from = paused ? ContainerState::running : ContainerState::paused;
    for (const auto* container : plan::containers_of(desired, observed, services))
        if (container->state == from)
            builder.add(PauseContainer{container->id, container->name, paused},
                        "container/" + container->name,
                        "asked for");
    return std::move(builder).finish();
}

Plan plan_remove(const Stack& desired,
                 const Observed& observed,
                 const Strings& services,
                 bool stop,
                 bool volumes) {
    plan::LifePlanner planner(desired, observed);
    const auto containers = plan::containers_of(desired, observed, services);
    if (stop)
        planner.stop(containers, std::nullopt, "to be removed");
    planner.remove(containers, volumes, "asked for", true);
    return planner.finish();
}

}  // namespace stack
