#pragma once

// Sockets in another network namespace.

#include "base/ip.h"
#include "sys/fd.h"

namespace stack::sys {

/// A TCP socket in the namespace `network` (an open /proc/PID/ns/net), non-blocking. A socket stays
/// where it was made, whoever uses it (network_namespaces(7)). Throws stack::Error.
[[nodiscard]] Fd make_tcp_socket(const Fd& network, Family family);

}  // namespace stack::sys
