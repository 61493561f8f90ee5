#include "tests/network/raw_datagram.h"

#include "base/ip.h"
#include "sys/netlink.h"

#include <array>
#include <cstdio>
#include <cstring>

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace stack::test {
namespace {

constexpr std::uint16_t source_port = 4000;
constexpr char hops = 64;
constexpr char udp_number = IPPROTO_UDP;

std::string number(std::size_t value) {
    return {static_cast<char>(value >> 8U & 0xffU), static_cast<char>(value & 0xffU)};
}

/// RFC 1071.
std::string checksum(std::string bytes) {
    if (bytes.size() % 2 != 0)
        bytes.push_back('\0');
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2)
        sum += static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << 8U |
               static_cast<unsigned char>(bytes[i + 1]);
    while (sum > 0xffffU)
        sum = (sum & 0xffffU) + (sum >> 16U);
    return number(~sum & 0xffffU);
}

/// The datagram with its header, of which its checksum covers the addresses as well (RFC 768,
/// 8200).
std::string udp(const IpAddress& source, const IpAddress& target, const RawDatagram& datagram) {
    const std::size_t length = 8 + datagram.text.size();
    const std::string ports = number(source_port) + number(datagram.target_port);
    const std::string addresses = std::string(bytes_of(source)) + std::string(bytes_of(target));
    const std::string sum = checksum(addresses + number(IPPROTO_UDP) + number(length) + ports +
                                     number(length) + number(0) + datagram.text);
    return ports + number(length) + sum + datagram.text;
}

std::string ip4(const IpAddress& source, const IpAddress& target, const std::string& content) {
    constexpr std::size_t header_size = 20;
    const std::string begin = std::string("\x45\0", 2) + number(header_size + content.size()) +
                              number(1) + number(0) + std::string{hops, udp_number};
    const std::string addresses = std::string(bytes_of(source)) + std::string(bytes_of(target));
    return begin + checksum(begin + number(0) + addresses) + addresses + content;
}

std::string ip6(const IpAddress& source,
                const IpAddress& target,
                const std::string& content,
                char protocol = udp_number,
                char limit = hops) {
    return std::string("\x60\0\0\0", 4) + number(content.size()) + std::string{protocol, limit} +
           std::string(bytes_of(source)) + std::string(bytes_of(target)) + content;
}

std::string frame_for(const RawDatagram& datagram) {
    const auto source = *parse_ip(datagram.source);
    const auto target = *parse_ip(datagram.target);
    const std::string content = udp(source, target, datagram);
    const bool v4 = source.family == Family::v4;
    return *sys::parse_mac(datagram.target_mac) + *sys::parse_mac(datagram.source_mac) +
           number(v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6) +
           (v4 ? ip4(source, target, content) : ip6(source, target, content));
}

}  // namespace

std::string arp_answer(const Claim& claim, int tags) {
    std::string frame = *sys::parse_mac(claim.target_mac) + *sys::parse_mac(claim.source_mac);
    for (int i = 0; i < tags; ++i)
        frame += number(ETHERTYPE_VLAN) + number(0);
    constexpr std::size_t ethernet = 1;
    constexpr std::size_t reply = 2;
    const auto address = *parse_ip(claim.address);
    return frame + number(ETHERTYPE_ARP) + number(ethernet) + number(ETHERTYPE_IP) + "\6\4" +
           number(reply) + *sys::parse_mac(claim.mac) + std::string(bytes_of(address)) +
           *sys::parse_mac(claim.target_mac) + std::string(bytes_of(address));
}

std::string icmp6_frame(const RawDatagram& ends, char type, const std::string& rest) {
    constexpr char icmp6 = IPPROTO_ICMPV6;
    constexpr char from_a_neighbour = '\xff';
    const auto source = *parse_ip(ends.source);
    const auto target = *parse_ip(ends.target);
    const std::string begin{type, 0};
    const std::string addresses = std::string(bytes_of(source)) + std::string(bytes_of(target));
    const std::string sum = checksum(addresses + number(0) + number(4 + rest.size()) + number(0) +
                                     number(icmp6) + begin + number(0) + rest);
    return *sys::parse_mac(ends.target_mac) + *sys::parse_mac(ends.source_mac) +
           number(ETHERTYPE_IPV6) +
           ip6(source, target, begin + sum + rest, icmp6, from_a_neighbour);
}

std::string neighbour_answer(const Claim& claim, const std::string& source) {
    constexpr char advertisement = '\x88';
    const auto address = *parse_ip(claim.address);
    const std::string overrides("\x20\0\0\0", 4);
    return icmp6_frame(
        {claim.source_mac, claim.target_mac, source, "ff02::1", 0, ""},
        advertisement,
        overrides + std::string(bytes_of(address)) + "\2\1" + *sys::parse_mac(claim.mac));
}

void send_raw(const Namespace& from, const std::string& interface, const RawDatagram& datagram) {
    send_frame(from, interface, frame_for(datagram));
}

void send_frame(const Namespace& from, const std::string& interface, const std::string& frame) {
    const Inside inside(from);
    const sys::Fd socket(
        sys::check(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "open a packet socket"));
    sockaddr_ll wire{};
    wire.sll_family = AF_PACKET;
    wire.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    sys::check(static_cast<int>(::sendto(socket.get(),
                                         frame.data(),
                                         frame.size(),
                                         0,
                                         reinterpret_cast<const sockaddr*>(&wire),
                                         sizeof wire)),
               "send a frame by " + interface);
}

Wiretap::Wiretap(const Namespace& where, const std::string& interface) {
    const Inside inside(where);
    socket_ = sys::Fd(sys::check(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                                 "open a packet socket"));
    sockaddr_ll wire{};
    wire.sll_family = AF_PACKET;
    wire.sll_protocol = __builtin_bswap16(ETH_P_ALL);
    wire.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    sys::check(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&wire), sizeof wire),
               "listen on " + interface);
}

bool Wiretap::hears(const std::string& bytes) {
    constexpr int moment = 200;  // milliseconds
    std::array<char, 2048> frame{};
    for (;;) {
        pollfd entry{socket_.get(), POLLIN, 0};
        if (::poll(&entry, 1, moment) != 1)
            return false;
        const auto length = ::recv(socket_.get(), frame.data(), frame.size(), 0);
        if (length > 0 &&
            std::string_view(frame.data(), static_cast<std::size_t>(length)).find(bytes) !=
                std::string_view::npos)
            return true;
    }
}

std::string hardware_address(const Namespace& where, const std::string& interface) {
    const Inside inside(where);
    const sys::Fd socket(sys::check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    sys::check(::ioctl(socket.get(), SIOCGIFHWADDR, &request), "look at " + interface);
    std::array<unsigned char, 6> bytes{};
    std::memcpy(bytes.data(), request.ifr_hwaddr.sa_data, bytes.size());
    std::array<char, 18> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%02x:%02x:%02x:%02x:%02x:%02x",
                  bytes[0],
                  bytes[1],
                  bytes[2],
                  bytes[3],
                  bytes[4],
                  bytes[5]);
    return text.data();
}

}  // namespace stack::test
