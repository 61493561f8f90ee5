#include "engine/network/rules.h"

#include "base/name_service.h"
#include "engine/network/layout.h"

#include <string>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>

namespace stack::network {
namespace {

using sys::NetlinkAttributes;

/// A part of a rule: some expressions of the kernel's.
using Part = NetlinkAttributes;

/// The kernel's registers, by words of four bytes.
constexpr std::uint32_t word(std::uint32_t number) {
    return NFT_REG32_00 + number;
}

/// The words that an address takes.
constexpr std::uint32_t words4 = 1;
constexpr std::uint32_t words6 = 4;

template <class T>
std::string bytes(T number) {
    return {reinterpret_cast<const char*>(&number), sizeof number};
}

Part expression(const char* name, const NetlinkAttributes& data) {
    NetlinkAttributes one;
    one.put_text(NFTA_EXPR_NAME, name);
    one.nest(NFTA_EXPR_DATA, data);
    Part part;
    part.nest(NFTA_LIST_ELEM, one);
    return part;
}

NetlinkAttributes value(const std::string& content) {
    NetlinkAttributes data;
    data.put(NFTA_DATA_VALUE, content);
    return data;
}

Part load_meta(nft_meta_keys key, std::uint32_t to) {
    NetlinkAttributes data;
    data.put_be32(NFTA_META_KEY, key);
    data.put_be32(NFTA_META_DREG, to);
    return expression("meta", data);
}

Part load_payload(nft_payload_bases base,
                  std::uint32_t offset,
                  std::uint32_t length,
                  std::uint32_t to) {
    NetlinkAttributes data;
    data.put_be32(NFTA_PAYLOAD_DREG, to);
    data.put_be32(NFTA_PAYLOAD_BASE, base);
    data.put_be32(NFTA_PAYLOAD_OFFSET, offset);
    data.put_be32(NFTA_PAYLOAD_LEN, length);
    return expression("payload", data);
}

Part load_connection(nft_ct_keys key) {
    NetlinkAttributes data;
    data.put_be32(NFTA_CT_KEY, key);
    data.put_be32(NFTA_CT_DREG, word(0));
    return expression("ct", data);
}

Part compare(nft_cmp_ops how, const std::string& with) {
    NetlinkAttributes data;
    data.put_be32(NFTA_CMP_SREG, word(0));
    data.put_be32(NFTA_CMP_OP, how);
    data.nest(NFTA_CMP_DATA, value(with));
    return expression("cmp", data);
}

Part mask(const std::string& bits) {
    NetlinkAttributes data;
    data.put_be32(NFTA_BITWISE_SREG, word(0));
    data.put_be32(NFTA_BITWISE_DREG, word(0));
    data.put_be32(NFTA_BITWISE_LEN, static_cast<std::uint32_t>(bits.size()));
    data.nest(NFTA_BITWISE_MASK, value(bits));
    data.nest(NFTA_BITWISE_XOR, value(std::string(bits.size(), '\0')));
    return expression("bitwise", data);
}

Part look_up(const char* set, std::uint32_t flags = 0) {
    NetlinkAttributes data;
    data.put_text(NFTA_LOOKUP_SET, set);
    data.put_be32(NFTA_LOOKUP_SREG, word(0));
    if (flags != 0)
        data.put_be32(NFTA_LOOKUP_FLAGS, flags);
    return expression("lookup", data);
}

/// What the map has for the key goes to the first words; a packet that it has nothing for goes on
/// with the next rule.
Part map_by(const char* map) {
    NetlinkAttributes data;
    data.put_text(NFTA_LOOKUP_SET, map);
    data.put_be32(NFTA_LOOKUP_SREG, word(0));
    data.put_be32(NFTA_LOOKUP_DREG, word(0));
    return expression("lookup", data);
}

Part verdict(int code, const char* chain = nullptr) {
    NetlinkAttributes what;
    what.put_be32(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code));
    if (chain != nullptr)
        what.put_text(NFTA_VERDICT_CHAIN, chain);
    NetlinkAttributes content;
    content.nest(NFTA_DATA_VERDICT, what);
    NetlinkAttributes data;
    data.put_be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    data.nest(NFTA_IMMEDIATE_DATA, content);
    return expression("immediate", data);
}

/// To the address in the first words and the port after it.
Part lead_to(std::uint32_t family, std::uint32_t words) {
    NetlinkAttributes data;
    data.put_be32(NFTA_NAT_TYPE, NFT_NAT_DNAT);
    data.put_be32(NFTA_NAT_FAMILY, family);
    data.put_be32(NFTA_NAT_REG_ADDR_MIN, word(0));
    data.put_be32(NFTA_NAT_REG_PROTO_MIN, word(words));
    return expression("nat", data);
}

template <class... Parts>
Part all(const Parts&... parts) {
    Part together;
    (together.append(parts), ...);
    return together;
}

/// To this port of the same address; it passes through the first word.
Part lead_to_port(std::uint16_t port) {
    NetlinkAttributes number;
    number.put_be32(NFTA_IMMEDIATE_DREG, word(0));
    number.nest(NFTA_IMMEDIATE_DATA, value(bytes<std::uint16_t>(__builtin_bswap16(port))));
    NetlinkAttributes data;
    data.put_be32(NFTA_NAT_TYPE, NFT_NAT_DNAT);
    data.put_be32(NFTA_NAT_FAMILY, NFPROTO_INET);
    data.put_be32(NFTA_NAT_REG_PROTO_MIN, word(0));
    return all(expression("immediate", number), expression("nat", data));
}

Part accept() {
    return verdict(NF_ACCEPT);
}

Part drop() {
    return verdict(NF_DROP);
}

Part leave() {
    return verdict(NFT_RETURN);
}

Part masquerade() {
    return expression("masq", {});
}

Part is_ip4() {
    return all(load_meta(NFT_META_NFPROTO, word(0)),
               compare(NFT_CMP_EQ, bytes<std::uint8_t>(NFPROTO_IPV4)));
}

Part is_ip6() {
    return all(load_meta(NFT_META_NFPROTO, word(0)),
               compare(NFT_CMP_EQ, bytes<std::uint8_t>(NFPROTO_IPV6)));
}

// The fields of the headers (RFC 791, RFC 8200).
Part load_source4(std::uint32_t length = 4) {
    return load_payload(NFT_PAYLOAD_NETWORK_HEADER, 12, length, word(0));
}

Part load_target4(std::uint32_t to = word(0), std::uint32_t length = 4) {
    return load_payload(NFT_PAYLOAD_NETWORK_HEADER, 16, length, to);
}

Part load_source6() {
    return load_payload(NFT_PAYLOAD_NETWORK_HEADER, 8, 16, word(0));
}

Part load_target6(std::uint32_t to = word(0), std::uint32_t length = 16) {
    return load_payload(NFT_PAYLOAD_NETWORK_HEADER, 24, length, to);
}

/// The transport protocol and the port that a packet goes to, from this word on.
Part load_service(std::uint32_t number) {
    return all(load_meta(NFT_META_L4PROTO, word(number)),
               load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, word(number + 1)));
}

Part is_of_protocol(std::uint8_t protocol) {
    return all(load_meta(NFT_META_L4PROTO, word(0)), compare(NFT_CMP_EQ, bytes(protocol)));
}

Part is_question_to_names() {
    constexpr std::uint16_t domain = __builtin_bswap16(53);
    return all(load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, word(0)),
               compare(NFT_CMP_EQ, bytes(domain)));
}

Part comes_by(const char* set) {
    return all(load_meta(NFT_META_IIFNAME, word(0)), look_up(set));
}

Part leaves_by(const char* set) {
    return all(load_meta(NFT_META_OIFNAME, word(0)), look_up(set));
}

Part leaves_elsewhere_than(const char* set) {
    return all(load_meta(NFT_META_OIFNAME, word(0)), look_up(set, NFT_LOOKUP_F_INV));
}

Part comes_from_elsewhere() {
    std::string loopback = "lo";
    loopback.resize(IFNAMSIZ);
    return all(load_meta(NFT_META_IIFNAME, word(0)), compare(NFT_CMP_NEQ, loopback));
}

Part goes_to_loopback6() {
    std::string loopback(15, '\0');
    loopback += '\1';
    return all(is_ip6(), load_target6(), compare(NFT_CMP_EQ, loopback));
}

Part goes_to_this_machine() {
    NetlinkAttributes data;
    data.put_be32(NFTA_FIB_DREG, word(0));
    data.put_be32(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
    data.put_be32(NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
    return all(expression("fib", data), compare(NFT_CMP_EQ, bytes<std::uint32_t>(RTN_LOCAL)));
}

Part has_any(nft_ct_keys key, std::uint32_t bits) {
    return all(
        load_connection(key), mask(bytes(bits)), compare(NFT_CMP_NEQ, bytes<std::uint32_t>(0)));
}

Part was_led_here() {
    return has_any(NFT_CT_STATUS, IPS_DST_NAT);
}

/// As the connection's state is kept in a register (NF_CT_STATE_BIT).
Part is_in_state(std::uint32_t states) {
    return has_any(NFT_CT_STATE, states);
}

/// Makes 127.0.0.0/8, which route_localnet has made routable, this machine's alone again
/// (CVE-2020-8558; ports published on 127.0.0.1 were reached by neighbours: moby#45610).
sys::NftChain raw_pre() {
    const std::string first_byte_of_loopback(1, 127);
    return {"raw_pre",
            "filter",
            NF_INET_PRE_ROUTING,
            NF_IP_PRI_RAW,
            {all(comes_from_elsewhere(),
                 is_ip4(),
                 load_target4(word(0), 1),
                 compare(NFT_CMP_EQ, first_byte_of_loopback),
                 drop()),
             all(comes_from_elsewhere(), goes_to_loopback6(), drop())}};
}

/// A miss in a map falls through. Questions to a gateway's port 53 are the name service's, also
/// where a container publishes 53 on every address, or a server of the host has it. ::1 has no
/// route_localnet: what is sent there is left to the shim, which listens on it (shim/forward.h).
sys::NftChain pubmap() {
    sys::NftChain chain{.name = "pubmap"};
    for (const std::uint8_t protocol : {IPPROTO_TCP, IPPROTO_UDP}) {
        const Part question =
            all(is_of_protocol(protocol), is_question_to_names(), lead_to_port(name_service_port));
        chain.rules.push_back(all(is_ip4(), load_target4(), look_up("nets4"), question));
        chain.rules.push_back(all(is_ip6(), load_target6(), look_up("nets6"), question));
    }
    const Part to4 = lead_to(NFPROTO_IPV4, words4);
    const Part to6 = lead_to(NFPROTO_IPV6, words6);
    chain.rules.push_back(all(is_ip4(), load_target4(), load_service(words4), map_by("pub4"), to4));
    chain.rules.push_back(all(is_ip4(), load_service(0), map_by("pub4_any"), to4));
    chain.rules.push_back(all(goes_to_loopback6(), leave()));
    chain.rules.push_back(all(is_ip6(), load_target6(), load_service(words6), map_by("pub6"), to6));
    chain.rules.push_back(all(is_ip6(), load_service(0), map_by("pub6_any"), to6));
    return chain;
}

sys::NftChain published(const char* name, std::uint32_t hook) {
    return {name,
            "nat",
            hook,
            NF_IP_PRI_NAT_DST,
            {all(goes_to_this_machine(), verdict(NFT_JUMP, "pubmap"))}};
}

/// 127.0.0.1 cannot leave the machine, so it becomes the bridge's address; a container that reaches
/// a neighbour (or itself) by a published port must see the answer come back through us. On bridged
/// traffic the interface is unset here, hence addresses.
sys::NftChain nat_post() {
    const std::string first_byte_of_loopback(1, 127);
    const std::string first_byte_of_multicast6(1, '\xff');
    const std::string multicast4{'\xe0', 0, 0, 0};
    const std::string multicast4_bits{'\xf0', 0, 0, 0};
    return {"nat_post",
            "nat",
            NF_INET_POST_ROUTING,
            NF_IP_PRI_NAT_SRC,
            {all(is_ip4(),
                 load_source4(1),
                 compare(NFT_CMP_EQ, first_byte_of_loopback),
                 leaves_by("bridges"),
                 masquerade()),
             all(was_led_here(),
                 is_ip4(),
                 load_source4(),
                 load_target4(word(words4)),
                 look_up("same_sub4"),
                 masquerade()),
             all(was_led_here(),
                 is_ip6(),
                 load_source6(),
                 load_target6(word(words6)),
                 look_up("same_sub6"),
                 masquerade()),
             all(is_ip4(),
                 load_source4(),
                 look_up("nets4"),
                 leaves_elsewhere_than("bridges"),
                 load_target4(),
                 mask(multicast4_bits),
                 compare(NFT_CMP_NEQ, multicast4),
                 masquerade()),
             all(is_ip6(),
                 load_source6(),
                 look_up("nets6"),
                 leaves_elsewhere_than("bridges"),
                 load_target6(word(0), 1),
                 compare(NFT_CMP_NEQ, first_byte_of_multicast6),
                 masquerade())}};
}

/// Networks are apart from each other, internal ones from everything, and nobody routes to a port
/// that is not published.
sys::NftChain forwarding() {
    constexpr std::uint32_t words_of_name = IFNAMSIZ / 4;
    constexpr std::uint32_t invalid = NF_CT_STATE_INVALID_BIT;
    constexpr std::uint32_t established = NF_CT_STATE_BIT(IP_CT_ESTABLISHED);
    constexpr std::uint32_t related = NF_CT_STATE_BIT(IP_CT_RELATED);
    return {"forwarding",
            "filter",
            NF_INET_FORWARD,
            NF_IP_PRI_FILTER,
            {all(is_in_state(established | related), accept()),
             all(is_in_state(invalid), drop()),
             all(load_meta(NFT_META_IIFNAME, word(0)),
                 load_meta(NFT_META_OIFNAME, word(words_of_name)),
                 look_up("same_net"),
                 accept()),
             all(leaves_by("internal"), drop()),
             all(comes_by("internal"), drop()),
             all(was_led_here(), leaves_by("bridges"), accept()),
             all(leaves_by("bridges"), drop()),
             all(comes_by("bridges"), accept())}};
}

/// The ports that a shim forwards arrive at the machine itself, where no rule of forwarding keeps
/// internal networks from them.
sys::NftChain arriving() {
    return {"arriving",
            "filter",
            NF_INET_LOCAL_IN,
            NF_IP_PRI_FILTER,
            {all(comes_by("internal"),
                 is_ip6(),
                 load_target6(),
                 load_service(words6),
                 look_up("fwd6"),
                 drop()),
             all(comes_by("internal"), is_ip6(), load_service(0), look_up("fwd6_any"), drop())}};
}

/// Of a frame that comes by a bridge's port: of what protocol it is, tags of a VLAN taken off.
Part is_frame_of(std::uint16_t type) {
    return all(load_meta(NFT_META_PROTOCOL, word(0)),
               compare(NFT_CMP_EQ, bytes<std::uint16_t>(__builtin_bswap16(type))));
}

/// A field of the frame that names its sender.
struct Claim {
    nft_payload_bases base;
    std::uint32_t offset;
    std::uint32_t length;
};

/// It names somebody that the set `taken` has on this bridge, whose ports are a group of links, and
/// does not come by a port of theirs, which `own` has.
Part is_anothers(const Claim& claim, const char* taken, const char* own) {
    constexpr std::uint32_t words_of_name = IFNAMSIZ / 4;
    const auto load = [&](std::uint32_t to) {
        return load_payload(claim.base, claim.offset, claim.length, to);
    };
    return all(load_meta(NFT_META_IIFGROUP, word(0)),
               load(word(1)),
               look_up(taken),
               load_meta(NFT_META_IIFNAME, word(0)),
               load(word(words_of_name)),
               look_up(own, NFT_LOOKUP_F_INV));
}

// What neighbours say to each other by ICMPv6 (RFC 4861).
constexpr std::uint8_t router_advertisement = 134;
constexpr std::uint8_t neighbour_solicitation = 135;
constexpr std::uint8_t neighbour_advertisement = 136;

Part is_icmp6(std::uint8_t type) {
    return all(is_frame_of(ETHERTYPE_IPV6),
               is_of_protocol(IPPROTO_ICMPV6),
               load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, word(0)),
               compare(NFT_CMP_EQ, bytes(type)));
}

/// A container may send from any address but those that a neighbour on this bridge, or the machine,
/// has: it may have a further one that nobody else has (keepalived), or bring what comes from
/// another bridge. Nor may it be found under a neighbour's (ARP, RFC 826; neighbour discovery,
/// RFC 4861), keep one from taking its own, or be the router of those who were given one. What has
/// two tags hides the rest from these rules.
sys::NftChain guard() {
    // linux/netfilter_bridge.h, which does not go with net/if.h.
    constexpr std::uint32_t pre_routing = 0;
    constexpr int filter_bridged = -200;
    const Claim frame{NFT_PAYLOAD_LL_HEADER, 6, 6};
    const Claim arp_mac{NFT_PAYLOAD_NETWORK_HEADER, 8, 6};
    const Claim arp_address{NFT_PAYLOAD_NETWORK_HEADER, 14, 4};
    const Claim source4{NFT_PAYLOAD_NETWORK_HEADER, 12, 4};
    const Claim source6{NFT_PAYLOAD_NETWORK_HEADER, 8, 16};
    const Claim neighbour{NFT_PAYLOAD_TRANSPORT_HEADER, 8, 16};
    const Part is_nobodys_port =
        all(load_meta(NFT_META_IIFNAME, word(0)), compare(NFT_CMP_NEQ, std::string(veth_prefix)));
    const Part is_from_nowhere = all(load_source6(), compare(NFT_CMP_EQ, std::string(16, '\0')));
    const Part is_anothers6 = is_anothers(neighbour, "taken6", "own6");
    return {"guard",
            "filter",
            pre_routing,
            filter_bridged,
            {all(is_nobodys_port, leave()),
             all(is_frame_of(ETHERTYPE_VLAN), drop()),
             all(is_frame_of(0x88a8), drop()),
             all(is_anothers(frame, "taken_mac", "own_mac"), drop()),
             all(is_frame_of(ETHERTYPE_ARP), is_anothers(arp_mac, "taken_mac", "own_mac"), drop()),
             all(is_frame_of(ETHERTYPE_ARP), is_anothers(arp_address, "taken4", "own4"), drop()),
             all(is_frame_of(ETHERTYPE_IP), is_anothers(source4, "taken4", "own4"), drop()),
             all(is_frame_of(ETHERTYPE_IPV6), is_anothers(source6, "taken6", "own6"), drop()),
             all(is_icmp6(router_advertisement), drop()),
             all(is_icmp6(neighbour_advertisement), is_anothers6, drop()),
             all(is_icmp6(neighbour_solicitation), is_from_nowhere, is_anothers6, drop())},
            sys::NftFamily::bridge};
}

}  // namespace

const std::vector<sys::NftChain>& table_chains() {
    static const std::vector<sys::NftChain> chains{raw_pre(),
                                                   pubmap(),
                                                   published("nat_pre", NF_INET_PRE_ROUTING),
                                                   published("nat_out", NF_INET_LOCAL_OUT),
                                                   nat_post(),
                                                   forwarding(),
                                                   arriving(),
                                                   guard()};
    return chains;
}

}  // namespace stack::network
