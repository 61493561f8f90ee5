// Which names lead to which containers.

#include "engine/network/names.h"

#include "engine/real_engine.h"

#include <map>

namespace stack::engine {
namespace {

constexpr std::size_t short_id = 12;

/// The names a container answers to in one network (compose.md 1.2 "Container-scoped aliases").
Strings names_of(const ObservedContainer& container, const std::string& network) {
    Strings names{container.name, container.id.substr(0, short_id)};
    if (!container.service.empty() && !container.oneoff)
        names.push_back(container.service);
    if (!container.service_config.hostname.empty())
        names.push_back(container.service_config.hostname);
    const auto attachment = container.service_config.networks.find(network);
    if (attachment != container.service_config.networks.end())
        names.insert(
            names.end(), attachment->second.aliases.begin(), attachment->second.aliases.end());
    return names;
}

struct Candidates {
    Strings ready;    // healthy, or without a health check
    Strings running;  // all
};

}  // namespace

void RealEngine::publish_names(const Stack& desired, const Observed& observed) {
    Strings gateways;
    std::vector<network::NameEntry> entries;
    for (const auto& record : networks_.list()) {
        if (record.project != desired.name)
            continue;
        for (const auto& gateway : {record.gateway4, record.gateway6})
            if (!gateway.empty())
                gateways.push_back(gateway);
        std::map<std::string, Candidates> names;
        for (const auto& container : observed.containers) {
            if (container.state != ContainerState::running)
                continue;
            for (const auto& address : container.addresses) {
                if (address.network != record.name)
                    continue;
                for (const auto& name : names_of(container, record.name))
                    for (const auto& one : {address.ipv4, address.ipv6}) {
                        if (one.empty())
                            continue;
                        auto& candidates = names[name];
                        candidates.running.push_back(one);
                        if (container.health == Health::none || container.health == Health::healthy)
                            candidates.ready.push_back(one);
                    }
            }
        }
        for (auto& [name, candidates] : names)
            entries.push_back({record.gateway4,
                               record.gateway6,
                               name,
                               candidates.ready.empty() ? candidates.running : candidates.ready});
    }
    if (gateways.empty())
        network::stop_names(paths_, desired.name);
    else
        network::publish_names(paths_, desired.name, gateways, entries);
}

}  // namespace stack::engine
