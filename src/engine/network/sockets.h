#pragma once

// Which process has a port: out of /proc/net and /proc/<pid>/fd.

#include <stack/model.h>

#include "base/ip.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stack::network {

struct Owner {
    std::string program;
    int pid = 0;
};

/// A socket that is bound: a line of /proc/net/{tcp,tcp6,udp,udp6}.
struct BoundSocket {
    IpAddress address;
    std::uint16_t port = 0;
    std::uint64_t inode = 0;

    bool operator==(const BoundSocket&) const = default;
};

/// The sockets of a table of proc(5)'s /proc/net that keep others from binding: listeners in tcp's,
/// all in udp's.
[[nodiscard]] std::vector<BoundSocket> parse_bound_sockets(std::string_view text,
                                                           Protocol protocol);

/// Whether a socket on `held` keeps one on `wanted` from being bound to the same port. An IPv6
/// socket on :: mostly takes IPv4 as well.
[[nodiscard]] bool collide(const IpAddress& held, const IpAddress& wanted);

/// The process that keeps one of the addresses from being bound; nullopt where it is not to be
/// found.
[[nodiscard]] std::optional<Owner> find_owner(const std::vector<IpAddress>& wanted,
                                              Protocol protocol,
                                              std::uint16_t port);

}  // namespace stack::network
