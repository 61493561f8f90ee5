// The canonical stack file. What is printed loads again to the same stack.

#include "loader/print.h"

#include <stack/load.h>

#include "loader/remainder.h"

namespace stack {
namespace loader {
namespace {

Json network_json(const Network& network) {
    Json json;
    put(json, "name", network.name);
    put(json, "driver", network.driver);
    put(json, "driver_opts", network.driver_opts);
    put(json, "external", network.external);
    put(json, "internal", network.internal);
    put(json, "attachable", network.attachable);
    if (!network.enable_ipv4)
        json["enable_ipv4"] = false;
    put(json, "enable_ipv6", network.enable_ipv6);
    if (!network.ipam_driver.empty())
        json["ipam"]["driver"] = network.ipam_driver;
    for (const auto& pool : network.ipam) {
        Json entry;
        put(entry, "subnet", pool.subnet);
        put(entry, "gateway", pool.gateway);
        put(entry, "ip_range", pool.ip_range);
        put(entry, "aux_addresses", pool.aux_addresses);
        json["ipam"]["config"].push_back(entry);
    }
    put(json, "labels", network.labels);
    return json;
}

Json volume_json(const Volume& volume) {
    Json json;
    put(json, "name", volume.name);
    put(json, "driver", volume.driver);
    put(json, "driver_opts", volume.driver_opts);
    put(json, "external", volume.external);
    put(json, "labels", volume.labels);
    return json;
}

Json source_json(const FileSource& source) {
    Json json;
    put(json, "name", source.name);
    put(json, "file", source.file);
    put(json, "environment", source.environment);
    if (source.content && source.environment.empty())
        json["content"] = escaped(*source.content);
    put(json, "external", source.external);
    put(json, "labels", source.labels);
    return json;
}

Json stack_json(const Stack& stack, const std::string& remainder) {
    Json json;
    put(json, "name", stack.name);
    json["services"] = Json::object();
    for (const auto& [name, service] : stack.services)
        json["services"][name] = service_json(service);
    for (const auto& [key, network] : stack.networks)
        json["networks"][key] = network_json(network);
    for (const auto& [key, volume] : stack.volumes)
        json["volumes"][key] = volume_json(volume);
    for (const auto& [key, secret] : stack.secrets)
        json["secrets"][key] = source_json(secret);
    for (const auto& [key, config] : stack.configs)
        json["configs"][key] = source_json(config);
    if (!remainder.empty())
        add_remainder(json, Json::parse(remainder));
    return json;
}

}  // namespace
}  // namespace loader

std::string to_yaml(const Stack& stack, const std::string& remainder) {
    return loader::yaml_text(loader::stack_json(stack, remainder));
}

std::string to_json_text(const Stack& stack, const std::string& remainder) {
    return loader::stack_json(stack, remainder)
        .dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string to_json_text(const std::vector<Variable>& variables) {
    auto all = nlohmann::ordered_json::object();
    for (const auto& variable : variables)
        all[variable.name] = {{"Name", variable.name},
                              {"DefaultValue", variable.default_value},
                              {"PresenceValue", variable.alternate},
                              {"Required", variable.required}};
    return all.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace stack
