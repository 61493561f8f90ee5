#include "plan/turnover.h"

#include "model/volumes_from.h"
#include "plan/resolve.h"

#include <utility>

namespace stack::plan {
namespace {

std::optional<Node> found_in(const std::map<std::string, Node>& nodes, const std::string& key) {
    const auto found = nodes.find(key);
    return found == nodes.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

Slot& Turnover::create(const Service& service, CreateContainer action, const std::string& reason) {
    Slot slot;
    slot.name = action.spec->name;
    slot.number = action.spec->number;
    const Node create = draft_.builder.add(std::move(action), "container/" + slot.name, reason);
    created_[slot.name] = create;
    images_.order(service, create);
    resources_.order(std::get<CreateContainer>(draft_.builder.action(create)).spec->service,
                     create);
    order_volume_lenders(service, create);
    if (!draft_.options.no_start) {
        slot.start = start(service, slot.name, reason);
        draft_.builder.order(create, *slot.start);
    }
    auto& slots = draft_.services[service.name].slots;
    slots.push_back(slot);
    return slots.back();
}

Node Turnover::create_hook(const Service& service,
                           CreateContainer action,
                           const std::string& reason) {
    const std::string name = action.spec->name;
    const Node create = draft_.builder.add(std::move(action), "container/" + name, reason);
    created_[name] = create;
    const ContainerSpec& spec = *std::get<CreateContainer>(draft_.builder.action(create)).spec;
    if (const auto image = images_.need(spec.image, service))
        draft_.builder.order(*image, create);
    images_.order_mounted(service, create);
    resources_.order(spec.service, create);
    order_volume_lenders(spec.service, create);
    return create;
}

Node Turnover::start(const Service& service, const std::string& name, const std::string& reason) {
    const Node node =
        draft_.builder.add(StartContainer{name, service.post_start}, "container/" + name, reason);
    conditions_.order_dependencies(service, node);
    // It shares with one that stays.
    for (const auto& lender : namespace_lenders(service))
        if (const auto stops = stopped_services_.find(lender); stops != stopped_services_.end())
            draft_.builder.order_all(stops->second, node);
    return node;
}

Node Turnover::stop(const ObservedContainer& container, const std::string& reason) {
    const Node node = draft_.builder.add(
        stop_of(container, draft_.options.timeout), "container/" + container.name, reason);
    stops_[container.id] = node;
    stopped_services_[container.service].push_back(node);
    return node;
}

Node Turnover::remove(const ObservedContainer& container,
                      const std::string& reason,
                      std::vector<FieldChange> changes) {
    std::optional<Node> stopped;
    if (is_up(container) || awaits_restart(container))  // or it would be up again by then
        stopped = stop(container, reason);
    const Node node = draft_.builder.add(RemoveContainer{container.id, container.name, false},
                                         "container/" + container.name,
                                         reason,
                                         std::move(changes));
    if (stopped)
        draft_.builder.order(*stopped, node);
    resources_.order_removals(container.service_config->networks, node);
    removals_[container.id] = node;
    return node;
}

std::optional<Node> Turnover::creation(const std::string& name) const {
    return found_in(created_, name);
}

std::optional<Node> Turnover::end_of(const std::string& id) const {
    return found_in(stops_, id);
}

void Turnover::order_stops() {
    for (const auto& [name, stops] : stopped_services_) {
        const auto service = draft_.desired.services.find(name);
        if (service == draft_.desired.services.end())
            continue;
        for (const auto& [dependency, how] : service->second.depends_on)
            if (const auto later = stopped_services_.find(dependency);
                later != stopped_services_.end())
                for (const Node node : later->second)
                    draft_.builder.order_all(stops, node);
    }
}

void Turnover::order_names() {
    for (const auto& container : draft_.observed.containers) {
        const auto create = creation(container.name);
        if (!create)
            continue;
        if (const auto removal = found_in(removals_, container.id))
            draft_.builder.order(*removal, *create);
        else
            draft_.builder.refuse("the name " + container.name + " belongs to a container of " +
                                  (container.project == draft_.desired.name
                                       ? "service " + container.service
                                       : "stack " + container.project) +
                                  ": remove it, or give the service another container_name");
    }
}

/// What they have mounted is known when they are made.
void Turnover::order_volume_lenders(const Service& service, Node user) {
    const auto order_created = [&](const std::string& container) {
        if (const auto create = creation(container))
            draft_.builder.order(*create, user);
    };
    for (const auto& text : service.volumes_from) {
        const auto from = model::parse_volumes_from(text);
        if (from && from->is_container)
            order_created(from->name);
        else if (from)
            for (const auto& slot : draft_.services[from->name].slots)
                order_created(slot.name);
    }
}

}  // namespace stack::plan
