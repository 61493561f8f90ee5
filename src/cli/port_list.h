#pragma once

// A container's ports, as every list and `inspect` tell of them.

#include <stack/observed.h>

#include <string>
#include <vector>

namespace stack::cli {

/// The ports that lead to the container now, with an address of the host each (one that is
/// published at every address has two, 0.0.0.0 and ::), and among them those that it only exposes,
/// with neither address nor port of the host. In docker's order; none of a container that does not
/// run, nor of one whose network is not its own.
[[nodiscard]] std::vector<ObservedPort> ports_in_force(const ObservedContainer& container);

[[nodiscard]] std::string protocol_text(Protocol protocol);
/// `80/tcp`: the port inside.
[[nodiscard]] std::string target_text(const ObservedPort& port);
/// `0.0.0.0:8080`, `[::]:8080`: where it is published.
[[nodiscard]] std::string host_text(const ObservedPort& port);
/// `0.0.0.0:8080->5000/tcp, [::]:8080->5000/tcp`; as docker has it, neighbours that are published
/// by their own numbers, or only exposed, are one: `0.0.0.0:9000-9002->9000-9002/udp, 53/udp`.
[[nodiscard]] std::string ports_text(const ObservedContainer& container);

}  // namespace stack::cli
