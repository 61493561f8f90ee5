#include "shim/ports.h"

#include "base/name_service.h"
#include "shim/fault.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <unistd.h>

namespace stack::shim {
namespace {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

/// nullopt where `text` is no address of the family; "" is every address.
std::optional<SocketAddress> address_of(int family, const std::string& text, std::uint32_t port) {
    SocketAddress result;
    const auto number = htons(static_cast<std::uint16_t>(port));
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v4.sin_port = number;
    v6.sin6_family = AF_INET6;
    v6.sin6_port = number;
    void* place = family == AF_INET ? static_cast<void*>(&v4.sin_addr) : &v6.sin6_addr;
    if (!text.empty() && ::inet_pton(family, text.c_str(), place) != 1)
        return std::nullopt;
    result.size = family == AF_INET ? sizeof v4 : sizeof v6;
    const void* whole = family == AF_INET ? static_cast<const void*>(&v4) : &v6;
    std::memcpy(&result.storage, whole, result.size);
    return result;
}

/// A bound UDP socket would collect what the map missed: it takes nothing.
void drop_everything(int fd) {
    sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    const sock_fprog program{1, &drop};
    must(::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program),
         "filter a reserved port");
}

int socket_type(const PortSpec& port) {
    if (port.protocol == IPPROTO_UDP)
        return SOCK_DGRAM;
    return SOCK_STREAM;
}

std::string described(const PortSpec& port) {
    const char* protocol = port.protocol == IPPROTO_UDP    ? "/udp"
                           : port.protocol == IPPROTO_SCTP ? "/sctp"
                                                           : "/tcp";
    const std::string host = port.host_ip.empty() ? "0.0.0.0" : port.host_ip;
    const bool brackets = host.find(':') != std::string::npos;
    return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port.port) + protocol;
}

/// Where what arrives by this family is forwarded to; nullopt where the kernel leads it. All of
/// IPv6 is listened to for the sake of ::1: what the map leads never gets here.
std::optional<SocketAddress> forwarded_to(const PortSpec& port, int family) {
    if (family == AF_INET || port.target.empty() || port.protocol == IPPROTO_SCTP)
        return std::nullopt;
    const int inner = port.target.find(':') == std::string::npos ? AF_INET : AF_INET6;
    return address_of(inner, port.target, port.target_port);
}

void set(int fd, int level, int option) {
    const int one = 1;
    ::setsockopt(fd, level, option, &one, sizeof one);
}

/// Connections of a server that has ended linger on its port: they must not keep it from us, and
/// are no reason to share it with others from now on.
bool bind_over_lingering(int fd, const SocketAddress& address) {
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM) {
        errno = EADDRINUSE;
        return false;
    }
    set(fd, SOL_SOCKET, SO_REUSEADDR);
    if (::bind(fd, address.get(), address.size) < 0)
        return false;
    const int none = 0;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &none, sizeof none);
    return true;
}

/// 0, or why the socket cannot have the address.
int bind_to(int fd, const SocketAddress& address, bool listening) {
    constexpr int backlog = 128;
    if (::bind(fd, address.get(), address.size) < 0 &&
        (errno != EADDRINUSE || !bind_over_lingering(fd, address)))
        return errno;
    if (listening && ::listen(fd, backlog) < 0)
        return errno;
    return 0;
}

/// A socket that only reserves is bound, not listening, and without SO_REUSEADDR: nobody else gets
/// the port, and a connection that the map missed is refused at once instead of hanging. One that
/// listens has SO_REUSEADDR: its former connections linger, and must not keep us from starting.
void reserve(const PortSpec& port,
             int family,
             const std::string& target_file,
             std::vector<Entrance>& entrances) {
    const auto address = address_of(family, port.host_ip, port.port);
    const auto target = forwarded_to(port, family);
    const int fd = !address ? -1
                            : ::socket(family,
                                       socket_type(port) | SOCK_CLOEXEC | SOCK_NONBLOCK,
                                       static_cast<int>(port.protocol));
    if (fd < 0)
        return;  // the family or protocol is not there: nothing to reserve then
    if (family == AF_INET6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    if (port.port == dns_port)
        set(fd, SOL_SOCKET, SO_REUSEPORT);
    const bool listening = target && port.protocol == IPPROTO_TCP;
    if (listening)
        set(fd, SOL_SOCKET, SO_REUSEADDR);
    if (port.protocol == IPPROTO_UDP && !target)
        drop_everything(fd);
    if (const int error = bind_to(fd, *address, listening); error != 0) {
        ::close(fd);
        if (error == EAFNOSUPPORT ||
            (family == AF_INET6 && error == EADDRNOTAVAIL && port.host_ip.empty()))
            return;
        give_up(engine_failed, "publish port " + described(port), error);
    }
    if (target)
        entrances.push_back({fd, port.protocol, target->storage, target->size, target_file});
}

}  // namespace

Target current_target(const Entrance& entrance) {
    const int fd = entrance.target_file.empty()
                       ? -1
                       : ::open(entrance.target_file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return {entrance.target, entrance.target_size};
    std::array<char, INET6_ADDRSTRLEN> text{};
    const auto length = ::read(fd, text.data(), text.size());
    ::close(fd);
    const std::string host(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    if (host.empty())
        return {};
    sockaddr_in port{};  // it lies at the same place in both families
    std::memcpy(&port, &entrance.target, sizeof port);
    const int family = host.find(':') == std::string::npos ? AF_INET : AF_INET6;
    const auto address = address_of(family, host, ntohs(port.sin_port));
    return address ? Target{address->storage, address->size} : Target{};
}

std::vector<Entrance> reserve_ports(const std::vector<PortSpec>& ports,
                                    const std::string& run_directory) {
    const std::string target_file = run_directory + "/" + forward_file;
    std::vector<Entrance> entrances;
    for (const auto& port : ports)
        for (const int family : {AF_INET, AF_INET6})
            reserve(port, family, target_file, entrances);
    return entrances;
}

}  // namespace stack::shim
