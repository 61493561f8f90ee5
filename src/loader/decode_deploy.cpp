// deploy: what means something on one host ends in the service's own attributes (compose.md 1.9).

#include "base/text.h"
#include "loader/decode.h"
#include "model/cdi.h"

#include <algorithm>
#include <utility>

namespace stack::loader {
namespace {

/// A limit that the service gives under its own old name, too, must be the same there.
template <class Value>
void check_twin(
    Object& object, const char* key, const char* twin, const Value& before, const Value& after) {
    if (const Node* node = object.take(key); node != nullptr && before && before != after)
        object.reporter.error(node->at,
                              "conflict",
                              std::string("`") + twin + "` and `" + key + "` of " + object.what() +
                                  " disagree: remove one of the two");
}

void decode_limits(const Node& node, Resources& resources, Reporter& reporter) {
    Object limits(node, "`deploy.resources.limits`", reporter);
    const Resources before = resources;
    limits.number("cpus", resources.cpus);
    limits.limit("memory", resources.memory);
    limits.number("pids", resources.pids, or_unlimited);
    check_twin(limits, "cpus", "cpus", before.cpus, resources.cpus);
    check_twin(limits, "memory", "mem_limit", before.memory, resources.memory);
    check_twin(limits, "pids", "pids_limit", before.pids, resources.pids);
}

DeviceRequest decode_device_request(const Node& node, Reporter& reporter) {
    Object object(node, "a device request", reporter);
    DeviceRequest request;
    object.text("driver", request.driver);
    if (const Node* count = object.take("count"); count != nullptr && count->value == "all")
        request.count = -1;
    else
        object.number("count", request.count, or_unlimited);
    object.list("device_ids", request.device_ids);
    object.list("capabilities", request.capabilities);
    object.map("options", request.options);
    if (request.count && !request.device_ids.empty())
        reporter.error(node.at, "conflict", "`count` and `device_ids` exclude each other");
    if (!request.count && request.device_ids.empty())
        request.count = -1;
    return request;
}

void add_request(const Node& node, DeviceRequest request, Service& service, Reporter& reporter) {
    if (const auto names = cdi_names_for(request); !names)
        reporter.error(node.at, "unsupported", names.error().message);
    service.device_requests.push_back(std::move(request));
}

void decode_reservations(const Node& node, Service& service, Reporter& reporter) {
    Object reservations(node, "`deploy.resources.reservations`", reporter);
    const auto before = service.resources.memory_reservation;
    reservations.number("cpus", service.resources.reserved_cpus);
    reservations.limit("memory", service.resources.memory_reservation);
    check_twin(
        reservations, "memory", "mem_reservation", before, service.resources.memory_reservation);
    reservations.warn_ignored({"generic_resources"});
    if (const Node* devices = reservations.take("devices"))
        for (const auto& item : devices->items)
            add_request(item, decode_device_request(item, reporter), service, reporter);
}

void decode_restart_policy(const Node& node, RestartPolicy& restart, Reporter& reporter) {
    Object policy(node, "`restart_policy`", reporter);
    restart.condition = RestartCondition::always;
    if (const Node* condition = policy.take("condition")) {
        check_choice(*condition,
                     "`condition`",
                     {"none", "on-failure", "any", "always", "unless-stopped"},
                     reporter);
        restart.condition = condition->value == "none"         ? RestartCondition::no
                            : condition->value == "on-failure" ? RestartCondition::on_failure
                            : condition->value == "unless-stopped"
                                ? RestartCondition::unless_stopped
                                : RestartCondition::always;
    }
    policy.duration("delay", restart.delay);
    policy.number("max_attempts", restart.max_attempts);
    policy.duration("window", restart.window);
}

UpdateConfig decode_update(const Node& node, const std::string& what, Reporter& reporter) {
    Object object(node, "`" + what + "`", reporter);
    UpdateConfig update;
    object.number("parallelism", update.parallelism);
    object.duration("delay", update.delay);
    object.duration("monitor", update.monitor);
    object.choice("failure_action", update.failure_action, {"pause", "continue", "rollback"});
    object.number("max_failure_ratio", update.max_failure_ratio);
    object.choice("order", update.order, {"stop-first", "start-first"});
    return update;
}

}  // namespace

void decode_gpus(const Node& node, Service& service, Reporter& reporter) {
    const auto add = [&](const Node& at, DeviceRequest request) {
        auto& capabilities = request.capabilities;
        if (std::find(capabilities.begin(), capabilities.end(), "gpu") == capabilities.end())
            capabilities.emplace_back("gpu");
        add_request(at, std::move(request), service, reporter);
    };
    if (node.is_scalar()) {
        check_choice(node, "`gpus`", {"all"}, reporter);
        add(node, {.count = -1});
    }
    for (const auto& item : node.items)
        add(item, decode_device_request(item, reporter));
}

void decode_deploy(const Node& node, Service& service, Reporter& reporter) {
    Object deploy(node, "`deploy`", reporter);
    if (const Node* replicas = deploy.take("replicas")) {
        const auto count = integer_of(*replicas, "`replicas`", number_of_containers, reporter);
        if (count && service.scale && *service.scale != *count)
            reporter.error(replicas->at,
                           "conflict",
                           "`scale` and `deploy.replicas` disagree: remove one of the two");
        if (count)
            service.scale = static_cast<int>(*count);
    }
    if (const Node* resources = deploy.take("resources")) {
        Object object(*resources, "`resources`", reporter);
        if (const Node* limits = object.take("limits"))
            decode_limits(*limits, service.resources, reporter);
        if (const Node* reservations = object.take("reservations"))
            decode_reservations(*reservations, service, reporter);
    }
    if (const Node* policy = deploy.take("restart_policy"))
        decode_restart_policy(*policy, service.restart, reporter);
    if (const Node* update = deploy.take("update_config"))
        service.update_config = decode_update(*update, "update_config", reporter);
    if (const Node* rollback = deploy.take("rollback_config"))
        service.rollback_config = decode_update(*rollback, "rollback_config", reporter);
    StringMap labels;  // of the service as a swarm knows it, not of its containers
    deploy.map("labels", labels);
    if (const Node* mode = deploy.take("mode"))
        check_choice(
            *mode, "`mode`", {"replicated", "global", "replicated-job", "global-job"}, reporter);
    deploy.unread_text("endpoint_mode");
    deploy.warn_ignored({"placement", "endpoint_mode", "update_config", "rollback_config"});
}

}  // namespace stack::loader
