#include "sys/conntrack.h"

#include "sys/fd.h"
#include "sys/netlink.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <system_error>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

namespace stack::sys {
namespace {

/// One tracked flow: whom it leads from and to, and the attributes that identify it to the kernel,
/// as they came.
struct Flow {
    IpAddress from;  // who began it
    IpAddress sent_to;
    IpAddress led_to;  // who answers: another than `sent_to` where it is translated
    std::uint8_t protocol = 0;
    std::uint16_t port = 0;  // that it was sent to; 0 where the protocol has none
    std::string tuple;
    std::string zone;
};

std::string_view payload(const nlattr* attribute) {
    return {static_cast<const char*>(nla_data(attribute)),
            static_cast<std::size_t>(nla_len(attribute))};
}

nlattr* find_inside(nlattr* nest, int type) {
    return nest == nullptr ? nullptr
                           : nla_find(static_cast<nlattr*>(nla_data(nest)), nla_len(nest), type);
}

/// An address of a tuple, by its attribute's number in IPv4; that of IPv6 is two further.
std::optional<IpAddress> find_address(nlattr* tuple, int type) {
    static_assert(CTA_IP_V6_SRC == CTA_IP_V4_SRC + 2 && CTA_IP_V6_DST == CTA_IP_V4_DST + 2);
    nlattr* addresses = find_inside(tuple, CTA_TUPLE_IP);
    nlattr* host = find_inside(addresses, type);
    if (host == nullptr)
        host = find_inside(addresses, type + 2);
    return host == nullptr ? std::nullopt : std::optional(ip_from_bytes(payload(host)));
}

std::optional<Flow> parse_flow(nlmsghdr* message) {
    nlattr* tuple = nlmsg_find_attr(message, sizeof(nfgenmsg), CTA_TUPLE_ORIG);
    nlattr* answers = nlmsg_find_attr(message, sizeof(nfgenmsg), CTA_TUPLE_REPLY);
    const auto from = find_address(tuple, CTA_IP_V4_SRC);
    const auto sent_to = find_address(tuple, CTA_IP_V4_DST);
    const auto led_to = find_address(answers, CTA_IP_V4_SRC);
    nlattr* protocol = find_inside(tuple, CTA_TUPLE_PROTO);
    nlattr* number = find_inside(protocol, CTA_PROTO_NUM);
    if (!from || !sent_to || !led_to || number == nullptr)
        return std::nullopt;
    nlattr* port = find_inside(protocol, CTA_PROTO_DST_PORT);
    nlattr* zone = nlmsg_find_attr(message, sizeof(nfgenmsg), CTA_ZONE);
    return Flow{*from,
                *sent_to,
                *led_to,
                nla_get_u8(number),
                port == nullptr ? std::uint16_t{0} : ntohs(nla_get_u16(port)),
                std::string(payload(tuple)),
                zone == nullptr ? std::string() : std::string(payload(zone))};
}

NetlinkMessage conntrack_message(int operation, std::uint8_t family) {
    nfgenmsg header{};
    header.nfgen_family = family;
    return {(NFNL_SUBSYS_CTNETLINK << 8) | operation, 0, raw_bytes(header)};
}

void forget(NetlinkSocket& socket, const Flow& flow) {
    auto message = conntrack_message(IPCTNL_MSG_CT_DELETE,
                                     flow.from.family == Family::v4 ? AF_INET : AF_INET6);
    message.put(CTA_TUPLE_ORIG | NLA_F_NESTED, flow.tuple);
    if (!flow.zone.empty())
        message.put(CTA_ZONE, flow.zone);
    const int error = socket.execute(message);
    if (error != 0 && error != ENOENT)
        fail("forget a tracked connection to " + to_text(flow.sent_to), error);
}

/// Those of both families come in one walk.
void forget_where(const std::function<bool(const Flow&)>& condition) {
    NetlinkSocket socket(NETLINK_NETFILTER);
    std::vector<Flow> flows;
    auto message = conntrack_message(IPCTNL_MSG_CT_GET, AF_UNSPEC);
    try {
        socket.dump(message, "list the tracked connections", [&](nlmsghdr* one) {
            if (auto flow = parse_flow(one); flow && condition(*flow))
                flows.push_back(std::move(*flow));
        });
    } catch (const std::system_error& error) {
        if (error.code() != std::errc::invalid_argument)
            throw;
        return;  // without nf_conntrack_netlink: what it tracks ends by itself
    }
    for (const auto& flow : flows)
        forget(socket, flow);
}

bool leads_to(const Flow& flow, const UdpPort& port) {
    return flow.protocol == IPPROTO_UDP && flow.port == port.port &&
           (!port.host || *port.host == flow.sent_to);
}

bool is_of(const Flow& flow, const IpPrefix& hosts) {
    return contains(hosts, flow.from) || contains(hosts, flow.sent_to) ||
           contains(hosts, flow.led_to);
}

}  // namespace

void forget_flows(const std::vector<UdpPort>& ports) {
    if (ports.empty())
        return;
    forget_where([&](const Flow& flow) {
        return std::any_of(
            ports.begin(), ports.end(), [&](const UdpPort& port) { return leads_to(flow, port); });
    });
}

void forget_flows(const std::vector<IpPrefix>& hosts) {
    if (hosts.empty())
        return;
    forget_where([&](const Flow& flow) {
        return std::any_of(
            hosts.begin(), hosts.end(), [&](const IpPrefix& one) { return is_of(flow, one); });
    });
}

}  // namespace stack::sys
