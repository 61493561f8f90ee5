#include "dns/socket.h"

#include "base/name_service.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>

namespace stack::dns {
namespace {

sys::Fd open_socket(const IpAddress& address, int type) {
    const int family = address.family == Family::v4 ? AF_INET : AF_INET6;
    return sys::Fd(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// `fd`, or an empty one that leaves errno as it is.
sys::Fd keep_if(bool good, sys::Fd fd) {
    if (good)
        return fd;
    const int error = errno;
    fd.reset();
    errno = error;
    return fd;
}

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

IpAddress host_of(const SocketAddress& address) {
    IpAddress host;
    if (address.storage.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address.storage, sizeof v6);
        host.family = Family::v6;
        std::memcpy(host.bytes.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    } else {
        sockaddr_in v4{};
        std::memcpy(&v4, &address.storage, sizeof v4);
        host.family = Family::v4;
        std::memcpy(host.bytes.data(), &v4.sin_addr, sizeof v4.sin_addr);
    }
    return host;
}

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

sys::Fd bound_socket(const IpAddress& address, std::uint16_t port, int type) {
    constexpr int backlog = 128;
    constexpr int room = 4 << 20;  // for the questions of hundreds of askers at once
    const int one = 1;
    sys::Fd socket = open_socket(address, type);
    if (!socket)
        return socket;
    // TCP only: for UDP it would let two services share the port, and each lose half of the
    // questions.
    if (type == SOCK_STREAM)
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (type == SOCK_DGRAM &&
        ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
        ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (port == dns_port)
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    const SocketAddress here = socket_address(address, port);
    const bool bound = ::bind(socket.get(), here.get(), here.length) == 0 &&
                       (type != SOCK_STREAM || ::listen(socket.get(), backlog) == 0);
    return keep_if(bound, std::move(socket));
}

sys::Fd connected_socket(const IpAddress& address, int type) {
    sys::Fd socket = open_socket(address, type);
    if (!socket)
        return socket;
    const SocketAddress there = socket_address(address, dns_port);
    const bool connecting =
        ::connect(socket.get(), there.get(), there.length) == 0 || errno == EINPROGRESS;
    return keep_if(connecting, std::move(socket));
}

std::string framed(const std::string& message) {
    std::string frame;
    frame.push_back(static_cast<char>(message.size() >> 8U));
    frame.push_back(static_cast<char>(message.size() & 0xffU));
    return frame + message;
}

std::optional<std::string> take_frame(std::string& received) {
    if (received.size() < 2)
        return std::nullopt;
    const std::size_t length = static_cast<std::size_t>(static_cast<unsigned char>(received[0]))
                                   << 8U |
                               static_cast<unsigned char>(received[1]);
    if (received.size() < length + 2)
        return std::nullopt;
    std::string message = received.substr(2, length);
    received.erase(0, length + 2);
    return message;
}

Transfer send_some(const sys::Fd& socket, std::string& bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0)
            return would_block() ? Transfer::waiting : Transfer::closed;
        bytes.erase(0, static_cast<std::size_t>(sent));
    }
    return Transfer::done;
}

Transfer receive_some(const sys::Fd& socket, std::string& bytes, std::size_t limit) {
    std::array<char, 4096> buffer{};
    const auto length = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (length < 0)
        return would_block() ? Transfer::waiting : Transfer::closed;
    bytes.append(buffer.data(), static_cast<std::size_t>(length));
    return length == 0 || bytes.size() > limit ? Transfer::closed : Transfer::done;
}

}  // namespace stack::dns
