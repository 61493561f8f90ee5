#pragma once

#include "shim/spec.h"

#include <cstdint>
#include <string>
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
    std::string target_file = {};  // says where it leads now, once that has changed
};

/// Where what arrives leads; nowhere where `size` is 0.
struct Target {
    sockaddr_storage address{};
    socklen_t size = 0;
};

/// The container's networks may have changed while it runs: then the engine has written its new
/// address into the file (rewire.cpp), or nothing where no network is left that leads outside.
[[nodiscard]] Target current_target(const Entrance& entrance);

/// Binds each port and leaves the sockets open, so that nobody else gets it and a second container
/// is refused at once. Returns those that are to be forwarded. Gives up naming the port where it is
/// taken. `run_directory`: the container's, for the file of their target.
std::vector<Entrance> reserve_ports(const std::vector<PortSpec>& ports,
                                    const std::string& run_directory);

}  // namespace stack::shim
