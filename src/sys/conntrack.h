#pragma once

// Connection tracking, as far as published UDP ports need it.

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

}  // namespace stack::sys
