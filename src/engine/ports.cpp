// Are the ports of a stack free? Asked before anything starts.

#include "base/text.h"
#include "engine/real_engine.h"

#include <algorithm>
#include <array>

namespace stack::engine {
namespace {

using network::PublishedPort;

std::vector<PublishedPort> fixed_ports(const Stack& stack) {
    std::vector<PublishedPort> ports;
    for (const auto& [name, service] : stack.services)
        for (const auto& port : service.ports)
            if (const auto number = parse_number<std::uint16_t>(port.published);
                number && *number != 0)
                ports.push_back({port.host_ip, *number, port.target, port.protocol});
    return ports;
}

/// Whether it stands for all addresses of its family, or of both.
bool is_every_address(const std::string& host_ip) {
    return host_ip.empty() || host_ip == "0.0.0.0" || host_ip == "::";
}

bool is_same_family(const std::string& one, const std::string& other) {
    const auto is_ip6 = [](const std::string& host_ip) {
        return host_ip.find(':') != std::string::npos;
    };
    return one.empty() || other.empty() || is_ip6(one) == is_ip6(other);
}

/// Whether a listener on `held` keeps `wanted` from being bound.
bool overlap(const ObservedPort& held, const PublishedPort& wanted) {
    const bool same_address =
        held.host_ip == wanted.host_ip ||
        (is_same_family(held.host_ip, wanted.host_ip) &&
         (is_every_address(held.host_ip) || is_every_address(wanted.host_ip)));
    return same_address && held.published == wanted.port && held.protocol == wanted.protocol;
}

bool is_held_by(const ObservedContainer& container, const PublishedPort& wanted) {
    return container.state != ContainerState::exited &&
           container.state != ContainerState::created &&
           std::any_of(container.ports.begin(),
                       container.ports.end(),
                       [&](const ObservedPort& held) { return overlap(held, wanted); });
}

std::string described(const PublishedPort& port) {
    constexpr std::array<const char*, 3> protocols{"tcp", "udp", "sctp"};
    return (port.host_ip.empty() ? "0.0.0.0" : port.host_ip) + ":" + std::to_string(port.port) +
           "/" + protocols[static_cast<std::size_t>(port.protocol)];
}

}  // namespace

Strings RealEngine::port_conflicts(const Stack& desired, const Observed& observed) {
    auto wanted = fixed_ports(desired);
    for (const auto& container : observed.containers)
        std::erase_if(wanted,
                      [&](const PublishedPort& port) { return is_held_by(container, port); });
    if (wanted.empty())
        return {};
    Strings sentences;
    for (const auto& id : runtime_.list()) {
        const auto other = runtime_.observe(id);
        if (!other || other->project == desired.name)
            continue;
        std::erase_if(wanted, [&](const PublishedPort& port) {
            if (!is_held_by(*other, port))
                return false;
            const bool has_stack = !other->project.empty() && other->project != single_containers;
            sentences.push_back("port " + described(port) + " is published by container " +
                                other->name + (has_stack ? " of stack " + other->project : ""));
            return true;
        });
    }
    for (auto& sentence : network::conflicts(wanted))
        sentences.push_back("port " + sentence);
    return sentences;
}

}  // namespace stack::engine
