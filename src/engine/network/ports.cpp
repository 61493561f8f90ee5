// Ports of the host: can they be bound, and who has those that cannot? It is tried, not guessed.

#include "base/ip.h"
#include "base/name_service.h"
#include "base/text.h"
#include "engine/network/networks.h"
#include "engine/network/sockets.h"
#include "model/fields.h"
#include "sys/fd.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stack::network {
namespace {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;
};

SocketAddress socket_address(const IpAddress& address, std::uint16_t port) {
    SocketAddress result;
    if (address.family == Family::v4) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, address.bytes.data(), sizeof v4.sin_addr);
        std::memcpy(&result.storage, &v4, sizeof v4);
        result.length = sizeof v4;
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        std::memcpy(&v6.sin6_addr, address.bytes.data(), sizeof v6.sin6_addr);
        std::memcpy(&result.storage, &v6, sizeof v6);
        result.length = sizeof v6;
    }
    return result;
}

/// What a published address means as addresses to bind.
std::vector<IpAddress> bound_addresses(const std::string& host_ip) {
    if (const auto one = parse_ip(host_ip))
        return {*one};
    return {IpAddress{Family::v4, {}}, IpAddress{Family::v6, {}}};
}

sys::Fd open_socket(Family family, Protocol protocol) {
    const int domain = family == Family::v4 ? AF_INET : AF_INET6;
    const int type = protocol == Protocol::udp ? SOCK_DGRAM : SOCK_STREAM;
    const int number = protocol == Protocol::sctp ? IPPROTO_SCTP : 0;
    sys::Fd socket(::socket(domain, type | SOCK_CLOEXEC, number));
    const int one = 1;
    if (socket && family == Family::v6)
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    // As servers do: connections of an earlier listener that still linger do not count.
    if (socket && protocol == Protocol::tcp)
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    return socket;
}

/// Why the port cannot be had on one address: an errno, 0 where it can. A family or protocol that
/// the kernel lacks is no conflict.
int bind_error(const IpAddress& address, Protocol protocol, std::uint16_t port) {
    const sys::Fd socket = open_socket(address.family, protocol);
    if (!socket)
        return 0;
    const int one = 1;
    if (port == dns_port)
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    const SocketAddress name = socket_address(address, port);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name.storage), name.length) < 0)
        return errno;
    if (protocol != Protocol::udp && ::listen(socket.get(), 1) < 0)
        return errno;
    return 0;
}

int bind_error(const PublishedPort& port) {
    for (const auto& address : bound_addresses(port.host_ip)) {
        if (const int error = bind_error(address, port.protocol, port.port); error != 0)
            return error;
    }
    return 0;
}

std::string described(const PublishedPort& port) {
    const std::string host = port.host_ip.empty() ? "0.0.0.0" : port.host_ip;
    const bool brackets = host.find(':') != std::string::npos;
    return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port.port) + "/" +
           std::string(model::name_of(port.protocol));
}

std::string sentence(const PublishedPort& port, int error) {
    if (error == EADDRNOTAVAIL)
        return described(port) + ": " + port.host_ip + " is not an address of this machine";
    if (error != EADDRINUSE)
        return described(port) + " cannot be used: " + std::strerror(error);
    std::string text = described(port) + " is in use";
    if (const auto owner = find_owner(bound_addresses(port.host_ip), port.protocol, port.port))
        text += " by " + owner->program + " (pid " + std::to_string(owner->pid) + ")";
    return text;
}

/// The port that the kernel gives out of the ephemeral range.
std::optional<std::uint16_t> ephemeral_port(const IpAddress& address, Protocol protocol) {
    const sys::Fd socket = open_socket(address.family, protocol);
    SocketAddress name = socket_address(address, 0);
    auto* generic = reinterpret_cast<sockaddr*>(&name.storage);
    if (!socket || ::bind(socket.get(), generic, name.length) < 0 ||
        ::getsockname(socket.get(), generic, &name.length) < 0)
        return std::nullopt;
    sockaddr_in v4{};  // the port lies at the same place in both families
    std::memcpy(&v4, &name.storage, sizeof v4);
    return ntohs(v4.sin_port);
}

/// Whether a listener on one address keeps another from the other.
bool share_address(const std::string& a, const std::string& b) {
    const auto all = bound_addresses(a);
    const auto others = bound_addresses(b);
    return std::any_of(all.begin(), all.end(), [&](const IpAddress& one) {
        return std::any_of(others.begin(), others.end(), [&](const IpAddress& other) {
            const IpAddress any{one.family, {}};
            return one.family == other.family && (one == other || one == any || other == any);
        });
    });
}

}  // namespace

Strings conflicts(const std::vector<PublishedPort>& wanted) {
    Strings sentences;
    for (const auto& port : wanted) {
        if (const int error = bind_error(port); error != 0)
            sentences.push_back(sentence(port, error));
    }
    return sentences;
}

bool is_free(const PublishedPort& port, const std::vector<PublishedPort>& taken) {
    return std::none_of(taken.begin(),
                        taken.end(),
                        [&](const PublishedPort& other) {
                            return other.port == port.port && other.protocol == port.protocol &&
                                   share_address(other.host_ip, port.host_ip);
                        }) &&
           bind_error(port) == 0;
}

std::optional<std::uint16_t> free_port(const std::string& host_ip,
                                       Protocol protocol,
                                       std::uint16_t first,
                                       std::uint16_t last,
                                       const std::vector<PublishedPort>& taken) {
    constexpr int attempts = 64;
    const auto is_usable = [&](std::uint16_t port) {
        return is_free({host_ip, port, 0, protocol}, taken);
    };
    for (int i = 0; first == 0 && i < attempts; ++i) {
        // Free on one address of several is not free yet.
        const auto port = ephemeral_port(bound_addresses(host_ip).front(), protocol);
        if (port && is_usable(*port))
            return port;
    }
    for (unsigned port = first; first != 0 && port <= last; ++port) {
        const auto number = static_cast<std::uint16_t>(port);
        if (is_usable(number))
            return number;
    }
    return std::nullopt;
}

}  // namespace stack::network
