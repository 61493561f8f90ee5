#include "plan/builder.h"

#include <algorithm>
#include <functional>
#include <queue>

namespace stack::plan {

Node Builder::add(Action action,
                  std::string resource,
                  std::string reason,
                  std::vector<FieldChange> changes) {
    nodes_.push_back(
        {std::move(action), std::move(resource), std::move(reason), std::move(changes), {}, false});
    return nodes_.size() - 1;
}

void Builder::order_all(const std::vector<Node>& earlier, Node later) {
    for (const Node node : earlier)
        order(node, later);
}

Plan Builder::finish() && {
    Plan plan;
    plan.warnings = std::move(warnings_);
    plan.errors = std::move(errors_);
    plan.running = std::move(running_);
    std::sort(plan.running.begin(), plan.running.end());
    if (!plan.errors.empty())
        return plan;

    std::vector<std::size_t> waits_for(nodes_.size());
    std::vector<std::vector<Node>> later(nodes_.size());
    std::priority_queue<Node, std::vector<Node>, std::greater<>> ready;
    for (Node node = 0; node < nodes_.size(); ++node) {
        waits_for[node] = nodes_[node].after.size();
        for (const Node earlier : nodes_[node].after)
            later[earlier].push_back(node);
        if (waits_for[node] == 0)
            ready.push(node);
    }
    std::vector<std::size_t> place(nodes_.size());
    while (!ready.empty()) {
        const Node node = ready.top();
        ready.pop();
        auto& planned = nodes_[node];
        place[node] = plan.actions.size();
        PlannedAction action{std::move(planned.action),
                             std::move(planned.resource),
                             std::move(planned.reason),
                             std::move(planned.changes),
                             {},
                             planned.optional};
        for (const Node earlier : planned.after)
            action.after.push_back(place[earlier]);
        std::sort(action.after.begin(), action.after.end());
        plan.actions.push_back(std::move(action));
        for (const Node next : later[node])
            if (--waits_for[next] == 0)
                ready.push(next);
    }
    if (plan.actions.size() != nodes_.size()) {
        plan.actions.clear();
        plan.errors.emplace_back("services depend on each other in a circle");
    }
    return plan;
}

}  // namespace stack::plan
