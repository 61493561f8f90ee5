#pragma once

// Connection tracking, as far as addresses and published ports that change hands need it.

#include "base/ip.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace stack::sys {

/// A port of the host whose tracked flows lead to the wrong place now.
struct UdpPort {
    std::optional<IpAddress> host;  // nullopt: every address
    std::uint16_t port = 0;
};

/// Postcondition: no tracked flow was begun towards these ports. A UDP "connection" lives as long
/// as packets come, and its translation is not looked up anew: without this, clients go on talking
/// to a container that is gone.
void forget_flows(const std::vector<UdpPort>& ports);

/// Postcondition: no flow of any protocol is tracked that one of these hosts began, or that leads
/// to one of them, translated or not. What is established passes every rule, for days in the case
/// of TCP: without this, who gets such an address next would inherit the ways of who had it before.
/// Costs a walk through the kernel's whole table (2 ms, seen), however few flows there are.
void forget_flows(const std::vector<IpPrefix>& hosts);

}  // namespace stack::sys
