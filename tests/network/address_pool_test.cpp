#include "engine/network/address_pool.h"

#include <gtest/gtest.h>

namespace stack::network {
namespace {

std::vector<IpPrefix> prefixes(const std::vector<const char*>& texts) {
    std::vector<IpPrefix> list;
    for (const char* text : texts)
        list.push_back(*parse_prefix(text));
    return list;
}

std::vector<IpAddress> ips(const std::vector<const char*>& texts) {
    std::vector<IpAddress> list;
    for (const char* text : texts)
        list.push_back(*parse_ip(text));
    return list;
}

TEST(SubnetChoice, IsTheSameForTheSameName) {
    const auto first = choose_subnet4("shop_default", {});
    ASSERT_TRUE(first);
    EXPECT_EQ(first->length, 22);
    EXPECT_EQ(choose_subnet4("shop_default", {}), first);
    EXPECT_NE(choose_subnet4("blog_default", {}), first);
    EXPECT_NE(choose_subnet4("shop_default", {*first}), first);
}

struct RouteCase {
    std::vector<const char*> routes;
    std::vector<const char*> pools;  // one of which has the choice
};

TEST(SubnetChoice, KeepsClearOfTheRoutesOfTheHost) {
    const std::vector<RouteCase> cases{
        {{"10.0.0.0/8"}, {"172.16.0.0/12"}},
        {{"172.16.0.0/12", "10.0.0.0/9"}, {"10.128.0.0/9"}},
        {{"0.0.0.0/0", "10.0.0.0/8"}, {"172.16.0.0/12"}},
        {{"0.0.0.0/1", "128.0.0.0/1"}, {"10.0.0.0/8", "172.16.0.0/12"}},  // a VPN's two halves
        {{"8.0.0.0/7", "11.0.0.0/8", "172.0.0.0/12"}, {"10.0.0.0/8", "172.16.0.0/12"}},
        {{"10.0.0.0/8",
          "172.16.0.0/13",
          "172.24.0.0/14",
          "172.28.0.0/15",
          "172.30.0.0/16",
          "172.31.0.0/17",
          "172.31.128.0/18",
          "172.31.192.0/19",
          "172.31.224.0/20",
          "172.31.240.0/21",
          "172.31.248.0/22"},
         {"172.31.252.0/22"}},
    };
    for (const auto& one : cases) {
        const auto chosen = choose_subnet4("shop_default", prefixes(one.routes));
        ASSERT_TRUE(chosen);
        bool inside = false;
        for (const auto& pool : prefixes(one.pools))
            inside = inside || contains(pool, chosen->address);
        EXPECT_TRUE(inside) << to_text(*chosen);
        for (const auto& route : prefixes(one.routes))
            EXPECT_TRUE(route.length < 8 || !overlap(route, *chosen)) << to_text(route);
    }
    EXPECT_EQ(choose_subnet4("shop_default", prefixes({"10.0.0.0/8", "172.16.0.0/12"})),
              std::nullopt);
}

TEST(SubnetChoice, FindsThousandsOfNetworks) {
    std::vector<IpPrefix> taken;
    for (int i = 0; i < 500; ++i) {
        const auto subnet = choose_subnet4("network" + std::to_string(i), taken);
        ASSERT_TRUE(subnet);
        taken.push_back(*subnet);
    }
}

TEST(SubnetChoice, IsAUniqueLocalPrefixForIpv6) {
    const auto first = choose_subnet6("shop_default", {});
    EXPECT_TRUE(contains(*parse_prefix("fd00::/8"), first.address));
    EXPECT_EQ(first.length, 64);
    EXPECT_EQ(first.address, first_address(first));
    EXPECT_FALSE(overlap(choose_subnet6("shop_default", {first}), first));
}

TEST(AddressChoice, IsTheLowestThatNobodyHasOrHad) {
    const AddressRange range{
        *parse_prefix("10.5.0.0/29"), *parse_prefix("10.5.0.0/29"), ips({"10.5.0.1", "10.5.0.3"})};
    EXPECT_EQ(choose_address(range, {}, {}), parse_ip("10.5.0.2"));
    EXPECT_EQ(choose_address(range, ips({"10.5.0.2"}), ips({"10.5.0.4"})), parse_ip("10.5.0.5"));
    EXPECT_EQ(choose_address(range, ips({"10.5.0.2", "10.5.0.5"}), ips({"10.5.0.6", "10.5.0.4"})),
              parse_ip("10.5.0.6"))
        << "the one forgotten about longest";
    EXPECT_EQ(choose_address(range, ips({"10.5.0.2", "10.5.0.4", "10.5.0.5", "10.5.0.6"}), {}),
              std::nullopt);
}

TEST(AddressChoice, StaysInTheRange) {
    const AddressRange range{*parse_prefix("10.5.0.0/16"), *parse_prefix("10.5.7.252/30"), {}};
    EXPECT_EQ(choose_address(range, {}, {}), parse_ip("10.5.7.252"));
    const AddressRange v6{*parse_prefix("fd00::/64"), *parse_prefix("fd00::/64"), ips({"fd00::1"})};
    EXPECT_EQ(choose_address(v6, {}, {}), parse_ip("fd00::2"));
}

TEST(HardwareAddress, FollowsTheAddress) {
    EXPECT_EQ(mac_for(*parse_ip("10.210.3.2")), "02:42:0a:d2:03:02");
    EXPECT_EQ(mac_for(*parse_ip("fd00::1:2")), "02:43:00:01:00:02");
}

}  // namespace
}  // namespace stack::network
