#include "sys/conntrack.h"

#include "sys/fd.h"
#include "sys/netlink.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

namespace stack::sys {
namespace {

/// One tracked UDP flow: where it was sent to, and the attributes that identify it to the kernel,
/// as they came.
struct Flow {
    IpAddress host;
    std::uint16_t port = 0;
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

std::optional<Flow> parse_udp_flow(nlmsghdr* message) {
    nlattr* tuple = nlmsg_find_attr(message, sizeof(nfgenmsg), CTA_TUPLE_ORIG);
    nlattr* addresses = find_inside(tuple, CTA_TUPLE_IP);
    nlattr* protocol = find_inside(tuple, CTA_TUPLE_PROTO);
    nlattr* number = find_inside(protocol, CTA_PROTO_NUM);
    nlattr* port = find_inside(protocol, CTA_PROTO_DST_PORT);
    nlattr* host = find_inside(addresses, CTA_IP_V4_DST);
    if (host == nullptr)
        host = find_inside(addresses, CTA_IP_V6_DST);
    if (number == nullptr || port == nullptr || host == nullptr ||
        nla_get_u8(number) != IPPROTO_UDP)
        return std::nullopt;
    nlattr* zone = nlmsg_find_attr(message, sizeof(nfgenmsg), CTA_ZONE);
    return Flow{ip_from_bytes(payload(host)),
                ntohs(nla_get_u16(port)),
                std::string(payload(tuple)),
                zone == nullptr ? std::string() : std::string(payload(zone))};
}

NetlinkMessage conntrack_message(int operation, Family family) {
    nfgenmsg header{};
    header.nfgen_family = family == Family::v4 ? AF_INET : AF_INET6;
    return {(NFNL_SUBSYS_CTNETLINK << 8) | operation, 0, raw_bytes(header)};
}

std::vector<Flow> udp_flows(NetlinkSocket& socket, Family family) {
    std::vector<Flow> flows;
    auto message = conntrack_message(IPCTNL_MSG_CT_GET, family);
    socket.dump(message, "list the tracked connections", [&](nlmsghdr* one) {
        if (auto flow = parse_udp_flow(one))
            flows.push_back(std::move(*flow));
    });
    return flows;
}

void forget(NetlinkSocket& socket, const Flow& flow) {
    auto message = conntrack_message(IPCTNL_MSG_CT_DELETE, flow.host.family);
    message.put(CTA_TUPLE_ORIG | NLA_F_NESTED, flow.tuple);
    if (!flow.zone.empty())
        message.put(CTA_ZONE, flow.zone);
    const int error = socket.execute(message);
    if (error != 0 && error != ENOENT)
        fail("forget a tracked connection to " + to_text(flow.host), error);
}

bool leads_to(const Flow& flow, const UdpPort& port) {
    return flow.port == port.port && (!port.host || *port.host == flow.host);
}

}  // namespace

void forget_flows(const std::vector<UdpPort>& ports) {
    if (ports.empty())
        return;
    NetlinkSocket socket(NETLINK_NETFILTER);
    for (const Family family : {Family::v4, Family::v6}) {
        for (const auto& flow : udp_flows(socket, family)) {
            const auto leads_here = [&](const UdpPort& port) { return leads_to(flow, port); };
            if (std::any_of(ports.begin(), ports.end(), leads_here))
                forget(socket, flow);
        }
    }
}

}  // namespace stack::sys
