// The interfaces of a container: one in each of its networks, one of which gives the default route.

#include "engine/network/networks.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"

#include <algorithm>

namespace stack::runtime {
namespace {

/// Names of the container's networks in the order of their interfaces: priority, then name.
Strings network_order(const Service& service) {
    Strings names;
    for (const auto& [name, attachment] : service.networks)
        names.push_back(name);
    std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
        return service.networks.at(a).priority > service.networks.at(b).priority;
    });
    return names;
}

/// The number of the first interface from `number` on whose name, eth<number>, the stack file gives
/// to no other.
int free_number(const Service& service, int number) {
    const auto is_given = [&](const auto& network) {
        return network.second.interface_name == "eth" + std::to_string(number);
    };
    while (std::any_of(service.networks.begin(), service.networks.end(), is_given))
        ++number;
    return number;
}

/// One network gives the default route: the one with the highest gw_priority, else the first that
/// has a gateway.
void choose_gateway(const Service& service, std::vector<network::Endpoint>& endpoints) {
    const network::Endpoint* chosen = nullptr;
    for (const auto& endpoint : endpoints)
        if (!endpoint.gateway4.empty() || !endpoint.gateway6.empty())
            if (!chosen || service.networks.at(endpoint.network).gw_priority >
                               service.networks.at(chosen->network).gw_priority)
                chosen = &endpoint;
    for (auto& endpoint : endpoints)
        if (&endpoint != chosen) {
            endpoint.gateway4.clear();
            endpoint.gateway6.clear();
        }
}

}  // namespace

std::vector<network::Endpoint> Runtime::connect(const ContainerRecord& record) {
    std::vector<network::Endpoint> endpoints;
    const Service& service = record.spec.service;
    if (!service.network_mode.empty() && service.network_mode != "bridge")
        return endpoints;
    // The address of a service's container is kept for its successor; a one-off has none.
    const std::string key = record.spec.oneoff ? record.id
                                               : record.spec.project + "/" + service.name + "/" +
                                                     std::to_string(record.spec.number);
    // Of several, all decide where the ports lead (find_published).
    const bool is_only = service.networks.size() == 1;
    int number = 0;
    for (const auto& name : network_order(service)) {
        number = free_number(service, number);
        const auto avoided = record.spec.avoided_addresses.find(name);
        auto endpoint = networks_.attach(
            name,
            record.id,
            key,
            service.networks.at(name),
            number,
            avoided == record.spec.avoided_addresses.end() ? Strings() : avoided->second,
            is_only ? record.ports : std::vector<network::PublishedPort>(),
            titles());
        if (const auto network = networks_.find(name); network && network->driver.empty())
            endpoint.resolver = network->gateway4.empty() ? network->gateway6 : network->gateway4;
        endpoints.push_back(std::move(endpoint));
        number += service.networks.at(name).interface_name.empty() ? 1 : 0;
    }
    choose_gateway(service, endpoints);
    return endpoints;
}

}  // namespace stack::runtime
