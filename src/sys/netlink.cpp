#include "sys/netlink.h"

#include <stack/error.h>

#include "base/text.h"
#include "sys/fd.h"

#include <array>
#include <cerrno>
#include <cstdlib>

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

namespace stack::sys {
namespace {

std::uint32_t attribute_u32(const nlattr* attribute) {
    return attribute == nullptr ? 0 : nla_get_u32(attribute);
}

std::string attribute_text(nlattr* attribute) {
    return attribute == nullptr ? std::string() : std::string(nla_get_string(attribute));
}

/// The kernel's words about a refusal, which follow the original message's header
/// (NETLINK_CAP_ACK).
std::string extended_text(nlmsghdr* header) {
    if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0)
        return {};
    return attribute_text(nlmsg_find_attr(header, sizeof(nlmsgerr), NLMSGERR_ATTR_MSG));
}

ifinfomsg link_header(std::uint32_t index) {
    ifinfomsg header{};
    header.ifi_family = AF_UNSPEC;
    header.ifi_index = static_cast<int>(index);
    return header;
}

NetlinkMessage link_message(int type, int flags, std::uint32_t index) {
    return {type, flags, raw_bytes(link_header(index))};
}

Link parse_link(nlmsghdr* message) {
    const auto* header = static_cast<const ifinfomsg*>(nlmsg_data(message));
    std::array<nlattr*, IFLA_MAX + 1> attributes{};
    nlmsg_parse(message, sizeof *header, attributes.data(), IFLA_MAX, nullptr);
    Link link;
    link.index = static_cast<std::uint32_t>(header->ifi_index);
    link.name = attribute_text(attributes[IFLA_IFNAME]);
    link.alias = attribute_text(attributes[IFLA_IFALIAS]);
    link.group = attribute_u32(attributes[IFLA_GROUP]);
    link.bridge = attribute_u32(attributes[IFLA_MASTER]);
    link.mtu = attribute_u32(attributes[IFLA_MTU]);
    link.up = (header->ifi_flags & IFF_UP) != 0;
    if (nlattr* info = attributes[IFLA_LINKINFO])
        link.kind = attribute_text(
            nla_find(static_cast<nlattr*>(nla_data(info)), nla_len(info), IFLA_INFO_KIND));
    return link;
}

std::optional<Route> parse_route(nlmsghdr* message) {
    const auto* header = static_cast<const rtmsg*>(nlmsg_data(message));
    if (header->rtm_type != RTN_UNICAST)
        return std::nullopt;
    Route route;
    route.destination.address.family = header->rtm_family == AF_INET ? Family::v4 : Family::v6;
    route.destination.length = header->rtm_dst_len;
    if (nlattr* destination = nlmsg_find_attr(message, sizeof *header, RTA_DST)) {
        const std::string_view bytes(static_cast<const char*>(nla_data(destination)),
                                     static_cast<std::size_t>(nla_len(destination)));
        route.destination.address = ip_from_bytes(bytes);
    }
    route.link = attribute_u32(nlmsg_find_attr(message, sizeof *header, RTA_OIF));
    return route;
}

}  // namespace

NetlinkMessage::NetlinkMessage(int type, int flags, std::string_view header)
    : message_(nlmsg_alloc_simple(type, flags | NLM_F_REQUEST), nlmsg_free) {
    put_header(header);
}

void NetlinkMessage::put_header(std::string_view header) {
    std::string copy(header);
    if (nlmsg_append(message_.get(), copy.data(), copy.size(), NLMSG_ALIGNTO) < 0)
        throw Error("a netlink message outgrew its page");
}

void NetlinkMessage::put(int type, std::string_view bytes) {
    if (nla_put(message_.get(), type, static_cast<int>(bytes.size()), bytes.data()) < 0)
        throw Error("a netlink message outgrew its page");
}

void NetlinkMessage::put_text(int type, const std::string& text) {
    put(type, {text.c_str(), text.size() + 1});
}

void NetlinkMessage::put_u8(int type, std::uint8_t value) {
    put(type, raw_bytes(value));
}

void NetlinkMessage::put_u32(int type, std::uint32_t value) {
    put(type, raw_bytes(value));
}

void NetlinkMessage::put_be32(int type, std::uint32_t value) {
    put_u32(type, __builtin_bswap32(value));
}

void NetlinkMessage::put_be16(int type, std::uint16_t value) {
    const std::uint16_t swapped = __builtin_bswap16(value);
    put(type, raw_bytes(swapped));
}

void NetlinkMessage::nest(int type, const std::function<void()>& fill) {
    nlattr* start = nla_nest_start(message_.get(), type | NLA_F_NESTED);
    fill();
    nla_nest_end(message_.get(), start);
}

NetlinkSocket::NetlinkSocket(int protocol) : socket_(nl_socket_alloc(), nl_socket_free) {
    if (const int error = nl_connect(socket_.get(), protocol); error < 0)
        throw Error(std::string("open a netlink socket: ") + nl_geterror(error));
    const int one = 1;
    const int fd = nl_socket_get_fd(socket_.get());
    check(::setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof one),
          "ask for netlink's own words");
    check(::setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one),
          "ask for short netlink answers");
}

/// Takes one datagram. Returns the errno that ends the answer (0: its good end), nullopt while more
/// is to come.
std::optional<int> NetlinkSocket::receive(const Each& each) {
    sockaddr_nl sender{};
    unsigned char* buffer = nullptr;
    int length = nl_recv(socket_.get(), &sender, &buffer, nullptr);
    const std::unique_ptr<unsigned char, void (*)(void*)> owned(buffer, std::free);
    if (length <= 0)
        throw Error(std::string("receive from netlink: ") + nl_geterror(length));
    auto* header = reinterpret_cast<nlmsghdr*>(buffer);
    for (; nlmsg_ok(header, length); header = nlmsg_next(header, &length)) {
        if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
            was_interrupted_ = true;
        if (header->nlmsg_type == NLMSG_DONE)
            return nlmsg_datalen(header) < static_cast<int>(sizeof(int))
                       ? 0
                       : -*static_cast<const int*>(nlmsg_data(header));
        if (header->nlmsg_type != NLMSG_ERROR) {
            if (each)
                each(header);
            continue;
        }
        last_message_ = extended_text(header);
        return -static_cast<const nlmsgerr*>(nlmsg_data(header))->error;
    }
    return std::nullopt;
}

int NetlinkSocket::execute(NetlinkMessage& message, const Each& each) {
    last_message_.clear();
    if (const int sent = nl_send_auto(socket_.get(), message.get()); sent < 0)
        throw Error(std::string("send to netlink: ") + nl_geterror(sent));
    for (;;) {
        if (const auto result = receive(each))
            return *result;
    }
}

/// One message has to fit whole, and each of its parts may be refused by one of its own. Beyond the
/// machine's limits that takes rights which not every root has (socket(7), SO_SNDBUFFORCE).
void NetlinkSocket::make_room(std::size_t bytes, std::size_t answers) {
    constexpr std::size_t answer = 1024;  // with what the kernel accounts for it
    constexpr std::size_t usual = 32768;  // half of what libnl asks for
    const int fd = nl_socket_get_fd(socket_.get());
    const auto set = [&](std::size_t size, int forced, int plain) {
        const int value = static_cast<int>(size);
        if (size > usual && ::setsockopt(fd, SOL_SOCKET, forced, &value, sizeof value) < 0)
            ::setsockopt(fd, SOL_SOCKET, plain, &value, sizeof value);
    };
    set(bytes, SO_SNDBUFFORCE, SO_SNDBUF);
    set(answers * answer, SO_RCVBUFFORCE, SO_RCVBUF);
}

/// What has not been read of an answer must not be taken for that to the next question.
void NetlinkSocket::drain() {
    char ignored = 0;
    while (::recv(nl_socket_get_fd(socket_.get()), &ignored, 1, MSG_DONTWAIT) >= 0 ||
           errno == ENOBUFS || errno == EINTR) {
    }
}

int NetlinkSocket::execute_batch(const std::vector<NetlinkMessage>& messages) {
    last_message_.clear();
    std::string bytes;
    for (const auto& message : messages) {
        nl_complete_msg(socket_.get(), message.get());
        nlmsghdr* header = nlmsg_hdr(message.get());
        // What is refused is told unasked; that nothing was is told by the last step.
        if (&message == &messages[messages.size() - 2])
            header->nlmsg_flags |= NLM_F_ACK;
        else
            header->nlmsg_flags &= static_cast<std::uint16_t>(~NLM_F_ACK);
        bytes.append(reinterpret_cast<const char*>(header), header->nlmsg_len);
        bytes.resize(NLMSG_ALIGN(bytes.size()));
    }
    make_room(bytes.size(), messages.size());
    check(::send(nl_socket_get_fd(socket_.get()), bytes.data(), bytes.size(), 0),
          "send to netlink");
    // The whole answer is there by now; what follows an error is of no interest.
    try {
        std::optional<int> result;
        while (!result)
            result = receive(nullptr);
        drain();
        return *result;
    } catch (const Error&) {
        drain();
        return ENOBUFS;  // more was refused than there was room to be told of it
    }
}

void NetlinkSocket::execute_or_throw(NetlinkMessage& message,
                                     const std::string& what,
                                     const Each& each) {
    const int error = execute(message, each);
    if (error != 0)
        fail(last_message_.empty() ? what : what + " (" + last_message_ + ")", error);
}

void NetlinkSocket::dump(NetlinkMessage& message, const std::string& what, const Each& each) {
    nlmsg_hdr(message.get())->nlmsg_flags |= NLM_F_DUMP;
    execute_or_throw(message, what, each);
}

RouteSocket::RouteSocket() : socket_(NETLINK_ROUTE) {}

std::vector<Link> RouteSocket::links() {
    std::vector<Link> links;
    auto message = link_message(RTM_GETLINK, 0, 0);
    message.put_u32(IFLA_EXT_MASK,
                    RTEXT_FILTER_SKIP_STATS);  // counters are half of the answer's price
    socket_.dump(message, "list the network links", [&](nlmsghdr* one) {
        links.push_back(parse_link(one));
    });
    return links;
}

std::optional<Link> RouteSocket::find_link(const std::string& name) {
    std::optional<Link> link;
    auto message = link_message(RTM_GETLINK, 0, 0);
    message.put_text(IFLA_IFNAME, name);
    const int error = socket_.execute(message, [&](nlmsghdr* one) { link = parse_link(one); });
    if (error != 0 && error != ENODEV)
        fail("look at link " + name, error);
    return link;
}

std::vector<Route> RouteSocket::routes() {
    std::vector<Route> routes;
    const rtmsg header{};
    NetlinkMessage message(RTM_GETROUTE, 0, raw_bytes(header));
    socket_.dump(message, "list the routes", [&](nlmsghdr* one) {
        if (auto route = parse_route(one))
            routes.push_back(*route);
    });
    return routes;
}

void RouteSocket::make_bridge(const Bridge& bridge) {
    auto header = link_header(0);
    header.ifi_flags = IFF_UP;
    header.ifi_change = IFF_UP;
    NetlinkMessage message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, raw_bytes(header));
    message.put_text(IFLA_IFNAME, bridge.name);
    message.put_u32(IFLA_GROUP, bridge.group);
    message.put_u32(IFLA_MTU, bridge.mtu);
    // A bridge that picks its address from its ports changes it with them, and neighbours then lose
    // it for seconds.
    message.put(IFLA_ADDRESS, parse_mac(bridge.mac).value_or(""));
    message.nest(IFLA_LINKINFO, [&] {
        message.put_text(IFLA_INFO_KIND, "bridge");
        message.nest(IFLA_INFO_DATA, [&] {
            message.put_u32(IFLA_BR_STP_STATE, 0);
            message.put_u8(IFLA_BR_NF_CALL_IPTABLES, 0);
            message.put_u8(IFLA_BR_NF_CALL_IP6TABLES, 0);
        });
    });
    socket_.execute_or_throw(message, "make bridge " + bridge.name);
    // rtnetlink ignores an alias in the message that makes a link.
    set_alias(if_nametoindex(bridge.name.c_str()), bridge.alias);
}

void RouteSocket::set_alias(std::uint32_t link, const std::string& alias) {
    auto message = link_message(RTM_SETLINK, 0, link);
    message.put(IFLA_IFALIAS, alias);
    socket_.execute_or_throw(message, "name the owner of link " + std::to_string(link));
}

void RouteSocket::ensure_address(std::uint32_t link, const IpPrefix& address) {
    ifaddrmsg header{};
    header.ifa_family = address.address.family == Family::v4 ? AF_INET : AF_INET6;
    header.ifa_prefixlen = static_cast<std::uint8_t>(address.length);
    header.ifa_flags = IFA_F_NODAD;
    header.ifa_index = link;
    NetlinkMessage message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, raw_bytes(header));
    message.put(IFA_LOCAL, bytes_of(address.address));
    message.put(IFA_ADDRESS, bytes_of(address.address));
    if (address.address.family == Family::v4)
        message.put(IFA_BROADCAST, bytes_of(last_address(address)));
    socket_.execute_or_throw(
        message, "give link " + std::to_string(link) + " the address " + to_text(address));
}

void RouteSocket::set_up(std::uint32_t link) {
    auto header = link_header(link);
    header.ifi_flags = IFF_UP;
    header.ifi_change = IFF_UP;
    NetlinkMessage message(RTM_SETLINK, 0, raw_bytes(header));
    socket_.execute_or_throw(message, "set link " + std::to_string(link) + " up");
}

void RouteSocket::set_bridge(std::uint32_t link, std::uint32_t bridge) {
    auto message = link_message(RTM_SETLINK, 0, link);
    message.put_u32(IFLA_MASTER, bridge);
    socket_.execute_or_throw(message,
                             "make link " + std::to_string(link) + " a port of its bridge");
}

void RouteSocket::remove_link(std::uint32_t index) {
    auto message = link_message(RTM_DELLINK, 0, index);
    const int error = socket_.execute(message);
    if (error != 0 && error != ENODEV)
        fail("remove link " + std::to_string(index), error);
}

void RouteSocket::remove_group(std::uint32_t group) {
    auto message = link_message(RTM_DELLINK, 0, 0);
    message.put_u32(IFLA_GROUP, group);
    const int error = socket_.execute(message);
    if (error != 0 && error != ENODEV)
        fail("remove the links of group " + std::to_string(group), error);
}

std::optional<std::string> parse_mac(std::string_view text) {
    std::string bytes;
    for (const auto& part : split(text, ':')) {
        unsigned value = 0;
        const auto [end, error] =
            std::from_chars(part.data(), part.data() + part.size(), value, 16);
        if (part.size() != 2 || error != std::errc{} || end != part.data() + part.size())
            return std::nullopt;
        bytes.push_back(static_cast<char>(value));
    }
    if (bytes.size() != 6)
        return std::nullopt;
    return bytes;
}

}  // namespace stack::sys
