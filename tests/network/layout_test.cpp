#include "engine/network/layout.h"

#include <stack/error.h>

#include <functional>

#include <gtest/gtest.h>

namespace stack::network {
namespace {

std::string message(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

StoredNetwork layout(const Network& network, const Surroundings& around = {}) {
    return layout_for("", "shop", network, "digest", around);
}

TEST(Layout, TakesWhatTheStackFileSays) {
    const auto stored = layout({.key = "back",
                                .name = "shop_back",
                                .driver_opts = {{"com.docker.network.driver.mtu", "1400"},
                                                {"com.docker.network.bridge.name", "br-shop"}},
                                .ipam = {{.subnet = "10.5.0.7/16",
                                          .gateway = "10.5.0.254",
                                          .ip_range = "10.5.8.0/24",
                                          .aux_addresses = {{"printer", "10.5.8.1"}}},
                                         {.subnet = "2001:db8:5::/64"}},
                                .internal = true,
                                .enable_ipv6 = true});
    const NetworkRecord& record = stored.record;
    EXPECT_EQ(record.subnet4, "10.5.0.0/16");
    EXPECT_EQ(record.gateway4, "10.5.0.254");
    EXPECT_EQ(record.subnet6, "2001:db8:5::/64");
    EXPECT_EQ(record.gateway6, "2001:db8:5::1");
    EXPECT_EQ(record.mtu, 1400);
    EXPECT_EQ(record.bridge, "br-shop");
    EXPECT_TRUE(record.internal);
    EXPECT_EQ(lease_for(stored, {}, "aa", "", {}).address4, "10.5.8.0");
    EXPECT_EQ(lease_for(stored, {{"10.5.8.0", "", "bb", ""}}, "aa", "", {}).address4, "10.5.8.2");
    EXPECT_EQ(lease_for(stored, {}, "aa", "", {.ipv4_address = "10.5.0.9"}).address4, "10.5.0.9");
}

TEST(Layout, FollowsTheUplinkWhereNothingIsSaid) {
    const auto record = layout({.name = "shop_default"}, {.uplink_mtu = 1420}).record;
    EXPECT_EQ(record.mtu, 1420);
    EXPECT_EQ(record.bridge.substr(0, 3), "stk");
    EXPECT_EQ(record.bridge.size(), 11U);
    EXPECT_EQ(record.subnet6, "");
    EXPECT_GE(record.group, 1U << 30U);
}

struct Refusal {
    Network network;
    const char* expected;
};

TEST(Layout, RefusesWhatCannotBe) {
    const Surroundings around{.routes = {*parse_prefix("10.7.0.0/24")},
                              .networks = {{.name = "other", .subnet4 = "10.6.0.0/24"}}};
    const std::vector<Refusal> cases{
        {{.name = "../x"}, "cannot be the name of a network"},
        {{.name = std::string(300, 'n')}, "it has 300 characters, and 200 are allowed"},
        {{.name = "n", .driver = "overlay"}, "driver overlay is not supported"},
        {{.name = "n", .ipam = {{.subnet = "10.5.0.0"}}}, "\"10.5.0.0\" is not a subnet"},
        {{.name = "n", .ipam = {{.gateway = "10.5.0.1"}}}, "needs a subnet"},
        {{.name = "n", .ipam = {{.subnet = "10.5.0.0/24", .gateway = "10.6.0.1"}}},
         "gateway 10.6.0.1 is not an"},
        {{.name = "n", .ipam = {{.subnet = "10.5.0.0/24", .ip_range = "10.5.1.0/24"}}},
         "ip_range 10.5.1.0/24"},
        {{.name = "n", .ipam = {{.subnet = "10.5.0.0/31"}}}, "no room for a gateway"},
        {{.name = "n", .ipam = {{.subnet = "10.6.0.0/16"}}},
         "overlaps with 10.6.0.0/24 of network other"},
        {{.name = "n", .ipam = {{.subnet = "10.7.0.0/24"}}}, "in use on this machine"},
        {{.name = "n", .ipam = {{.subnet = "10.8.0.0/24"}, {.subnet = "10.9.0.0/24"}}},
         "one subnet of a family"},
        {{.name = "n", .driver_opts = {{"com.docker.network.driver.mtu", "x"}}},
         "a number from 68"},
        {{.name = "n", .driver_opts = {{"com.docker.network.bridge.name", "much-too-long-a-name"}}},
         "1 to 15"},
        {{.name = "n", .driver_opts = {{"com.docker.network.bridge.enable_icc", "false"}}},
         "enable_icc=false is not supported: containers of one network reach each other"},
        {{.name = "n", .driver = "overlay"}, "there are bridge (the default), macvlan and ipvlan"},
        {{.name = "n", .driver = "macvlan"}, "needs an interface of the host: driver_opts"},
        {{.name = "n",
          .driver = "ipvlan",
          .driver_opts = {{"parent", "eth0"}, {"ipvlan_mode", "l4"}}},
         "ipvlan_mode is one of l2, l3, l3s, not \"l4\""},
        {{.name = "n", .driver = "macvlan", .driver_opts = {{"parent", "eth0"}}, .internal = true},
         "cannot be internal"},
    };
    for (const auto& one : cases) {
        const std::string text = message([&] { static_cast<void>(layout(one.network, around)); });
        EXPECT_NE(text.find(one.expected), std::string::npos) << text;
    }
}

TEST(Layout, OnAnInterfaceOfTheHostIsInTheSubnetOutside) {
    const Surroundings around{.routes = {*parse_prefix("10.9.0.0/24")}};
    const Network lan{.name = "lan",
                      .driver = "macvlan",
                      .driver_opts = {{"parent", "eth0"}, {"macvlan_mode", "vepa"}},
                      .ipam = {{.subnet = "10.9.0.0/24", .gateway = "10.9.0.254"}}};
    const auto stored = layout(lan, around);
    EXPECT_EQ(stored.record.bridge, "");
    EXPECT_EQ(stored.record.link(), "eth0");
    EXPECT_EQ(stored.record.mode, 2U);
    EXPECT_EQ(stored.record.mtu, 0);
    const Lease lease{"10.9.0.7", "", "aa", ""};
    EXPECT_EQ(endpoint_for("", stored.record, lease, {}, 0).gateway4, "10.9.0.254");

    auto routed = lan;
    routed.driver = "ipvlan";
    routed.driver_opts = {{"parent", "eth0"}, {"ipvlan_mode", "l3"}};
    const auto record = layout(routed, around).record;
    EXPECT_EQ(endpoint_for("", record, lease, {}, 0).gateway4, "0.0.0.0");
    EXPECT_EQ(endpoint_for("", record, lease, {}, 0).mac, "");
    EXPECT_NE(message([&] {
                  static_cast<void>(
                      endpoint_for("", record, lease, {.mac_address = "02:42:0a:00:00:02"}, 0));
              }).find("leave mac_address out"),
              std::string::npos);
}

TEST(Endpoint, IsWhatTheServiceWants) {
    const auto record = layout({.name = "n", .ipam = {{.subnet = "10.5.0.0/24"}}}).record;
    const Lease lease{"10.5.0.7", "", "aa", ""};
    const auto endpoint = endpoint_for("",
                                       record,
                                       lease,
                                       {.mac_address = "02:00:00:00:00:07",
                                        .interface_name = "lan",
                                        .link_local_ips = {"169.254.8.8", "fe80::8"}},
                                       2);
    EXPECT_EQ(endpoint.mac, "02:00:00:00:00:07");
    EXPECT_EQ(endpoint.name, "lan");
    EXPECT_EQ(endpoint.link_local, (Strings{"169.254.8.8/16", "fe80::8/64"}));
    EXPECT_EQ(endpoint_for("", record, lease, {}, 2).name, "eth2");
    const auto refusal = [&](const NetworkAttachment& wanted) {
        return message([&] { static_cast<void>(endpoint_for("", record, lease, wanted, 0)); });
    };
    for (const char* address : {"10.5.0.8", "fd00::8", "169.254.8.8/16", "x"})
        EXPECT_NE(refusal({.link_local_ips = {address}}).find("is not a link-local address"),
                  std::string::npos)
            << address;
    for (const char* name : {"much-too-long-a-name", "a/b", "a b", ".", "lo"})
        EXPECT_NE(refusal({.interface_name = name}).find("cannot be the name of a container's"),
                  std::string::npos)
            << name;
    EXPECT_NE(refusal({.mac_address = "02:42"}).find("is not a hardware address"),
              std::string::npos);
    EXPECT_NE(refusal({.mac_address = "03:00:00:00:00:07"}).find("is one of a group"),
              std::string::npos);
}

TEST(Lease, IsRefusedWhereTheBridgeIsFull) {
    const auto stored = layout({.name = "big", .ipam = {{.subnet = "10.5.0.0/16"}}});
    std::vector<Lease> leases;
    for (std::uint64_t i = 0; i < 1023; ++i)
        leases.push_back(
            {to_text(advance(*parse_ip("10.5.1.0"), i)), "", "c" + std::to_string(i), ""});
    EXPECT_EQ(message([&] { static_cast<void>(lease_for(stored, leases, "aa", "", {})); }),
              "network big has 1023 containers, and a bridge carries no more; spread the replicas "
              "over several "
              "networks");
}

TEST(Lease, IsOfNoAddressThatIsPromisedToAnother) {
    const auto stored = layout({.name = "n",
                                .ipam = {{.subnet = "10.5.0.0/29"}, {.subnet = "fd05::/64"}},
                                .enable_ipv6 = true});
    const Strings promised{"10.5.0.2", "10.5.0.4", "fd05::2", "nonsense"};
    const Lease first = lease_for(stored, {}, "aa", "shop/web/1", {}, promised);
    EXPECT_EQ(first.address4, "10.5.0.3");
    EXPECT_EQ(first.address6, "fd05::3");
    const Lease before{"10.5.0.4", "fd05::4", "", "shop/web/1"};
    const Lease again = lease_for(stored, {before}, "bb", "shop/web/1", {}, promised);
    EXPECT_EQ(again.address4, "10.5.0.3") << "not even the one that it had";
    EXPECT_EQ(again.address6, "fd05::4");
    EXPECT_EQ(lease_for(stored, {}, "cc", "", {.ipv4_address = "10.5.0.2"}, promised).address4,
              "10.5.0.2");
    const std::vector<Lease> others{
        {"10.5.0.3", "", "dd", ""}, {"10.5.0.5", "", "ee", ""}, {"10.5.0.6", "", "ff", ""}};
    EXPECT_EQ(
        message([&] { static_cast<void>(lease_for(stored, others, "gg", "", {}, promised)); }),
        "network n has no address left in 10.5.0.0/29; give it a larger subnet");
}

TEST(Lease, IsRefusedForAnAddressThatCannotBe) {
    const auto stored = layout({.name = "n", .ipam = {{.subnet = "10.5.0.0/24"}}});
    const auto refusal = [&](const NetworkAttachment& wanted) {
        return message([&] { static_cast<void>(lease_for(stored, {}, "aa", "", wanted)); });
    };
    EXPECT_EQ(refusal({.ipv4_address = "10.6.0.2"}),
              "\"10.6.0.2\" is not an address in network n (10.5.0.0/24)");
    EXPECT_EQ(refusal({.ipv4_address = "10.5.0.1"}),
              "address 10.5.0.1 is reserved in network n (10.5.0.0/24)");
    EXPECT_EQ(refusal({.ipv6_address = "fd00::5"}),
              "address fd00::5: network n has no such family");
}

}  // namespace
}  // namespace stack::network
