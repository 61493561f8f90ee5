#pragma once

// What bounds the number of containers in one network.

#include <cstddef>

namespace stack::model {

/// BR_MAX_PORTS of the kernel is 1024, and port 0 is none.
inline constexpr std::size_t bridge_ports = 1023;

/// Of the IPv4 subnet of a network whose stack file gives it none: addresses for about as many
/// containers as a bridge has ports, where a /24 would end at 253 of them.
inline constexpr int default_subnet_length = 22;

}  // namespace stack::model
