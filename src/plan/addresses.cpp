#include "plan/addresses.h"

#include "plan/resolve.h"

#include <variant>
#include <vector>

namespace stack::plan {
namespace {

struct StaticAddresses {
    std::string service;
    std::string ipv4;
    std::string ipv6;
};

using StaticByNetwork = std::map<std::string, std::vector<StaticAddresses>>;

StaticByNetwork static_addresses(const Stack& stack) {
    StaticByNetwork all;
    for (const auto& [name, service] : stack.services)
        for (const auto& [network, attachment] : networks_of(stack, service))
            if (!attachment.ipv4_address.empty() || !attachment.ipv6_address.empty())
                all[network].push_back({name, attachment.ipv4_address, attachment.ipv6_address});
    return all;
}

/// Of a family in which it has an address of its own, none is in its way.
Strings avoided_by(const Service& service,
                   const NetworkAttachment& attachment,
                   const std::vector<StaticAddresses>& all) {
    Strings avoided;
    for (const auto& other : all) {
        if (other.service == service.name)
            continue;
        if (!other.ipv4.empty() && attachment.ipv4_address.empty())
            avoided.push_back(other.ipv4);
        if (!other.ipv6.empty() && attachment.ipv6_address.empty())
            avoided.push_back(other.ipv6);
    }
    return avoided;
}

}  // namespace

Plan with_addresses_kept(const Stack& desired, Plan plan) {
    const StaticByNetwork all = static_addresses(desired);
    if (all.empty())
        return plan;
    for (auto& planned : plan.actions) {
        auto* create = std::get_if<CreateContainer>(&planned.action);
        if (create == nullptr)
            continue;
        ContainerSpec& spec = *create->spec;
        for (const auto& [network, attachment] : spec.service.networks)
            if (const auto found = all.find(network); found != all.end())
                if (auto avoided = avoided_by(spec.service, attachment, found->second);
                    !avoided.empty())
                    spec.avoided_addresses[network] = std::move(avoided);
    }
    return plan;
}

}  // namespace stack::plan
