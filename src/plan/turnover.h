#pragma once

// The containers that come, start, stop and go by an `up`, and the order among them.

#include <stack/plan.h>

#include "plan/conditions.h"
#include "plan/draft.h"
#include "plan/images.h"
#include "plan/resources.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stack::plan {

class Turnover {
  public:
    Turnover(Draft& draft, Images& images, Resources& resources, Conditions& conditions)
        : draft_(draft), images_(images), resources_(resources), conditions_(conditions) {}

    /// One of the service, and its start unless nothing is to start.
    Slot& create(const Service& service, CreateContainer action, const std::string& reason);

    /// One of the service's hooks; nothing but what it is made from comes before it.
    Node create_hook(const Service& service, CreateContainer action, const std::string& reason);

    Node start(const Service& service, const std::string& name, const std::string& reason);
    Node stop(const ObservedContainer& container, const std::string& reason);
    Node remove(const ObservedContainer& container,
                const std::string& reason,
                std::vector<FieldChange> changes = {});

    /// The creation of the container of that name, where there is one.
    [[nodiscard]] std::optional<Node> creation(const std::string& name) const;

    /// The stop of the container of that id, where there is one.
    [[nodiscard]] std::optional<Node> end_of(const std::string& id) const;

    /// Dependents stop before what they depend on.
    void order_stops();

    /// A name is free when the container that has it is gone.
    void order_names();

  private:
    void order_volume_lenders(const Service& service, Node user);

    Draft& draft_;
    Images& images_;
    Resources& resources_;
    Conditions& conditions_;
    std::map<std::string, Node> created_;   // containers, by name
    std::map<std::string, Node> stops_;     // containers, by id
    std::map<std::string, Node> removals_;  // containers, by id
    std::map<std::string, std::vector<Node>> stopped_services_;
};

}  // namespace stack::plan
