#include "engine/network/elements.h"

#include <stack/error.h>

#include <gtest/gtest.h>

namespace stack::network {
namespace {

const std::vector<NetworkRecord> networks{
    {.name = "a", .bridge = "stka", .subnet4 = "10.1.0.0/24", .subnet6 = "fd01::/64"},
    {.name = "b", .bridge = "stkb", .subnet4 = "10.2.0.0/24", .internal = true},
};

TEST(Elements, KnowNetworks) {
    const Elements expected{
        {"bridges", {"stka", "stkb"}},
        {"internal", {"stkb"}},
        {"same_net", {"stka . stka", "stkb . stkb"}},
        {"nets4", {"10.1.0.0/24", "10.2.0.0/24"}},
        {"nets6", {"fd01::/64"}},
        {"same_sub4", {"10.1.0.0/24 . 10.1.0.0/24", "10.2.0.0/24 . 10.2.0.0/24"}},
        {"same_sub6", {"fd01::/64 . fd01::/64"}},
    };
    EXPECT_EQ(elements_for(networks), expected);
}

TEST(Elements, KnowWhoMaySendByWhichPort) {
    const Elements expected{
        {"own4", {"p1 . 10.1.0.2", "p2 . 10.2.0.2"}},
        {"own6", {"p1 . fd01::2", "p1 . fe80::42:aff:fe01:2", "p2 . fe80::90d0:c6ff:fe0a:2933"}},
        {"own_mac", {"p1 . 02:42:0a:01:00:02", "p2 . 92:d0:c6:0a:29:33"}},
        {"taken4", {"7 . 10.1.0.2", "8 . 10.2.0.2"}},
        {"taken6", {"7 . fd01::2", "7 . fe80::42:aff:fe01:2", "8 . fe80::90d0:c6ff:fe0a:2933"}},
        {"taken_mac", {"7 . 02:42:0a:01:00:02", "8 . 92:d0:c6:0a:29:33"}}};
    EXPECT_EQ(
        elements_for(std::vector<Wire>{{"a", 7, "p1", "02:42:0a:01:00:02", "10.1.0.2", "fd01::2"},
                                       {"b", 8, "p2", "92:d0:c6:0a:29:33", "10.2.0.2", ""}}),
        expected);
}

TEST(Elements, KnowThatAGatewayIsTheMachinesAlone) {
    const auto elements = elements_for(
        std::vector<NetworkRecord>{{.group = 7, .subnet4 = "10.1.0.0/24", .gateway4 = "10.1.0.1"}});
    EXPECT_EQ(elements.at("taken4"), std::set<std::string>{"7 . 10.1.0.1"});
    EXPECT_EQ(elements.at("taken_mac"), std::set<std::string>{"7 . 02:42:0a:01:00:01"});
    EXPECT_EQ(elements.at("taken6"), std::set<std::string>{"7 . fe80::42:aff:fe01:1"});
    EXPECT_EQ(elements.count("own4"), 0U);
}

struct PortCase {
    PublishedPort port;
    Elements expected;
};

TEST(Elements, KnowPorts) {
    const std::vector<PortCase> cases{
        {{"", 8080, 80, Protocol::tcp},
         {{"pub4_any", {"tcp . 8080 : 10.1.0.2 . 80"}},
          {"pub6_any", {"tcp . 8080 : fd01::2 . 80"}}}},
        {{"0.0.0.0", 53, 53, Protocol::udp}, {{"pub4_any", {"udp . 53 : 10.1.0.2 . 53"}}}},
        {{"::", 53, 53, Protocol::sctp}, {{"pub6_any", {"sctp . 53 : fd01::2 . 53"}}}},
        {{"127.0.0.1", 8080, 80, Protocol::tcp},
         {{"pub4", {"127.0.0.1 . tcp . 8080 : 10.1.0.2 . 80"}}}},
        {{"2001:DB8::1", 8080, 80, Protocol::tcp},
         {{"pub6", {"2001:db8::1 . tcp . 8080 : fd01::2 . 80"}}}},
    };
    for (const auto& one : cases)
        EXPECT_EQ(elements_for({one.port}, "10.1.0.2", "fd01::2"), one.expected)
            << one.port.host_ip;
    EXPECT_THROW(
        static_cast<void>(elements_for({{"127.0.0.1", 80, 80, Protocol::tcp}}, "", "fd01::2")),
        Error);
}

TEST(Elements, KnowWhatTheShimForwards) {
    const Elements expected{{"fwd6", {"::1 . tcp . 80"}},
                            {"fwd6_any", {"tcp . 8080"}},
                            {"pub4_any", {"tcp . 8080 : 10.1.0.2 . 80"}}};
    EXPECT_EQ(elements_for(
                  {{"::1", 80, 80, Protocol::tcp}, {"", 8080, 80, Protocol::tcp}}, "10.1.0.2", ""),
              expected);
}

}  // namespace
}  // namespace stack::network
