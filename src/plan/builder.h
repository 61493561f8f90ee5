#pragma once

// Collects actions and the order between them, and lays them out as a plan.

#include <stack/plan.h>

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace stack::plan {

/// Where an action is in the builder; not its place in the plan.
using Node = std::size_t;

class Builder {
  public:
    Node add(Action action,
             std::string resource,
             std::string reason,
             std::vector<FieldChange> changes = {});

    /// Stays where it is until finish().
    [[nodiscard]] const Action& action(Node node) const { return nodes_[node].action; }

    /// `later` starts only when `earlier` has succeeded.
    void order(Node earlier, Node later) { nodes_[later].after[earlier] = Edge::success; }

    /// `later` starts when `earlier` has ended, well or not, unless it needs its success as well.
    void order_tolerantly(Node earlier, Node later) {
        nodes_[later].after.emplace(earlier, Edge::end);
    }

    void order_all(const std::vector<Node>& earlier, Node later);

    /// These say each sentence once, however often it is come by.
    void warn(const std::string& sentence) { add_once(warnings_, sentence); }

    void refuse(const std::string& sentence) { add_once(errors_, sentence); }

    void keep(std::string container) { running_.push_back(std::move(container)); }

    /// The plan: topological, and among those that may come next, in the order in which they were
    /// added. A cycle (which the loader refuses) becomes an error.
    [[nodiscard]] Plan finish() &&;

  private:
    /// What of the earlier action the later one waits for.
    enum class Edge { end, success };

    struct Planned {
        Action action;
        std::string resource;
        std::string reason;
        std::vector<FieldChange> changes;
        std::map<Node, Edge> after;
    };

    [[nodiscard]] std::vector<bool> tolerated_by_all() const;
    static void add_once(Strings& sentences, const std::string& sentence);

    std::deque<Planned> nodes_;  // an action has two kilobytes and more: none is moved to make room
    Strings warnings_;
    Strings errors_;
    Strings running_;
};

}  // namespace stack::plan
