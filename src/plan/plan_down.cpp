// down, and the commands on containers that exist.

#include "plan/builder.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace stack {
namespace plan {
namespace {

bool is_up(const ObservedContainer& container) {
    return container.state == ContainerState::running || container.state == ContainerState::paused;
}

/// Ended, and about to be started again by its restart policy unless somebody says stop.
bool awaits_restart(const ObservedContainer& container) {
    return container.state == ContainerState::exited && !container.stopped_by_user &&
           container.service_config.restart.condition != RestartCondition::no;
}

/// The stack's containers of the named services (all where none is named), in a fixed order.
std::vector<const ObservedContainer*> containers_of(const Stack& stack,
                                                    const Observed& observed,
                                                    const Strings& services) {
    std::vector<const ObservedContainer*> list;
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
            for (const auto& [dependency, how] : container.service_config.depends_on)
                all[container.service].insert(dependency);
    return all;
}

class LifePlanner {
  public:
    LifePlanner(const Stack& stack, const Observed& observed)
        : stack_(stack), observed_(observed), dependencies_(dependencies_of(stack, observed)) {}

    void stop(const Strings& services, std::optional<Duration> timeout, const std::string& reason) {
        for (const auto* container : containers_of(stack_, observed_, services)) {
            if (!is_up(*container) && !awaits_restart(*container))
                continue;
            const Node node = builder_.add(StopContainer{container->id, container->name, timeout},
                                           "container/" + container->name,
                                           reason);
            stops_[container->service].push_back(node);
            stop_of_[container->id] = node;
        }
        for_each_dependency(stops_, [&](const auto& dependents, const auto& dependencies) {
            order_between(dependents, dependencies);
        });
    }

    void start(const Strings& services, const std::string& reason) {
        for (const auto* container : containers_of(stack_, observed_, services)) {
            const auto stopped = stop_of_.find(container->id);
            if ((is_up(*container) && stopped == stop_of_.end()) || container->oneoff)
                continue;
            const Node node = builder_.add(
                StartContainer{container->name}, "container/" + container->name, reason);
            if (stopped != stop_of_.end())
                builder_.order(stopped->second, node);
            starts_[container->service].push_back(node);
        }
        for_each_dependency(starts_, [&](const auto& dependents, const auto& dependencies) {
            order_between(dependencies, dependents);
        });
    }

    void remove(const Strings& services,
                bool volumes,
                const std::string& reason,
                bool only_stopped = false) {
        for (const auto* container : containers_of(stack_, observed_, services)) {
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

    void remove_networks() {
        std::set<std::string> names;
        for (const auto& network : observed_.networks)
            if (network.project == stack_.name && !is_external(stack_.networks, network.name))
                names.insert(network.name);
        for (const auto& name : names)
            builder_.order_all(removed_,
                               builder_.add(RemoveNetwork{name}, "network/" + name, "down"));
    }

    void remove_volumes() {
        std::set<std::string> names;
        for (const auto& volume : observed_.volumes)
            if (volume.project == stack_.name && !is_external(stack_.volumes, volume.name))
                names.insert(volume.name);
        for (const auto& name : names)
            builder_.order_all(
                removed_, builder_.add(RemoveVolume{name}, "volume/" + name, "down with volumes"));
    }

    Plan finish() { return std::move(builder_).finish(); }

  private:
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

/// The services of `named` and, for a restart, those that ask to be restarted with one of them.
Strings with_restarting_dependents(const Stack& stack, Strings named) {
    for (std::size_t i = 0; i < named.size(); ++i)
        for (const auto& [name, service] : stack.services) {
            const auto dependency = service.depends_on.find(named[i]);
            if (dependency != service.depends_on.end() && dependency->second.restart &&
                std::find(named.begin(), named.end(), name) == named.end())
                named.push_back(name);
        }
    return named;
}

}  // namespace
}  // namespace plan

Plan plan_down(const Stack& desired, const Observed& observed, const DownOptions& options) {
    plan::LifePlanner planner(desired, observed);
    planner.stop(options.services, options.timeout, "down");
    planner.remove(options.services, options.volumes, "down");
    if (options.services.empty()) {
        planner.remove_networks();
        if (options.volumes)
            planner.remove_volumes();
    }
    return planner.finish();
}

Plan plan_start(const Stack& desired, const Observed& observed, const Strings& services) {
    plan::LifePlanner planner(desired, observed);
    planner.start(services, "asked for");
    return planner.finish();
}

Plan plan_stop(const Stack& desired,
               const Observed& observed,
               const Strings& services,
               std::optional<Duration> timeout) {
    plan::LifePlanner planner(desired, observed);
    planner.stop(services, timeout, "asked for");
    return planner.finish();
}

Plan plan_restart(const Stack& desired,
                  const Observed& observed,
                  const Strings& services,
                  std::optional<Duration> timeout,
                  bool no_deps) {
    plan::LifePlanner planner(desired, observed);
    const Strings all = no_deps ? services : plan::with_restarting_dependents(desired, services);
    planner.stop(all, timeout, "restart");
    planner.start(all, "restart");
    return planner.finish();
}

Plan plan_kill(const Stack& desired,
               const Observed& observed,
               const Strings& services,
               const std::string& signal) {
    plan::Builder builder;
    for (const auto* container : plan::containers_of(desired, observed, services))
        if (plan::is_up(*container))
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
    if (stop)
        planner.stop(services, std::nullopt, "to be removed");
    planner.remove(services, volumes, "asked for", true);
    return planner.finish();
}

}  // namespace stack
