#include "tests/network/bed.h"

#include <stack/error.h>

#include "base/text.h"
#include "sys/file.h"
#include "sys/netlink.h"
#include "sys/process.h"
#include "sys/tree.h"

#include <array>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stack::test {
namespace {

constexpr int moment = 200;    // milliseconds; a packet between namespaces takes microseconds
constexpr int a_while = 5000;  // for what is on its way

sys::Fd current_namespace() {
    return sys::open_file("/proc/thread-self/ns/net", O_RDONLY);
}

ifinfomsg up_header(std::uint32_t index = 0) {
    ifinfomsg header{};
    header.ifi_index = static_cast<int>(index);
    header.ifi_flags = IFF_UP;
    header.ifi_change = IFF_UP;
    return header;
}

void add_route(const IpPrefix& destination, const IpAddress& gateway) {
    rtmsg header{};
    header.rtm_family = gateway.family == Family::v4 ? AF_INET : AF_INET6;
    header.rtm_dst_len = static_cast<unsigned char>(destination.length);
    header.rtm_table = RT_TABLE_MAIN;
    header.rtm_protocol = RTPROT_BOOT;
    header.rtm_type = RTN_UNICAST;
    sys::NetlinkSocket socket(NETLINK_ROUTE);
    sys::NetlinkMessage message(RTM_NEWROUTE, NLM_F_CREATE, sys::raw_bytes(header));
    if (destination.length > 0)
        message.put(RTA_DST, bytes_of(destination.address));
    message.put(RTA_GATEWAY, bytes_of(gateway));
    socket.execute_or_throw(message, "add a route by " + to_text(gateway));
}

void set_hairpin(sys::NetlinkSocket& socket, std::uint32_t port) {
    ifinfomsg header{};
    header.ifi_family = AF_BRIDGE;
    header.ifi_index = static_cast<int>(port);
    sys::NetlinkMessage message(RTM_SETLINK, 0, sys::raw_bytes(header));
    message.nest(IFLA_PROTINFO, [&] { message.put_u8(IFLA_BRPORT_MODE, 1); });
    socket.execute_or_throw(message, "set hairpin");
}

void make_veth(const std::string& name,
               const network::Endpoint& endpoint,
               const std::string& peer,
               const Namespace& peer_namespace) {
    sys::NetlinkSocket socket(NETLINK_ROUTE);
    sys::NetlinkMessage message(
        RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sys::raw_bytes(up_header()));
    message.put_text(IFLA_IFNAME, name);
    message.put_u32(IFLA_GROUP, endpoint.group);
    message.put_u32(IFLA_MTU, static_cast<std::uint32_t>(endpoint.mtu));
    if (endpoint.bridge_index != 0)
        message.put_u32(IFLA_MASTER, endpoint.bridge_index);
    message.nest(IFLA_LINKINFO, [&] {
        message.put_text(IFLA_INFO_KIND, "veth");
        message.nest(IFLA_INFO_DATA, [&] {
            message.nest(VETH_INFO_PEER, [&] {
                // Not up yet: the kernel opens a peer before it knows its other end, and fails.
                message.put_header(sys::raw_bytes(ifinfomsg{}));
                message.put_text(IFLA_IFNAME, peer);
                message.put_u32(IFLA_NET_NS_FD,
                                static_cast<std::uint32_t>(peer_namespace.fd().get()));
                if (const auto mac = sys::parse_mac(endpoint.mac))
                    message.put(IFLA_ADDRESS, *mac);
            });
        });
    });
    socket.execute_or_throw(message, "make veth " + name);
    if (endpoint.bridge_index == 0)
        return;
    const std::uint32_t index = if_nametoindex(name.c_str());
    sys::RouteSocket().set_alias(index, endpoint.alias);
    set_hairpin(socket, index);
}

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    SocketAddress(const std::string& text, std::uint16_t port) {
        const auto address = parse_ip(text);
        if (address->family == Family::v4) {
            sockaddr_in v4{AF_INET, htons(port), {}, {}};
            std::memcpy(&v4.sin_addr, address->bytes.data(), 4);
            std::memcpy(&storage, &v4, length = sizeof v4);
        } else {
            sockaddr_in6 v6{AF_INET6, htons(port), 0, {}, 0};
            std::memcpy(&v6.sin6_addr, address->bytes.data(), 16);
            std::memcpy(&storage, &v6, length = sizeof v6);
        }
    }

    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

sys::Fd make_socket(const Namespace& where, Protocol protocol, int family) {
    const Inside inside(where);
    const int type = protocol == Protocol::udp ? SOCK_DGRAM : SOCK_STREAM;
    return sys::Fd(sys::check(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
}

bool readable(const sys::Fd& fd, int milliseconds) {
    pollfd entry{fd.get(), POLLIN, 0};
    return ::poll(&entry, 1, milliseconds) == 1;
}

}  // namespace

Namespace::Namespace() {
    const sys::Fd back = current_namespace();
    sys::check(::unshare(CLONE_NEWNET), "make a network namespace");
    fd_ = current_namespace();
    set_link_up("lo");
    sys::check(::setns(back.get(), CLONE_NEWNET), "go back to the network namespace");
}

Inside::Inside(const Namespace& where) : back_(current_namespace()) {
    sys::check(::setns(where.fd().get(), CLONE_NEWNET), "enter a network namespace");
}

Inside::~Inside() {
    if (::setns(back_.get(), CLONE_NEWNET) < 0)
        std::abort();
}

TemporaryRoot::TemporaryRoot() {
    std::string pattern = "/tmp/stack-network-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr)
        sys::fail("make " + pattern);
    path_ = pattern;
}

TemporaryRoot::~TemporaryRoot() {
    sys::remove_tree(path_);
}

Paths TemporaryRoot::paths() const {
    return {path_, path_ + "/run", "0123abcd"};
}

void plug(const network::Endpoint& endpoint, const Namespace& container) {
    make_veth(endpoint.host_name, endpoint, endpoint.name, container);
    const Inside inside(container);
    set_link_up(endpoint.name);
    for (const auto& prefix : {endpoint.address4, endpoint.address6}) {
        if (!prefix.empty())
            add_address(endpoint.name, prefix);
    }
    for (const auto& gateway : {endpoint.gateway4, endpoint.gateway6}) {
        if (!gateway.empty())
            add_route(gateway.find(':') == std::string::npos ? "0.0.0.0/0" : "::/0", gateway);
    }
}

void connect_neighbour(const Namespace& neighbour,
                       const std::string& machine_address,
                       const std::string& neighbour_address) {
    static int count = 0;
    const std::string name = "lan" + std::to_string(count++);
    make_veth(name, {}, "uplink", neighbour);
    add_address(name, machine_address);
    const Inside inside(neighbour);
    set_link_up("uplink");
    add_address("uplink", neighbour_address);
}

std::string nft(std::vector<std::string> words) {
    words.insert(words.begin(), "nft");
    auto [status, text] = sys::run_and_capture("/usr/sbin/nft", words);
    if (status != 0)
        throw Error("nft has refused that");
    return text;
}

void add_address(const std::string& link, const std::string& prefix) {
    sys::RouteSocket().ensure_address(if_nametoindex(link.c_str()), *parse_prefix(prefix));
}

void add_route(const std::string& prefix, const std::string& gateway) {
    add_route(*parse_prefix(prefix), *parse_ip(gateway));
}

void set_link_up(const std::string& link) {
    sys::RouteSocket().set_up(if_nametoindex(link.c_str()));
}

Responder::Responder(const Namespace& where,
                     Protocol protocol,
                     const std::string& address,
                     std::uint16_t port,
                     std::string name)
    : protocol_(protocol), name_(std::move(name)) {
    const SocketAddress here(address, port);
    socket_ = make_socket(where, protocol, here.get()->sa_family);
    const int one = 1;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sys::check(::bind(socket_.get(), here.get(), here.length), "bind " + address);
    if (protocol == Protocol::tcp)
        sys::check(::listen(socket_.get(), 16), "listen");
}

bool Responder::serve() {
    if (!readable(socket_, moment))
        return false;
    if (protocol_ == Protocol::tcp) {
        const sys::Fd connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (connection)
            ::send(connection.get(), name_.data(), name_.size(), MSG_NOSIGNAL);
        return true;
    }
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    char byte = 0;
    if (::recvfrom(socket_.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&peer), &length) >= 0)
        ::sendto(socket_.get(),
                 name_.data(),
                 name_.size(),
                 0,
                 reinterpret_cast<sockaddr*>(&peer),
                 length);
    return true;
}

UdpSocket::UdpSocket(const Namespace& where, const std::string& address, std::uint16_t port) {
    const SocketAddress here(address, port);
    socket_ = make_socket(where, Protocol::udp, here.get()->sa_family);
    sys::check(::bind(socket_.get(), here.get(), here.length), "bind " + address);
}

void UdpSocket::send(const std::string& address, std::uint16_t port, const std::string& text) {
    const SocketAddress there(address, port);
    ::sendto(socket_.get(), text.data(), text.size(), 0, there.get(), there.length);
}

void UdpSocket::reply(const std::string& text) {
    ::sendto(socket_.get(),
             text.data(),
             text.size(),
             0,
             reinterpret_cast<const sockaddr*>(&peer_),
             peer_length_);
}

std::string UdpSocket::receive() {
    return readable(socket_, a_while) ? take() : "";
}

std::string UdpSocket::overhear() {
    return readable(socket_, moment) ? take() : "";
}

std::string UdpSocket::take() {
    std::array<char, 64> text{};
    peer_length_ = sizeof peer_;
    const auto length = ::recvfrom(socket_.get(),
                                   text.data(),
                                   text.size(),
                                   0,
                                   reinterpret_cast<sockaddr*>(&peer_),
                                   &peer_length_);
    return length <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(length));
}

std::string ask(const Namespace& from,
                Protocol protocol,
                const std::string& address,
                std::uint16_t port,
                Responder& expected) {
    const SocketAddress there(address, port);
    const sys::Fd socket = make_socket(from, protocol, there.get()->sa_family);
    if (::connect(socket.get(), there.get(), there.length) < 0 && errno != EINPROGRESS)
        return {};
    if (protocol == Protocol::udp && ::send(socket.get(), "?", 1, 0) < 0)
        return {};
    if (!expected.serve() || !readable(socket, a_while))
        return {};
    std::array<char, 64> answer{};
    const auto length = ::recv(socket.get(), answer.data(), answer.size(), 0);
    return length <= 0 ? std::string()
                       : std::string(answer.data(), static_cast<std::size_t>(length));
}

}  // namespace stack::test
