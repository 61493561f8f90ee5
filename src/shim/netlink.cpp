#include "shim/netlink.h"

#include "shim/fault.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// One request, built in place.
class Message {
  public:
    Message(std::uint16_t type, unsigned int flags) {
        header().nlmsg_type = type;
        header().nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
        header().nlmsg_len = NLMSG_LENGTH(0);
    }

    /// Appends a fixed structure (ifinfomsg, ifaddrmsg, rtmsg).
    template <class T>
    T& body() {
        auto* place = reinterpret_cast<T*>(buffer_.data() + header().nlmsg_len);
        header().nlmsg_len += NLMSG_ALIGN(sizeof(T));
        return *place;
    }

    void put(std::uint16_t type, const void* data, std::size_t size) {
        auto* attribute =
            reinterpret_cast<rtattr*>(buffer_.data() + NLMSG_ALIGN(header().nlmsg_len));
        attribute->rta_type = type;
        attribute->rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
        if (size > 0)
            std::memcpy(RTA_DATA(attribute), data, size);
        header().nlmsg_len = NLMSG_ALIGN(header().nlmsg_len) +
                             static_cast<std::uint32_t>(RTA_ALIGN(attribute->rta_len));
    }

    void put(std::uint16_t type, const std::string& text) {
        put(type, text.c_str(), text.size() + 1);
    }

    void put(std::uint16_t type, std::uint32_t number) { put(type, &number, sizeof number); }

    /// Opens an attribute that holds others; close() with what it returned.
    std::size_t open(std::uint16_t type) {
        const std::size_t place = NLMSG_ALIGN(header().nlmsg_len);
        put(type, nullptr, 0);
        return place;
    }

    void close(std::size_t place) {
        reinterpret_cast<rtattr*>(buffer_.data() + place)->rta_len =
            static_cast<std::uint16_t>(header().nlmsg_len - place);
    }

    nlmsghdr& header() { return *reinterpret_cast<nlmsghdr*>(buffer_.data()); }

    [[nodiscard]] const char* data() const { return buffer_.data(); }

  private:
    alignas(NLMSG_ALIGNTO) std::array<char, 2048> buffer_{};
};

class Socket {
  public:
    Socket()
        : fd_(static_cast<int>(must(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
                                    "open netlink"))) {}

    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    ~Socket() { ::close(fd_); }

    /// 0, or the errno that the kernel answered with.
    int talk(Message& message) {
        std::array<char, 4096> answer{};
        if (::send(fd_, message.data(), message.header().nlmsg_len, 0) < 0 ||
            ::recv(fd_, answer.data(), answer.size(), 0) < 0)
            return errno;
        const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
        if (header->nlmsg_type != NLMSG_ERROR)
            return EPROTO;
        return -reinterpret_cast<const nlmsgerr*>(answer.data() + NLMSG_HDRLEN)->error;
    }

    void must_talk(Message& message, const std::string& step) {
        if (const int error = talk(message); error != 0)
            give_up(engine_failed, step, error);
    }

  private:
    int fd_;
};

std::array<unsigned char, 6> parse_mac(const std::string& text) {
    std::array<unsigned int, 6> numbers{};
    std::array<unsigned char, 6> mac{};
    if (std::sscanf(text.c_str(),
                    "%x:%x:%x:%x:%x:%x",
                    &numbers[0],
                    &numbers[1],
                    &numbers[2],
                    &numbers[3],
                    &numbers[4],
                    &numbers[5]) != 6)
        give_up(engine_failed, "the MAC address " + text + " is malformed", 0);
    for (std::size_t i = 0; i < mac.size(); ++i)
        mac[i] = static_cast<unsigned char>(numbers[i]);
    return mac;
}

/// What the container's last run left: the kernel removes a dead namespace's interfaces in its own
/// time, and a start may be there before it.
void remove_interface(Socket& socket, const std::string& name) {
    Message message(RTM_DELLINK, 0);
    message.body<ifinfomsg>();
    message.put(IFLA_IFNAME, name);
    if (const int error = socket.talk(message); error != 0 && error != ENODEV)
        give_up(engine_failed, "remove the former interface " + name, error);
}

void make_interface(Socket& socket, const InterfaceSpec& interface, int pid) {
    Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    auto& link = message.body<ifinfomsg>();
    link.ifi_flags = link.ifi_change = IFF_UP;
    message.put(IFLA_IFNAME, interface.host_name);
    message.put(IFLA_MTU, interface.mtu);
    message.put(IFLA_MASTER, interface.bridge);
    message.put(IFLA_GROUP, interface.group);
    const auto info = message.open(IFLA_LINKINFO);
    message.put(IFLA_INFO_KIND, "veth", 4);
    const auto data = message.open(IFLA_INFO_DATA);
    const auto peer = message.open(VETH_INFO_PEER);
    message.body<ifinfomsg>();
    message.put(IFLA_IFNAME, interface.name);
    message.put(IFLA_MTU, interface.mtu);
    if (!interface.mac.empty()) {
        const auto mac = parse_mac(interface.mac);
        message.put(IFLA_ADDRESS, mac.data(), mac.size());
    }
    message.put(IFLA_NET_NS_PID, static_cast<std::uint32_t>(pid));
    message.close(peer);
    message.close(data);
    message.close(info);
    int error = socket.talk(message);
    if (error == EEXIST) {
        remove_interface(socket, interface.host_name);
        error = socket.talk(message);
    }
    if (error == EXFULL)
        give_up(engine_failed,
                "network bridge is full: the kernel allows 1023 containers on one bridge",
                0);
    if (error != 0)
        give_up(engine_failed, "create interface " + interface.host_name, error);
}

/// One that lies on an interface of the host, beside it. The kernel looks for that one here.
void make_sub_interface(Socket& socket, const InterfaceSpec& interface, int pid) {
    Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    message.body<ifinfomsg>();
    message.put(IFLA_IFNAME, interface.name);
    message.put(IFLA_LINK, interface.bridge);
    if (interface.mtu != 0)
        message.put(IFLA_MTU, interface.mtu);
    if (!interface.mac.empty()) {
        const auto mac = parse_mac(interface.mac);
        message.put(IFLA_ADDRESS, mac.data(), mac.size());
    }
    message.put(IFLA_NET_NS_PID, static_cast<std::uint32_t>(pid));
    const auto info = message.open(IFLA_LINKINFO);
    message.put(IFLA_INFO_KIND, interface.kind.c_str(), interface.kind.size());
    const auto data = message.open(IFLA_INFO_DATA);
    if (interface.kind == "macvlan")
        message.put(IFLA_MACVLAN_MODE, interface.mode);
    const auto mode = static_cast<std::uint16_t>(interface.mode);
    if (interface.kind == "ipvlan")
        message.put(IFLA_IPVLAN_MODE, &mode, sizeof mode);
    message.close(data);
    message.close(info);
    const int error = socket.talk(message);
    if (error == EOPNOTSUPP)
        give_up(engine_failed, "this kernel has no " + interface.kind + " interfaces", 0);
    if (error != 0)
        give_up(engine_failed, "create " + interface.kind + " interface " + interface.name, error);
}

/// What has no end outside is found again by this.
void add_second_name(Socket& socket, int index, const std::string& name) {
    Message message(RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND);
    message.body<ifinfomsg>().ifi_index = index;
    const auto list = message.open(IFLA_PROP_LIST | NLA_F_NESTED);
    message.put(IFLA_ALT_IFNAME, name);
    message.close(list);
    socket.must_talk(message, "give an interface its second name " + name);
}

/// The kernel takes an alias only for a link that exists.
void name_owner(Socket& socket, const InterfaceSpec& interface) {
    Message message(RTM_SETLINK, 0);
    message.body<ifinfomsg>();
    message.put(IFLA_IFNAME, interface.host_name);
    message.put(IFLA_IFALIAS, interface.alias);
    socket.must_talk(message, "name the owner of interface " + interface.host_name);
}

/// A container that uses its own published port is answered through the port it asked by.
void allow_hairpin(Socket& socket, const InterfaceSpec& interface) {
    Message message(RTM_SETLINK, 0);
    auto& link = message.body<ifinfomsg>();
    link.ifi_family = AF_BRIDGE;
    link.ifi_index = static_cast<int>(::if_nametoindex(interface.host_name.c_str()));
    const auto port = message.open(IFLA_PROTINFO | NLA_F_NESTED);
    const std::uint8_t on = 1;
    message.put(IFLA_BRPORT_MODE, &on, sizeof on);
    message.close(port);
    socket.must_talk(message, "allow hairpin on interface " + interface.host_name);
}

void bring_up(Socket& socket, int index, const std::string& name) {
    Message message(RTM_NEWLINK, 0);
    auto& link = message.body<ifinfomsg>();
    link.ifi_index = index;
    link.ifi_flags = link.ifi_change = IFF_UP;
    socket.must_talk(message, "bring up " + name);
}

struct Address {
    int family;
    std::array<unsigned char, 16> bytes;
    std::size_t size;
    unsigned char prefix;
};

Address parse_address(const std::string& text) {
    Address address{};
    const auto slash = text.find('/');
    const std::string host = text.substr(0, slash);
    address.family = host.find(':') == std::string::npos ? AF_INET : AF_INET6;
    address.size = address.family == AF_INET ? 4 : 16;
    if (::inet_pton(address.family, host.c_str(), address.bytes.data()) != 1)
        give_up(engine_failed, "the address " + text + " is malformed", 0);
    address.prefix = static_cast<unsigned char>(
        slash == std::string::npos ? address.size * 8 : std::stoul(text.substr(slash + 1)));
    return address;
}

void add_address(Socket& socket, int index, const std::string& text) {
    const Address address = parse_address(text);
    Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    auto& body = message.body<ifaddrmsg>();
    body.ifa_family = static_cast<unsigned char>(address.family);
    body.ifa_prefixlen = address.prefix;
    body.ifa_index = static_cast<unsigned int>(index);
    message.put(IFA_LOCAL, address.bytes.data(), address.size);
    message.put(IFA_ADDRESS, address.bytes.data(), address.size);
    if (address.family == AF_INET6)
        message.put(IFA_FLAGS,
                    std::uint32_t{IFA_F_NODAD});  // addresses are ours to give: nothing to detect
    const int error = socket.talk(message);
    if (error != 0 && !(address.family == AF_INET6 && (error == EOPNOTSUPP || error == EACCES)))
        give_up(engine_failed, "add address " + text, error);
}

bool has_address6(const InterfaceSpec& interface) {
    return !interface.address6.empty() ||
           std::any_of(interface.link_local.begin(),
                       interface.link_local.end(),
                       [](const auto& address) { return address.find(':') != std::string::npos; });
}

/// Else it would take part by itself: with an address that nobody gave it, and with another and a
/// way out from every router that it hears (CVE-2024-32473).
void turn_off_ipv6(int proc, const std::string& interface) {
    const std::string path = "sys/net/ipv6/conf/" + interface + "/disable_ipv6";
    const int setting = ::openat(proc, path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (setting < 0 && errno == ENOENT)
        return;  // this kernel has none, or none where the MTU is so small
    if (setting < 0 || ::write(setting, "1", 1) < 0)
        give_up(engine_failed, "turn IPv6 off on interface " + interface, errno);
    ::close(setting);
}

/// By the interface `index`; 0: by whichever leads to the gateway. 0.0.0.0 and :: as gateway: there
/// is none to hand packets to, the interface takes them.
void add_default_route(Socket& socket, int index, const std::string& gateway) {
    const Address address = parse_address(gateway);
    Message message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
    auto& body = message.body<rtmsg>();
    body.rtm_family = static_cast<unsigned char>(address.family);
    body.rtm_table = RT_TABLE_MAIN;
    body.rtm_protocol = RTPROT_BOOT;
    body.rtm_scope = RT_SCOPE_UNIVERSE;
    body.rtm_type = RTN_UNICAST;
    if (gateway == "0.0.0.0" || gateway == "::")
        body.rtm_scope = address.family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    else
        message.put(RTA_GATEWAY, address.bytes.data(), address.size);
    if (index != 0)
        message.put(RTA_OIF, static_cast<std::uint32_t>(index));
    socket.must_talk(message, "add the default route through " + gateway);
}

}  // namespace

void make_interfaces(const std::vector<InterfaceSpec>& interfaces, int pid) {
    if (interfaces.empty())
        return;
    Socket socket;
    for (const auto& interface : interfaces) {
        if (!interface.kind.empty()) {
            make_sub_interface(socket, interface, pid);
            continue;
        }
        make_interface(socket, interface, pid);
        name_owner(socket, interface);
        allow_hairpin(socket, interface);
    }
}

void configure_interfaces(const std::vector<InterfaceSpec>& interfaces, int proc) {
    Socket socket;
    constexpr int loopback = 1;
    bring_up(socket, loopback, "lo");
    for (const auto& interface : interfaces) {
        const auto index = static_cast<int>(::if_nametoindex(interface.name.c_str()));
        if (index == 0)
            give_up(engine_failed, "find interface " + interface.name, errno);
        if (!interface.kind.empty())
            add_second_name(socket, index, interface.host_name);
        if (!has_address6(interface))
            turn_off_ipv6(proc, interface.name);
        for (const auto& address : {interface.address4, interface.address6})
            if (!address.empty())
                add_address(socket, index, address);
        for (const auto& address : interface.link_local)
            add_address(socket, index, address);
        bring_up(socket, index, interface.name);
        for (const auto& gateway : {interface.gateway4, interface.gateway6})
            if (!gateway.empty())
                add_default_route(socket, index, gateway);
    }
}

void remove_interfaces(const std::vector<std::string>& names) {
    Socket socket;
    for (const auto& name : names)
        remove_interface(socket, name);
}

void set_default_routes(const std::vector<InterfaceSpec>& interfaces) {
    Socket socket;
    for (const auto& interface : interfaces)
        for (const auto& gateway : {interface.gateway4, interface.gateway6})
            if (!gateway.empty())
                add_default_route(socket,
                                  static_cast<int>(::if_nametoindex(interface.host_name.c_str())),
                                  gateway);
}

}  // namespace stack::shim
