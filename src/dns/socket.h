#pragma once

// Sockets of addresses as values. Errors are results here: whatever a peer does is no exception.

#include "base/ip.h"
#include "sys/fd.h"

#include <cstdint>
#include <optional>
#include <string>

#include <sys/socket.h>

namespace stack::dns {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = sizeof(sockaddr_storage);

    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }

    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

/// Whose it is, without the port.
[[nodiscard]] IpAddress host_of(const SocketAddress& address);
[[nodiscard]] SocketAddress socket_address(const IpAddress& address, std::uint16_t port);

/// Non-blocking; `type` is SOCK_DGRAM or SOCK_STREAM. An empty Fd, with errno, where it fails.
[[nodiscard]] sys::Fd bound_socket(const IpAddress& address, std::uint16_t port, int type);
/// As bound_socket(): a socket that is, or is being, connected to port 53 there.
[[nodiscard]] sys::Fd connected_socket(const IpAddress& address, int type);

/// A message as it travels by TCP: behind its length (RFC 1035 section 4.2.2).
[[nodiscard]] std::string framed(const std::string& message);
/// Takes the first whole message out of what was received; nullopt while it is not whole.
[[nodiscard]] std::optional<std::string> take_frame(std::string& received);

enum class Transfer { done, waiting, closed };

/// Sends as much of `bytes` as goes now and removes it from them.
[[nodiscard]] Transfer send_some(const sys::Fd& socket, std::string& bytes);
/// Receives what is there, up to `limit` bytes in all; more is treated as a closed connection.
[[nodiscard]] Transfer receive_some(const sys::Fd& socket, std::string& bytes, std::size_t limit);

}  // namespace stack::dns
