#include "shim/ports.h"

#include "shim/fault.h"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stack::shim {
namespace {

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
    return (port.host_ip.empty() ? "0.0.0.0" : port.host_ip) + ":" + std::to_string(port.port) +
           protocol;
}

/// False where the family or protocol is not there: nothing to reserve then.
bool bind_one(const PortSpec& port, const sockaddr* address, socklen_t size) {
    const int fd = ::socket(
        address->sa_family, socket_type(port) | SOCK_CLOEXEC, static_cast<int>(port.protocol));
    if (fd < 0)
        return false;
    const int one = 1;
    if (address->sa_family == AF_INET6)
        ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (port.protocol == IPPROTO_UDP)
        drop_everything(fd);
    // Bound, not listening, and without SO_REUSEADDR: nobody else gets the port, and a connection
    // that the map missed (to ::1, say) is refused at once instead of hanging.
    if (::bind(fd, address, size) < 0) {
        const int error = errno;
        ::close(fd);
        if (error == EAFNOSUPPORT ||
            (address->sa_family == AF_INET6 && error == EADDRNOTAVAIL && port.host_ip.empty()))
            return false;
        give_up(engine_failed, "publish port " + described(port), error);
    }
    return true;
}

void reserve(const PortSpec& port) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<std::uint16_t>(port.port));
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(static_cast<std::uint16_t>(port.port));
    const bool any = port.host_ip.empty();
    const bool is_v4 = !any && ::inet_pton(AF_INET, port.host_ip.c_str(), &v4.sin_addr) == 1;
    const bool is_v6 =
        !any && !is_v4 && ::inet_pton(AF_INET6, port.host_ip.c_str(), &v6.sin6_addr) == 1;
    if (any || is_v4)
        bind_one(port, reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
    if (any || is_v6)
        bind_one(port, reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

}  // namespace

void reserve_ports(const std::vector<PortSpec>& ports) {
    for (const auto& port : ports)
        reserve(port);
}

}  // namespace stack::shim
