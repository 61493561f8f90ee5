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
        {std::move(action), std::move(resource), std::move(reason), std::move(changes), {}});
    return nodes_.size() - 1;
}

void Builder::order_all(const std::vector<Node>& earlier, Node later) {
    for (const Node node : earlier)
        order(node, later);
}

void Builder::add_once(Strings& sentences, const std::string& sentence) {
    if (std::find(sentences.begin(), sentences.end(), sentence) == sentences.end())
        sentences.push_back(sentence);
}

/// The nodes that something waits for, but nothing for their success.
std::vector<bool> Builder::tolerated_by_all() const {
    std::vector<bool> tolerated(nodes_.size());
    for (const auto& planned : nodes_)
        for (const auto& [earlier, edge] : planned.after)
            tolerated[earlier] = true;
    for (const auto& planned : nodes_)
        for (const auto& [earlier, edge] : planned.after)
            if (edge == Edge::success)
                tolerated[earlier] = false;
    return tolerated;
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
        for (const auto& [earlier, edge] : nodes_[node].after)
            later[earlier].push_back(node);
        if (waits_for[node] == 0)
            ready.push(node);
    }
    const std::vector<bool> optional = tolerated_by_all();
    plan.actions.reserve(nodes_.size());
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
                             {},
                             optional[node]};
        for (const auto& [earlier, edge] : planned.after) {
            action.after.push_back(place[earlier]);
            if (edge == Edge::end)
                action.tolerates.push_back(place[earlier]);
        }
        std::sort(action.after.begin(), action.after.end());
        std::sort(action.tolerates.begin(), action.tolerates.end());
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
