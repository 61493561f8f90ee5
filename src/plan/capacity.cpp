#include "plan/capacity.h"

#include "base/ip.h"
#include "base/text.h"
#include "model/network_limits.h"
#include "plan/outcome.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <variant>

namespace stack::plan {
namespace {

/// What a network has room for, and why for no more.
struct Room {
    std::size_t containers = model::bridge_ports;
    std::string because = "a bridge carries " + std::to_string(model::bridge_ports);
    std::string way_out = "spread them over several networks";
};

/// Without the subnet's own address, its broadcast address and the gateway.
std::size_t addresses_in(int length) {
    return (std::size_t{1} << static_cast<unsigned>(32 - length)) - 3;
}

Room room_of(const Network& network) {
    Room room;
    if (network.driver == "macvlan" || network.driver == "ipvlan")
        room.containers = std::numeric_limits<std::size_t>::max();
    if (!network.enable_ipv4 || network.external)
        return room;
    IpPrefix subnet{{}, model::default_subnet_length};
    std::size_t reserved = 0;
    std::string name = "its subnet, a /" + std::to_string(subnet.length) + ",";
    for (const auto& pool : network.ipam)
        if (const auto given = parse_prefix(pool.subnet);
            given && given->address.family == Family::v4 && given->length <= 30) {
            subnet = *given;
            reserved = pool.aux_addresses.size();
            name = "its subnet " + pool.subnet;
        }
    const std::size_t addresses = addresses_in(subnet.length);
    if (addresses - std::min(addresses, reserved) >= room.containers)
        return room;
    room.containers = addresses - std::min(addresses, reserved);
    room.because = name + " has addresses for " + std::to_string(room.containers);
    room.way_out = "give it a larger subnet, or " + room.way_out;
    return room;
}

/// How many containers are in a network, by service.
using Members = std::map<std::string, std::size_t>;
using Population = std::map<std::string, Members>;  // by the network's name

std::size_t total(const Members& members) {
    return std::accumulate(
        members.begin(), members.end(), std::size_t{0}, [](std::size_t sum, const auto& member) {
            return sum + member.second;
        });
}

std::string listed(const Members& members) {
    Strings parts;
    for (const auto& [service, count] : members)
        parts.push_back(service + ": " + std::to_string(count));
    return join(parts, ", ");
}

/// Nothing where the plan makes and changes no container: what is there can stay.
Population population_after(const Observed& observed, const Plan& plan) {
    const Outcome outcome = outcome_of(observed, plan);
    Population population;
    for (const auto& [name, service] : outcome.services)
        for (const auto& [network, attachment] : service->networks)
            if (outcome.changes)
                ++population[network][service->name];
    return population;
}

}  // namespace

Plan within_capacity(const Stack& desired, const Observed& observed, Plan plan) {
    const Population population = population_after(observed, plan);
    for (const auto& [key, network] : desired.networks) {
        const auto members = population.find(network.name);
        const Room room = room_of(network);
        if (members != population.end() && total(members->second) > room.containers)
            plan.errors.push_back("network " + network.name + " would have " +
                                  std::to_string(total(members->second)) + " containers (" +
                                  listed(members->second) + "), but " + room.because + ": " +
                                  room.way_out);
    }
    if (!plan.errors.empty())
        plan.actions.clear();
    return plan;
}

}  // namespace stack::plan
