#pragma once

#include "shim/spec.h"

#include <cstdint>
#include <vector>

#include <sys/socket.h>

namespace stack::shim {

/// A socket of the host at which connections arrive that the kernel's map does not lead on: nothing
/// is routed from ::1, and IPv6 is not translated into IPv4. They are forwarded.
struct Entrance {
    int socket = -1;
    std::uint32_t protocol = 0;  // IPPROTO_TCP, which listens, or IPPROTO_UDP
    sockaddr_storage target{};
    socklen_t target_size = 0;
};

/// Binds each port and leaves the sockets open, so that nobody else gets it and a second container
/// is refused at once. Returns those that are to be forwarded. Gives up naming the port where it is
/// taken.
std::vector<Entrance> reserve_ports(const std::vector<PortSpec>& ports);

}  // namespace stack::shim
