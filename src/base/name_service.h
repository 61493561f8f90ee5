#pragma once

// Where the name service of a project listens, as it and the firewall's rules have to agree.

#include <cstdint>

namespace stack {

/// It and a container's published port may both have it, each on its own addresses: their sockets
/// have SO_REUSEPORT there.
inline constexpr std::uint16_t dns_port = 53;

/// Where the rules lead what is sent to port 53 of a gateway: it is the name service's even where
/// 53 is another's, who listens on every address or has it published. Below the ports that the
/// kernel gives out.
inline constexpr std::uint16_t name_service_port = 15'353;

}  // namespace stack
