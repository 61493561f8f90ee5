// Which names lead to which containers.

#include "engine/network/names.h"

#include "base/text.h"
#include "engine/network/record.h"
#include "engine/real_engine.h"
#include "engine/watch.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace stack::engine {
namespace {

constexpr std::size_t short_id = 12;

/// The names a container answers to in one network (compose.md 1.2 "Container-scoped aliases").
Strings names_of(const ObservedContainer& container, const std::string& network) {
    Strings names{container.name, container.id.substr(0, short_id)};
    if (!container.service.empty() && !container.oneoff)
        names.push_back(container.service);
    if (!container.service_config->hostname.empty())
        names.push_back(container.service_config->hostname);
    const auto attachment = container.service_config->networks.find(network);
    if (attachment != container.service_config->networks.end())
        names.insert(
            names.end(), attachment->second.aliases.begin(), attachment->second.aliases.end());
    return names;
}

/// How well a container that runs serves, best first. A name leads to the best of those that have
/// it, and only to these: while one replica is healthy nobody is sent to one that starts or is
/// unhealthy. But it never leads nowhere while one runs: members of a cluster find each other
/// before they are healthy, and the question would go on to servers outside, whom it is no business
/// of.
enum class Fitness : std::uint8_t {
    ready,  // healthy, or without a health check
    starting,
    unhealthy,
};

Fitness fitness_of(const ObservedContainer& container) {
    switch (container.health) {
        case Health::none:
        case Health::healthy:
            return Fitness::ready;
        case Health::starting:
            return Fitness::starting;
        case Health::unhealthy:
            return Fitness::unhealthy;
    }
    return Fitness::unhealthy;
}

using Candidates = std::map<Fitness, Strings>;  // addresses

void add_names(const ObservedContainer& container,
               const std::string& network,
               std::map<std::string, Candidates>& names) {
    for (const auto& address : container.addresses) {
        if (address.network != network)
            continue;
        for (const auto& name : names_of(container, network))
            for (const auto& one : {address.ipv4, address.ipv6})
                if (!one.empty())
                    names[name][fitness_of(container)].push_back(one);
    }
}

std::vector<network::NameEntry> entries_of(const network::NetworkRecord& network,
                                           const std::vector<ObservedContainer>& containers) {
    std::map<std::string, Candidates> names;
    for (const auto& container : containers)
        if (container.state == ContainerState::running)
            add_names(container, network.name, names);
    std::vector<network::NameEntry> entries;
    for (const auto& [name, candidates] : names)
        entries.push_back({network.gateway4, network.gateway6, name, candidates.begin()->second});
    // An address leads back to its own name before one that it shares with other replicas.
    std::set<std::string_view> own;
    for (const auto& container : containers)
        own.insert(container.name);
    std::stable_partition(entries.begin(), entries.end(), [&](const auto& entry) {
        return own.contains(entry.name);
    });
    return entries;
}

/// Those through which a container asks: its addresses on the network, with the gateways.
std::vector<network::Referral> askers_of(const network::NetworkRecord& network,
                                         const ObservedAddress& own) {
    std::vector<network::Referral> askers;
    if (!own.ipv4.empty() && !network.gateway4.empty())
        askers.push_back({network.gateway4, own.ipv4});
    if (!own.ipv6.empty() && !network.gateway6.empty())
        askers.push_back({network.gateway6, own.ipv6});
    return askers;
}

/// Of each network that has a name service, its record.
using Served = std::map<std::string, network::NetworkRecord>;

network::ResolverRank rank_in(const Served& served, const std::string& network) {
    return network::resolver_rank(served.at(network).internal, network);
}

std::set<network::ResolverRank> resolvers_of(const Served& served,
                                             const ObservedContainer& container) {
    std::set<network::ResolverRank> all;
    for (const auto& address : container.addresses)
        if (served.contains(address.network))
            all.insert(rank_in(served, address.network));
    return all;
}

/// Of the containers on `network` those that have another server to ask behind this one.
std::vector<network::Referral> referrals_of(const network::NetworkRecord& network,
                                            const Served& served,
                                            const std::vector<ObservedContainer>& containers) {
    std::vector<network::Referral> referrals;
    for (const auto& container : containers) {
        const auto asked = network::asked_resolvers(resolvers_of(served, container));
        for (const auto& own : container.addresses)
            if (const auto rank = rank_in(served, network.name);
                own.network == network.name &&
                (network::asks_itself(container.service_config->dns) ||
                 (asked.contains(rank) && rank != *asked.rbegin()))) {
                const auto askers = askers_of(network, own);
                referrals.insert(referrals.end(), askers.begin(), askers.end());
            }
    }
    return referrals;
}

/// The networks of other owners whose service `container` does not ask, where the last one that it
/// asks is that of `network`.
Strings unasked_networks(const network::NetworkRecord& network,
                         const Served& served,
                         const ObservedContainer& container) {
    const auto all = resolvers_of(served, container);
    const auto asked = network::asked_resolvers(all);
    Strings networks;
    if (!asked.empty() && *asked.rbegin() == rank_in(served, network.name))
        for (const auto& rank : all)
            if (!asked.contains(rank) && served.at(rank.second).project != network.project)
                networks.push_back(rank.second);
    return networks;
}

/// Of the containers on `network` those that are also on others which its service answers.
std::vector<network::Beside> beside_of(const network::NetworkRecord& network,
                                       const Served& served,
                                       const std::vector<ObservedContainer>& containers) {
    std::vector<network::Beside> beside;
    for (const auto& container : containers)
        for (const auto& own : container.addresses)
            for (const auto& other : container.addresses) {
                const auto far = served.find(other.network);
                if (own.network != network.name || other.network == network.name ||
                    far == served.end() || far->second.project != network.project)
                    continue;
                const auto there = askers_of(far->second, other);
                for (const auto& [gateway, asker] : askers_of(network, own))
                    if (!there.empty())  // either family leads to the same names
                        beside.push_back(
                            {gateway, asker, there.front().gateway, there.front().asker});
            }
    return beside;
}

/// A name that `container` alone knows at the service of `network`.
void add_own(std::vector<network::OwnName>& names,
             const network::NetworkRecord& network,
             const ObservedContainer& container,
             const std::string& name,
             const Strings& addresses) {
    for (const auto& own : container.addresses)
        if (own.network == network.name)
            for (const auto& [gateway, asker] : askers_of(network, own))
                names.push_back({gateway, asker, name, addresses});
}

/// What the links of `container` call services of its project on `network` (compose.md 1.7).
void add_links(std::vector<network::OwnName>& names,
               const network::NetworkRecord& network,
               const ObservedContainer& container,
               const std::vector<ObservedContainer>& containers) {
    for (const auto& link : container.service_config->links) {
        const auto [service, alias] = split_once(link, ':');
        if (alias.empty())
            continue;  // a service has its own name anyway
        std::vector<ObservedContainer> targets;
        std::copy_if(containers.begin(),
                     containers.end(),
                     std::back_inserter(targets),
                     [&, &service = service](const ObservedContainer& other) {
                         return other.project == container.project && other.service == service;
                     });
        for (const auto& entry : entries_of(network, targets))
            if (entry.name == service)
                add_own(names, network, container, alias, entry.addresses);
    }
}

std::vector<network::Upstream> upstreams_of(const network::NetworkRecord& network,
                                            const std::vector<ObservedContainer>& containers) {
    std::vector<network::Upstream> upstreams;
    for (const auto& container : containers)
        for (const auto& own : container.addresses)
            if (own.network == network.name && !container.service_config->dns.empty())
                for (const auto& [gateway, asker] : askers_of(network, own))
                    upstreams.push_back({gateway, asker, container.service_config->dns});
    return upstreams;
}

}  // namespace

std::vector<ObservedContainer> RealEngine::containers_on(const std::string& network,
                                                         const std::string& project,
                                                         const Observed& observed) const {
    auto containers = observed.containers;
    std::set<std::string> known;
    for (const auto& container : containers)
        known.insert(container.id);
    for (const auto& lease : network::load_leases(paths_, network)) {
        if (lease.container.empty() || known.contains(lease.container))
            continue;
        auto other = runtime_.observe(lease.container);
        if (other && other->project != project)
            containers.push_back(std::move(*other));
    }
    return containers;
}

void RealEngine::publish_names_of(const std::string& owner,
                                  const std::string& project,
                                  const Observed& observed) {
    // Several projects may be on its networks, and each tells what it knows of all.
    sys::ensure_directory(paths_.run + "/networks", 0700);
    const auto lock = sys::Lock::acquire(paths_.run + "/networks/names.lock");
    Served served;
    for (const auto& record : networks_.list())
        if (record.driver.empty())  // else nobody answers names there
            served.emplace(record.name, record);
    network::NameTable table;
    const auto add = [](auto& all, const auto& more) {
        all.insert(all.end(), more.begin(), more.end());
    };
    for (const auto& [name, record] : served) {
        if (record.project != owner)
            continue;
        for (const auto& [gateway, subnet] : {std::pair(record.gateway4, record.subnet4),
                                              std::pair(record.gateway6, record.subnet6)})
            if (!gateway.empty()) {
                table.gateways[gateway] = subnet;
                table.called[gateway] = record.name;
            }
        const auto containers = containers_on(name, project, observed);
        add(table.referrals, referrals_of(record, served, containers));
        add(table.upstreams, upstreams_of(record, containers));
        add(table.beside, beside_of(record, served, containers));
        const auto entries = entries_of(record, containers);
        add(table.entries, entries);
        const auto is_known = [&](const std::string& one) {
            return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
                return entry.name == one;
            });
        };
        for (const auto& container : containers) {
            add_links(table.own, record, container, containers);
            for (const auto& far : unasked_networks(record, served, container))
                for (const auto& entry :
                     entries_of(served.at(far), containers_on(far, project, observed)))
                    if (!is_known(entry.name))
                        add_own(table.own, record, container, entry.name, entry.addresses);
        }
    }
    if (table.gateways.empty())
        network::stop_names(paths_, owner);
    else
        network::publish_names(paths_, owner, table);
    watch_names(owner);
}

/// One that ends again and again is left to the next look, which comes by itself.
void RealEngine::watch_names(const std::string& owner) {
    if (name_watches_.contains(owner))
        return;
    auto service = network::find_name_service(paths_, owner);
    if (!service)
        return;
    name_watches_[owner] = std::make_unique<Watch>(loop_, std::move(service), [this, owner] {
        constexpr std::chrono::seconds least_life{1};
        name_watches_.erase(owner);
        const auto now = std::chrono::steady_clock::now();
        const auto before = std::exchange(name_ends_[owner], now);
        if (before + least_life < now)
            wake_();
    });
}

void RealEngine::publish_names(const Stack& desired, const Observed& observed) {
    // A project's containers have names in networks of others, too, and in those of no project.
    std::set<std::string> owners{desired.name, ""};
    for (const auto& network : observed.networks)
        owners.insert(network.project);
    for (const auto& container : observed.containers)
        for (const auto& address : container.addresses)
            if (const auto network = networks_.find(address.network))
                owners.insert(network->project);
    // What fails for one is no reason to leave the service of another, which is over, where it is.
    std::exception_ptr failure;
    for (const auto& owner : owners) {
        try {
            publish_names_of(owner, desired.name, observed);
        } catch (const Error&) {
            failure = std::current_exception();
        }
    }
    if (failure)
        std::rethrow_exception(failure);
}

}  // namespace stack::engine
