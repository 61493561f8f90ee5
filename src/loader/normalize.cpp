#include "base/text.h"
#include "loader/validate.h"
#include "model/volumes_from.h"

#include <algorithm>
#include <set>

namespace stack::loader {
namespace {

/// `service:NAME` of a namespace mode; "" where it is none.
std::string shared_service(const std::string& mode) {
    constexpr std::string_view prefix = "service:";
    return mode.starts_with(prefix) ? mode.substr(prefix.size()) : "";
}

/// Who lends a namespace or volumes, or is linked to, comes first.
void add_implicit_dependencies(Service& service) {
    const auto depend = [&](const std::string& name, bool restart) {
        if (!name.empty() && !service.depends_on.contains(name))
            service.depends_on[name] = {DependencyCondition::started, restart, true};
    };
    for (const auto& mode :
         {service.network_mode, service.pid, service.ipc, service.uts, service.cgroup})
        depend(shared_service(mode), true);
    for (const auto& text : service.volumes_from)
        if (const auto from = model::parse_volumes_from(text); from && !from->is_container)
            depend(from->name, false);
    for (const auto& link : service.links)
        depend(split_once(link, ':').first, true);
}

/// Where a network says at which address of the host its ports are published, those that name
/// none are there.
void bind_ports(Stack& stack) {
    std::map<std::string, std::string> bindings;  // by network
    for (const auto& [key, network] : stack.networks)
        if (const auto option =
                network.driver_opts.find("com.docker.network.bridge.host_binding_ipv4");
            option != network.driver_opts.end())
            bindings[key] = option->second;
    if (bindings.empty())
        return;
    for (auto& [name, service] : stack.services)
        for (const auto& [network, attachment] : service.networks)
            if (const auto binding = bindings.find(network); binding != bindings.end())
                for (auto& port : service.ports)
                    if (port.host_ip.empty())
                        port.host_ip = binding->second;
}

/// The service's own `mac_address` is that of its main network: the one that it is attached to
/// first.
void name_main_hardware(Service& service) {
    const auto main = std::max_element(
        service.networks.begin(), service.networks.end(), [](const auto& one, const auto& other) {
            return one.second.priority < other.second.priority;
        });
    if (main != service.networks.end() && main->second.mac_address.empty())
        main->second.mac_address = service.mac_address;
}

}  // namespace

std::string normalized_name(const std::string& name) {
    std::string normalized;
    for (const char c : to_lower(name))
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
            (!normalized.empty() && (c == '_' || c == '-')))
            normalized += c;
    return normalized;
}

void normalize(Stack& stack, Budget& budget) {
    bool needs_default = false;
    for (auto& [name, service] : stack.services) {
        if (service.network_mode.empty() && service.networks.empty() && !service.provider)
            service.networks["default"] = {};
        if (service.network_mode ==
            "bridge") {  // Docker's shared bridge does not exist here: the stack's own serves
            service.network_mode.clear();
            service.networks["default"] = {};
        }
        needs_default = needs_default || service.networks.contains("default");
        name_main_hardware(service);
        if (service.build && service.build->context.empty())
            service.build->context = stack.working_dir;
        if (service.pull_policy == "if_not_present")
            service.pull_policy = "missing";
        add_implicit_dependencies(service);
        if (!budget.spend({service.links.size() * service.networks.size(), 0, 0},
                          Location{stack.files.front(), 0, 0, 1}))
            return;
    }
    bind_ports(stack);
    if (needs_default && !stack.networks.contains("default"))
        stack.networks["default"].key = "default";
    const auto name = [&](auto& elements) {
        for (auto& [key, element] : elements)
            if (element.name.empty())
                element.name = element.external ? key : stack.name + "_" + key;
    };
    name(stack.networks);
    name(stack.volumes);
    name(stack.secrets);
    name(stack.configs);
}

void remove_unused(Stack& stack) {
    std::set<std::string> networks;
    std::set<std::string> volumes;
    std::set<std::string> secrets;
    std::set<std::string> configs;
    for (const auto& [name, service] : stack.services) {
        for (const auto& [network, attachment] : service.networks)
            networks.insert(network);
        for (const auto& mount : service.volumes)
            if (mount.type == MountType::volume)
                volumes.insert(mount.source);
        for (const auto& secret : service.secrets)
            secrets.insert(secret.source);
        for (const auto& config : service.configs)
            configs.insert(config.source);
        if (service.build)
            for (const auto& secret : service.build->secrets)
                secrets.insert(secret.source);
    }
    const auto keep = [](auto& elements, const std::set<std::string>& used) {
        std::erase_if(elements, [&](const auto& entry) { return !used.contains(entry.first); });
    };
    keep(stack.networks, networks);
    keep(stack.volumes, volumes);
    keep(stack.secrets, secrets);
    keep(stack.configs, configs);
}

void apply_profiles(Stack& stack, Strings active, const Strings& named) {
    for (const auto& name : named)
        if (const auto service = stack.services.find(name); service != stack.services.end())
            active.insert(
                active.end(), service->second.profiles.begin(), service->second.profiles.end());
    if (active.empty())
        active.emplace_back();  // as the reference implementation has it: profiles: ["${OFF:+no}"]
    const auto is_active = [&](const Service& service) {
        return service.profiles.empty() ||
               std::any_of(active.begin(), active.end(), [&](const std::string& profile) {
                   return profile == "*" ||
                          std::find(service.profiles.begin(), service.profiles.end(), profile) !=
                              service.profiles.end();
               });
    };
    for (auto service = stack.services.begin(); service != stack.services.end();) {
        if (is_active(service->second)) {
            ++service;
            continue;
        }
        stack.disabled_services.push_back(service->first);
        service = stack.services.erase(service);
    }
}

}  // namespace stack::loader
