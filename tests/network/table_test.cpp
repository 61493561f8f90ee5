// The table as the kernel has it, against the same in nft(8)'s own language.

#include "engine/network/table.h"

#include <stack/error.h>

#include "engine/network/kernel.h"
#include "tests/network/bed.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <nlohmann/json.hpp>

namespace stack::network {
namespace {

using Json = nlohmann::json;

// Two networks that touch each other, one of them internal; ports of every kind.
const std::vector<NetworkRecord> networks{
    {.name = "a", .bridge = "stka", .subnet4 = "10.1.0.0/24", .subnet6 = "fd01::/64"},
    {.name = "b", .bridge = "stkb", .subnet4 = "10.1.1.0/24", .internal = true},
};

constexpr const char* in_words = R"(
table inet stack {
  set bridges { type ifname; elements = { "stka", "stkb" } }
  set internal { type ifname; elements = { "stkb" } }
  set same_net { type ifname . ifname; elements = { "stka" . "stka", "stkb" . "stkb" } }
  set nets4 { type ipv4_addr; flags interval; elements = { 10.1.0.0/24, 10.1.1.0/24 } }
  set nets6 { type ipv6_addr; flags interval; elements = { fd01::/64 } }
  set same_sub4 {
    type ipv4_addr . ipv4_addr; flags interval
    elements = { 10.1.0.0/24 . 10.1.0.0/24, 10.1.1.0/24 . 10.1.1.0/24 }
  }
  set same_sub6 {
    type ipv6_addr . ipv6_addr; flags interval; elements = { fd01::/64 . fd01::/64 }
  }
  map pub4 {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
    elements = { 127.0.0.1 . tcp . 8080 : 10.1.0.2 . 80 }
  }
  map pub4_any {
    type inet_proto . inet_service : ipv4_addr . inet_service
    elements = { udp . 53 : 10.1.0.2 . 53, sctp . 99 : 10.1.0.2 . 9, tcp . 443 : 10.1.0.2 . 44 }
  }
  map pub6 {
    type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
    elements = { 2001:db8::1 . tcp . 8080 : fd01::2 . 80 }
  }
  map pub6_any {
    type inet_proto . inet_service : ipv6_addr . inet_service
    elements = { tcp . 443 : fd01::2 . 44 }
  }
  set fwd6 {
    type ipv6_addr . inet_proto . inet_service; elements = { ::1 . tcp . 81 }
  }
  set fwd6_any { type inet_proto . inet_service; elements = { tcp . 82 } }
  chain raw_pre {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    iifname != "lo" ip6 daddr ::1 drop
  }
  chain pubmap {
    ip daddr @nets4 tcp dport 53 dnat to :15353
    ip6 daddr @nets6 tcp dport 53 dnat to :15353
    ip daddr @nets4 udp dport 53 dnat to :15353
    ip6 daddr @nets6 udp dport 53 dnat to :15353
    meta nfproto ipv4 dnat ip addr . port to ip daddr . meta l4proto . th dport map @pub4
    meta nfproto ipv4 dnat ip addr . port to meta l4proto . th dport map @pub4_any
    ip6 daddr ::1 return
    meta nfproto ipv6 dnat ip6 addr . port to ip6 daddr . meta l4proto . th dport map @pub6
    meta nfproto ipv6 dnat ip6 addr . port to meta l4proto . th dport map @pub6_any
  }
  chain nat_pre {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump pubmap
  }
  chain nat_out {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump pubmap
  }
  chain nat_post {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 127.0.0.0/8 oifname @bridges masquerade
    ct status dnat ip saddr . ip daddr @same_sub4 masquerade
    ct status dnat ip6 saddr . ip6 daddr @same_sub6 masquerade
    ip saddr @nets4 oifname != @bridges ip daddr != 224.0.0.0/4 masquerade
    ip6 saddr @nets6 oifname != @bridges ip6 daddr != ff00::/8 masquerade
  }
  chain forwarding {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    ct state invalid drop
    iifname . oifname @same_net accept
    oifname @internal drop
    iifname @internal drop
    ct status dnat oifname @bridges accept
    oifname @bridges drop
    iifname @bridges accept
  }
  chain arriving {
    type filter hook input priority filter; policy accept;
    iifname @internal ip6 daddr . meta l4proto . th dport @fwd6 drop
    iifname @internal meta nfproto ipv6 meta l4proto . th dport @fwd6_any drop
  }
}
)";

// Less what nft 1.0.6 has no words for: of whom a neighbour speaks.
constexpr const char* guard_in_words = R"(
table bridge stack {
  set taken_mac {
    type devgroup . ether_addr
    elements = { 7 . 02:42:0a:01:00:02, 8 . 92:d0:c6:0a:29:33 }
  }
  set own_mac {
    type ifname . ether_addr
    elements = { "stv1" . 02:42:0a:01:00:02, "stv2" . 92:d0:c6:0a:29:33 }
  }
  set taken4 { type devgroup . ipv4_addr; elements = { 7 . 10.1.0.2, 8 . 10.1.1.2 } }
  set own4 {
    type ifname . ipv4_addr
    elements = { "stv1" . 10.1.0.2, "stv2" . 10.1.1.2 }
  }
  set taken6 {
    type devgroup . ipv6_addr
    elements = { 7 . fd01::2, 7 . fe80::42:aff:fe01:2, 8 . fe80::90d0:c6ff:fe0a:2933 }
  }
  set own6 {
    type ifname . ipv6_addr
    elements = { "stv1" . fd01::2, "stv1" . fe80::42:aff:fe01:2,
                 "stv2" . fe80::90d0:c6ff:fe0a:2933 }
  }
  chain guard {
    type filter hook prerouting priority filter; policy accept;
    iifname != "stv*" return
    meta protocol 8021q drop
    meta protocol 8021ad drop
    meta iifgroup . ether saddr @taken_mac iifname . ether saddr != @own_mac drop
    meta protocol arp meta iifgroup . arp saddr ether @taken_mac iifname . arp saddr ether != @own_mac drop
    meta protocol arp meta iifgroup . arp saddr ip @taken4 iifname . arp saddr ip != @own4 drop
    meta protocol ip meta iifgroup . ip saddr @taken4 iifname . ip saddr != @own4 drop
    meta protocol ip6 meta iifgroup . ip6 saddr @taken6 iifname . ip6 saddr != @own6 drop
    meta protocol ip6 meta l4proto ipv6-icmp icmpv6 type nd-router-advert drop
  }
}
)";

Elements all_elements() {
    Elements elements = elements_for(networks);
    add_elements(elements,
                 elements_for({{"127.0.0.1", 8080, 80, Protocol::tcp},
                               {"0.0.0.0", 53, 53, Protocol::udp},
                               {"0.0.0.0", 99, 9, Protocol::sctp},
                               {"", 443, 44, Protocol::tcp},
                               {"2001:db8::1", 8080, 80, Protocol::tcp}},
                              "10.1.0.2",
                              "fd01::2"));
    add_elements(
        elements,
        elements_for(std::vector<Wire>{{"a", 7, "stv1", "02:42:0a:01:00:02", "10.1.0.2", "fd01::2"},
                                       {"b", 8, "stv2", "92:d0:c6:0a:29:33", "10.1.1.2", ""}}));
    add_elements(elements, {{"fwd6", {"::1 . tcp . 81"}}, {"fwd6_any", {"tcp . 82"}}});
    return elements;
}

/// A listing without the numbers that every object gets anew; elements in no order.
Json listed(const std::string& family, const std::string& table) {
    Json list = Json::parse(test::nft({"-j", "list", "table", family, table}), nullptr, false);
    for (auto& entry : list["nftables"])
        for (auto& [kind, object] : entry.items()) {
            object.erase("handle");
            if (object.contains("elem"))
                std::sort(object["elem"].begin(), object["elem"].end());
        }
    return list;
}

class TableTest : public testing::Test {
  protected:
    TableTest() : inside_(machine_) {}

    void commit(sys::NftBatch batch) { EXPECT_EQ(batch.try_commit(filter_), ""); }

    [[nodiscard]] bool has(const Elements& elements) {
        return is_table_in_force(filter_, "stack", elements, sys::NftFamily::inet);
    }

    [[nodiscard]] bool guards(const Elements& elements) {
        return is_table_in_force(filter_, "stack", elements, sys::NftFamily::bridge);
    }

    test::Namespace machine_;
    test::Inside inside_;
    sys::NetlinkSocket filter_{NETLINK_NETFILTER};
};

TEST(Table, IsOneAnInstance) {
    EXPECT_EQ(table_name(""), "stack");
    EXPECT_EQ(table_name("0123abcd"), "stack_0123abcd");
}

TEST_F(TableTest, IsWhatNftMakesOfTheSameInWords) {
    commit(table_replacement("stack", all_elements()));
    const Json ours = listed("inet", "stack");
    EXPECT_TRUE(has(all_elements()));
    test::nft({"delete table inet stack; " + std::string(in_words)});
    EXPECT_FALSE(has(all_elements())) << "the same, but not ours";
    const Json theirs = listed("inet", "stack");
    ASSERT_EQ(ours["nftables"].size(), theirs["nftables"].size());
    for (std::size_t i = 0; i < theirs["nftables"].size(); ++i)
        EXPECT_EQ(ours["nftables"][i].dump(), theirs["nftables"][i].dump());
}

/// Whether nft shows a field by its place, not by its name.
bool is_beyond_words(const Json& entry) {
    return entry.contains("rule") && entry.dump().find("\"offset\"") != std::string::npos;
}

TEST_F(TableTest, OfBridgesIsWhatNftMakesOfTheSameInWords) {
    commit(table_replacement("stack", all_elements()));
    Json ours = Json::array();
    const Json listing_of_ours = listed("bridge", "stack");
    for (const auto& entry : listing_of_ours.at("nftables"))
        if (!is_beyond_words(entry))
            ours.push_back(entry);
    test::nft({"delete table bridge stack; " + std::string(guard_in_words)});
    const Json listing = listed("bridge", "stack");
    const Json& theirs = listing.at("nftables");
    ASSERT_EQ(ours.size(), theirs.size());
    for (std::size_t i = 0; i < theirs.size(); ++i)
        EXPECT_EQ(ours[i].dump(), theirs[i].dump());
}

TEST_F(TableTest, OfBridgesIsLeftOutWhereTheKernelHasNone) {
    commit(table_replacement("stack", all_elements(), false));
    EXPECT_TRUE(has(all_elements()));
    commit(table_edits("stack", all_elements(), elements_for(networks), false));
    EXPECT_TRUE(has(elements_for(networks)));
    EXPECT_FALSE(sys::list_nft_table(filter_, "stack", sys::NftFamily::bridge));
}

TEST_F(TableTest, IsReplacedAndRemovedWhateverWasThere) {
    commit(table_replacement("stack", {}));
    commit(table_replacement("stack", all_elements()));
    commit(table_replacement("stack", elements_for(networks)));
    EXPECT_TRUE(has(elements_for(networks)));
    commit(table_replacement("stack", {}));
    EXPECT_FALSE(sys::list_nft_table(filter_, "stack"));
    EXPECT_FALSE(sys::list_nft_table(filter_, "stack", sys::NftFamily::bridge));
}

TEST_F(TableTest, IsEditedByItsElements) {
    const Elements before = all_elements();
    Elements after = before;
    after["nets4"] = {"10.1.1.0/24", "10.1.2.0/24"};
    after["pub4_any"] = {"tcp . 443 : 10.1.0.9 . 44", "udp . 53 : 10.1.0.2 . 53"};
    after["same_sub4"].erase("10.1.0.0/24 . 10.1.0.0/24");
    after["own_mac"].erase("stv2 . 92:d0:c6:0a:29:33");
    commit(table_replacement("stack", before));
    commit(table_edits("stack", before, after));
    EXPECT_TRUE(has(after));
    EXPECT_FALSE(has(before));
    EXPECT_TRUE(guards(after));
    EXPECT_FALSE(guards(before));
    commit(table_edits("stack", after, before));
    EXPECT_TRUE(has(before));
    EXPECT_TRUE(table_edits("stack", {}, {}).empty());
    EXPECT_EQ(table_edits("stack", {}, {}).try_commit(filter_), "");
    EXPECT_THROW(static_cast<void>(table_edits("stack", {}, {{"pub4_any", {"icmp . 1 : x . 1"}}})),
                 Error);
}

Elements ports_up_to(int most) {
    std::vector<PublishedPort> ports;
    for (int port = 1; port <= most; ++port)
        ports.push_back({"", static_cast<std::uint16_t>(port), 80, Protocol::tcp});
    return elements_for(ports, "10.1.0.2", "fd01::2");
}

/// What a socket takes at once is no bound: neither of one change nor of the whole table.
TEST_F(TableTest, TakesAnyNumberOfPortsAtOnce) {
    for (const int count : {1, 600, 900, 1500, 3000, 10000}) {
        SCOPED_TRACE(count);
        const Elements elements = ports_up_to(count);
        commit(table_replacement("stack", elements_for(networks)));
        Elements all = elements_for(networks);
        add_elements(all, elements);
        commit(table_edits("stack", {}, elements));
        EXPECT_TRUE(has(all));
        commit(table_replacement("stack", all));
        EXPECT_TRUE(has(all));
        commit(table_edits("stack", elements, {}));
        EXPECT_TRUE(has(elements_for(networks)));
    }
}

TEST_F(TableTest, IsAskedAndAnsweredAfterAnyNumberOfRefusals) {
    commit(table_replacement("stack", elements_for(networks)));
    for (const int count : {1, 100, 5000}) {
        SCOPED_TRACE(count);
        EXPECT_NE(table_edits("other", {}, ports_up_to(count)).try_commit(filter_), "");
        EXPECT_TRUE(has(elements_for(networks)));
        commit(table_replacement("stack", elements_for(networks)));
    }
}

TEST_F(TableTest, IsNotEditedWhereItIsNotAsItWas) {
    commit(table_replacement("stack", elements_for(networks)));
    const Elements port{{"pub4_any", {"tcp . 443 : 10.1.0.2 . 44"}}};
    EXPECT_EQ(table_edits("stack", port, {}).try_commit(filter_), "No such file or directory");
    EXPECT_EQ(table_edits("other", {}, port).try_commit(filter_), "No such file or directory");
    const Elements elsewhere{{"pub4_any", {"tcp . 443 : 10.1.0.3 . 44"}}};
    commit(table_edits("stack", {}, port));
    EXPECT_NE(table_edits("stack", {}, elsewhere).try_commit(filter_), "");
    commit(table_edits("stack", port, elsewhere));
}

/// As many rules as there were are not the same rules.
TEST_F(TableTest, IsNotInForceWhereSomethingIsAnothers) {
    const Elements elements = elements_for(networks);
    const std::vector<std::string> changes{
        "flush chain inet stack arriving; add rule inet stack arriving accept; "
        "add rule inet stack arriving accept",
        "add chain inet stack forwarding { policy drop; }",
        "add table inet stack { flags dormant; }",
        "add rule inet stack arriving accept",
        "flush chain inet stack nat_pre; flush chain inet stack nat_out; "
        "add rule inet stack nat_pre fib daddr type local counter jump pubmap; "
        "add rule inet stack nat_out fib daddr type local counter jump pubmap",
        "add chain inet stack another"};
    for (const auto& change : changes) {
        SCOPED_TRACE(change);
        commit(table_replacement("stack", elements));
        EXPECT_TRUE(has(elements));
        test::nft({change});
        EXPECT_FALSE(has(elements));
    }
    commit(table_replacement("stack", elements));
    EXPECT_TRUE(has(elements));
}

TEST_F(TableTest, IsNotInForceWhereSomethingIsMissing) {
    commit(table_replacement("stack", elements_for(networks)));
    ASSERT_TRUE(has(elements_for(networks)));
    test::nft({"flush chain inet stack arriving"});
    EXPECT_FALSE(has(elements_for(networks)));
    commit(table_replacement("stack", elements_for(networks)));
    test::nft({"add element inet stack bridges { \"br0\" }"});
    EXPECT_FALSE(has(elements_for(networks)));
}

}  // namespace
}  // namespace stack::network
