#include "plan/conditions.h"

namespace stack::plan {

void Conditions::order_dependencies(const Service& service, Node start) {
    for (const auto& [dependency, how] : service.depends_on)
        for (const Node earlier : nodes_of(dependency, how))
            how.required ? draft_.builder.order(earlier, start)
                         : draft_.builder.order_tolerantly(earlier, start);
}

void Conditions::await(const std::string& service) {
    for (const auto& slot : draft_.services[service].slots) {
        const bool is_well = !slot.start && slot.existing &&
                             (!is_up(*slot.existing) || slot.existing->health == Health::none ||
                              slot.existing->health == Health::healthy);
        if (is_well || slot.healthy || slot.completed)
            continue;
        const Node node =
            draft_.builder.add(AwaitHealthy{slot.name, true, draft_.options.wait_timeout},
                               "container/" + slot.name,
                               "asked to wait");
        if (slot.start)
            draft_.builder.order(*slot.start, node);
    }
}

/// The nodes that a dependent waits for.
std::vector<Node> Conditions::nodes_of(const std::string& dependency, const Dependency& how) {
    std::vector<Node> nodes;
    const auto planned = draft_.services.find(dependency);
    if (planned == draft_.services.end())
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

std::optional<Node> Conditions::await_healthy(Slot& slot) {
    const bool is_healthy =
        !slot.start && slot.existing && slot.existing->health == Health::healthy;
    if (!slot.healthy && !is_healthy) {
        slot.healthy = draft_.builder.add(
            AwaitHealthy{slot.name}, "container/" + slot.name, "others need it healthy");
        if (slot.start)
            draft_.builder.order(*slot.start, *slot.healthy);
    }
    return slot.healthy;
}

std::optional<Node> Conditions::await_completed(Slot& slot) {
    const bool is_completed = !slot.start && slot.existing &&
                              slot.existing->state == ContainerState::exited &&
                              slot.existing->exit.code == 0;
    if (!slot.completed && !is_completed) {
        slot.completed = draft_.builder.add(
            AwaitCompleted{slot.name}, "container/" + slot.name, "others need it completed");
        if (slot.start)
            draft_.builder.order(*slot.start, *slot.completed);
    }
    return slot.completed;
}

}  // namespace stack::plan
