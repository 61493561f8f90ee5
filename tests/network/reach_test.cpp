// Who reaches what: real bridges, rules and packets, between namespaces that the test makes.

#include "sys/file.h"
#include "sys/netlink.h"
#include "tests/network/bed.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

constexpr const char* machine_address = "192.0.2.1";
constexpr const char* machine_address6 = "2001:db8::1";

/// A machine with two networks (of one stack) and an internal one, two containers in the first, one
/// in the others, and a neighbour on its uplink that knows the way to the containers' subnets.
class Reach : public testing::TestWithParam<bool> {
  protected:
    Reach() : inside_(machine_) {
        sys::write_existing("/proc/sys/net/bridge/bridge-nf-call-iptables", GetParam() ? "1" : "0");
        sys::write_existing("/proc/sys/net/bridge/bridge-nf-call-ip6tables",
                            GetParam() ? "1" : "0");
        connect_neighbour(neighbour_, "192.0.2.1/24", "192.0.2.9/24");
        add_address6();
        first_ = networks_.ensure("shop", {.key = "a", .name = "shop_a", .enable_ipv6 = true}, "1");
        networks_.ensure("shop", {.key = "b", .name = "shop_b", .enable_ipv6 = true}, "1");
        networks_.ensure("shop", {.key = "c", .name = "shop_c", .internal = true}, "1");
        web_end_ = join("shop_a", "aaaaaaaa01", "shop/web/1", web_);
        peer_end_ = join("shop_a", "aaaaaaaa02", "shop/peer/1", peer_);
        other_end_ = join("shop_b", "bbbbbbbb01", "shop/other/1", other_);
        hidden_end_ = join("shop_c", "cccccccc01", "shop/hidden/1", hidden_);
        const Inside inside(neighbour_);
        add_route(first_.subnet4, machine_address);
        add_route(first_.subnet6, machine_address6);
    }

    void add_address6() {
        add_address(uplink(), "2001:db8::1/64");
        const Inside inside(neighbour_);
        add_address("uplink", "2001:db8::9/64");
    }

    static std::string uplink() {
        for (const auto& link : sys::RouteSocket().links()) {
            if (link.kind == "veth" && link.bridge == 0)
                return link.name;
        }
        return {};
    }

    network::Endpoint join(const char* name,
                           const char* id,
                           const char* key,
                           const Namespace& container) {
        auto endpoint = networks_.attach(name, id, key, {}, 0);
        plug(endpoint, container);
        return endpoint;
    }

    static std::string ip(const std::string& prefix) { return prefix.substr(0, prefix.find('/')); }

    std::string ask_web(const Namespace& from,
                        const std::string& address,
                        std::uint16_t port,
                        Protocol protocol) {
        const bool v6 = address.find(':') != std::string::npos;
        Responder web(web_, protocol, ip(v6 ? web_end_.address6 : web_end_.address4), 80, "web");
        return ask(from, protocol, address, port, web);
    }

    TemporaryRoot root_;
    Namespace machine_;
    Inside inside_;
    Namespace neighbour_;
    Namespace web_;
    Namespace peer_;
    Namespace other_;
    Namespace hidden_;
    network::Networks networks_{root_.paths()};
    network::NetworkRecord first_;
    network::Endpoint web_end_;
    network::Endpoint peer_end_;
    network::Endpoint other_end_;
    network::Endpoint hidden_end_;
};

TEST_P(Reach, APortPublishedEverywhereIsReachedFromEverywhere) {
    for (const Protocol protocol : {Protocol::tcp, Protocol::udp}) {
        networks_.publish("aaaaaaaa01", web_end_, {{"", 8080, 80, protocol}});
        EXPECT_EQ(ask_web(machine_, "127.0.0.1", 8080, protocol), "web");
        EXPECT_EQ(ask_web(machine_, machine_address, 8080, protocol), "web");
        EXPECT_EQ(ask_web(neighbour_, machine_address, 8080, protocol), "web");
        EXPECT_EQ(ask_web(peer_, machine_address, 8080, protocol), "web");
        EXPECT_EQ(ask_web(web_, machine_address, 8080, protocol), "web") << "hairpin";
        EXPECT_EQ(ask_web(other_, machine_address, 8080, protocol), "web");
        EXPECT_EQ(ask_web(peer_, first_.gateway4, 8080, protocol), "web");
        EXPECT_EQ(ask_web(hidden_, machine_address, 8080, protocol), "") << "internal network";
    }
}

TEST_P(Reach, APortPublishedEverywhereIsReachedByIpv6) {
    for (const Protocol protocol : {Protocol::tcp, Protocol::udp}) {
        networks_.publish("aaaaaaaa01", web_end_, {{"", 8080, 80, protocol}});
        EXPECT_EQ(ask_web(machine_, machine_address6, 8080, protocol), "web");
        EXPECT_EQ(ask_web(neighbour_, machine_address6, 8080, protocol), "web");
        EXPECT_EQ(ask_web(peer_, machine_address6, 8080, protocol), "web");
        EXPECT_EQ(ask_web(web_, machine_address6, 8080, protocol), "web") << "hairpin";
        EXPECT_EQ(ask_web(other_, machine_address6, 8080, protocol), "web");
        EXPECT_EQ(ask_web(machine_, "::1", 8080, protocol), "") << "the shim's part";
    }
}

TEST_P(Reach, APortPublishedOnLoopbackIsReachedFromTheMachineOnly) {
    networks_.publish("aaaaaaaa01", web_end_, {{"127.0.0.1", 8080, 80, Protocol::tcp}});
    EXPECT_EQ(ask_web(machine_, "127.0.0.1", 8080, Protocol::tcp), "web");
    EXPECT_EQ(ask_web(neighbour_, machine_address, 8080, Protocol::tcp), "");
    EXPECT_EQ(ask_web(peer_, machine_address, 8080, Protocol::tcp), "");
    {
        // A neighbour that sends 127.0.0.1 over the wire.
        const Inside inside(neighbour_);
        sys::write_existing("/proc/sys/net/ipv4/conf/all/route_localnet", "1");
        add_route("127.0.0.1/32", machine_address);
    }
    EXPECT_EQ(ask_web(neighbour_, "127.0.0.1", 8080, Protocol::tcp), "");
}

TEST_P(Reach, APortPublishedOnOneAddressIsReachedByThatAddressOnly) {
    networks_.publish("aaaaaaaa01", web_end_, {{machine_address, 8080, 80, Protocol::tcp}});
    EXPECT_EQ(ask_web(neighbour_, machine_address, 8080, Protocol::tcp), "web");
    EXPECT_EQ(ask_web(machine_, "127.0.0.1", 8080, Protocol::tcp), "");
}

TEST_P(Reach, AnUnpublishedPortIsReachedFromItsNetworkAndTheMachineOnly) {
    for (const auto& address : {ip(web_end_.address4), ip(web_end_.address6)}) {
        EXPECT_EQ(ask_web(machine_, address, 80, Protocol::tcp), "web");
        EXPECT_EQ(ask_web(peer_, address, 80, Protocol::tcp), "web");
        EXPECT_EQ(ask_web(other_, address, 80, Protocol::tcp), "") << "another network";
        EXPECT_EQ(ask_web(hidden_, address, 80, Protocol::tcp), "") << "an internal network";
        EXPECT_EQ(ask_web(neighbour_, address, 80, Protocol::tcp), "") << "routed by a neighbour";
    }
}

TEST_P(Reach, AnUnpublishedPortIsGone) {
    networks_.publish("aaaaaaaa01", web_end_, {{"", 8080, 80, Protocol::tcp}});
    networks_.unpublish("aaaaaaaa01");
    EXPECT_EQ(ask_web(neighbour_, machine_address, 8080, Protocol::tcp), "");
    EXPECT_EQ(ask_web(machine_, "127.0.0.1", 8080, Protocol::tcp), "");
}

TEST_P(Reach, ContainersReachOutButInternalOnesDoNot) {
    Responder neighbour(neighbour_, Protocol::tcp, "192.0.2.9", 7000, "neighbour");
    EXPECT_EQ(ask(web_, Protocol::tcp, "192.0.2.9", 7000, neighbour), "neighbour");
    EXPECT_EQ(ask(hidden_, Protocol::tcp, "192.0.2.9", 7000, neighbour), "");
    Responder neighbour6(neighbour_, Protocol::tcp, "2001:db8::9", 7000, "neighbour");
    EXPECT_EQ(ask(web_, Protocol::tcp, "2001:db8::9", 7000, neighbour6), "neighbour");
}

TEST_P(Reach, AFlushedRulesetIsRestored) {
    networks_.publish("aaaaaaaa01", web_end_, {{"", 8080, 80, Protocol::tcp}});
    networks_.reconcile();
    test::nft({"flush", "ruleset"});
    EXPECT_EQ(ask_web(neighbour_, machine_address, 8080, Protocol::tcp), "");
    networks_.reconcile();
    EXPECT_EQ(ask_web(neighbour_, machine_address, 8080, Protocol::tcp), "web");
    EXPECT_EQ(ask_web(other_, ip(web_end_.address4), 80, Protocol::tcp), "");
}

TEST_P(Reach, ADeletedBridgeIsRestoredWithItsPorts) {
    sys::RouteSocket links;
    links.remove_link(links.find_link(first_.bridge)->index);
    EXPECT_FALSE(links.find_link(first_.bridge));
    networks_.reconcile();
    EXPECT_EQ(ask_web(peer_, ip(web_end_.address4), 80, Protocol::tcp), "web");
    EXPECT_EQ(ask_web(machine_, ip(web_end_.address4), 80, Protocol::tcp), "web");
}

std::string hook_name(const testing::TestParamInfo<bool>& on) {
    return on.param ? "OnBridges" : "NotOnBridges";
}

INSTANTIATE_TEST_SUITE_P(Netfilter, Reach, testing::Bool(), hook_name);

}  // namespace
}  // namespace stack::test
