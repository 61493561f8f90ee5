// Networks as a whole: what is made, what is kept, and that nothing is left.

#include "engine/network/networks.h"

#include <stack/error.h>

#include "engine/network/layout.h"
#include "engine/network/record.h"
#include "sys/file.h"
#include "sys/netlink.h"
#include "sys/nft_batch.h"
#include "sys/process.h"
#include "tests/network/bed.h"

#include <functional>

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <unistd.h>

namespace stack::network {
namespace {

using test::Inside;
using test::Namespace;
using test::TemporaryRoot;

class NetworksTest : public testing::Test {
  protected:
    NetworksTest() : inside_(machine_) {}

    static std::string message(const std::function<void()>& action) {
        try {
            action();
        } catch (const Error& error) {
            return error.what();
        }
        return {};
    }

    static std::vector<std::string> link_names() {
        std::vector<std::string> names;
        for (const auto& link : sys::RouteSocket().links())
            names.push_back(link.name);
        return names;
    }

    /// As nft(8) lists it; "" where there is none.
    static std::string table() {
        try {
            return test::nft({"-j", "list", "table", "inet", "stack_0123abcd"});
        } catch (const Error&) {
            return {};
        }
    }

    TemporaryRoot root_;
    Namespace machine_;
    Inside inside_;
    Networks networks_{root_.paths()};
};

TEST_F(NetworksTest, ANetworkIsMadeOnceAndFoundAgain) {
    const auto made =
        networks_.ensure("shop", {.key = "default", .name = "shop_default"}, "digest");
    EXPECT_EQ(networks_.ensure("shop", {.key = "default", .name = "shop_default"}, "digest"), made);
    EXPECT_EQ(networks_.find("shop_default"), made);
    EXPECT_EQ(networks_.list(), std::vector{made});
    const auto link = sys::RouteSocket().find_link(made.bridge);
    ASSERT_TRUE(link);
    EXPECT_TRUE(link->up);
    EXPECT_EQ(link->alias, "stack:0123abcd:network:shop_default");
    EXPECT_EQ(link->group, made.group);
}

TEST_F(NetworksTest, IsCreatedByOneAlone) {
    const Network first{.name = "n", .ipam = {{.subnet = "10.5.0.0/24"}}};
    const auto made = networks_.create(first, "1");
    for (const char* subnet : {"10.5.0.0/24", "10.6.0.0/24"})
        EXPECT_EQ(
            message([&] { networks_.create({.name = "n", .ipam = {{.subnet = subnet}}}, "2"); }),
            "network with name n already exists");
    EXPECT_EQ(networks_.find("n"), made);
}

TEST_F(NetworksTest, RemovalLeavesNothing) {
    const auto links = link_names();
    const auto record =
        networks_.ensure("shop", {.name = "shop_default", .enable_ipv6 = true}, "1");
    networks_.ensure("shop", {.name = "shop_other"}, "1");
    const Namespace container;
    auto endpoint = networks_.attach("shop_default", "cafe01", "shop/web/1", {}, 0);
    test::plug(endpoint, container);
    networks_.publish(
        "cafe01", endpoint, {{"", 8080, 80, Protocol::tcp}, {"", 53, 53, Protocol::udp}});
    EXPECT_NE(message([&] { networks_.remove("shop_default"); }).find("in use by shop/web/1"),
              std::string::npos);
    networks_.release("cafe01");
    networks_.reconcile();
    networks_.remove("shop_default");
    networks_.remove("shop_default");
    networks_.remove("shop_other");
    EXPECT_EQ(link_names(), links);
    EXPECT_EQ(table(), "");
    EXPECT_EQ(sys::list_directory(root_.path() + "/networks"), std::vector<std::string>{"lock"});
    EXPECT_EQ(sys::list_directory(root_.path() + "/run/networks/ports"),
              std::vector<std::string>{});
}

TEST_F(NetworksTest, AReplicaGetsItsAddressAgain) {
    networks_.ensure("shop", {.name = "n", .ipam = {{.subnet = "10.5.0.0/24"}}}, "1");
    EXPECT_EQ(networks_.attach("n", "aa", "shop/web/1", {}, 0).address4, "10.5.0.2/24");
    EXPECT_EQ(networks_.attach("n", "bb", "shop/db/1", {}, 0).address4, "10.5.0.3/24");
    EXPECT_EQ(networks_.attach("n", "aa", "shop/web/1", {}, 0).address4, "10.5.0.2/24")
        << "same container";
    networks_.release("aa");
    EXPECT_EQ(networks_.attach("n", "cc", "shop/new/1", {}, 0).address4, "10.5.0.4/24");
    EXPECT_EQ(networks_.attach("n", "dd", "shop/web/1", {}, 0).address4, "10.5.0.2/24");
}

TEST_F(NetworksTest, AnEndpointSaysAllTheShimNeeds) {
    const auto record =
        networks_.ensure("shop", {.name = "n", .ipam = {{.subnet = "10.5.0.0/24"}}}, "1");
    const auto endpoint = networks_.attach("n", "aa", "shop/web/1", {}, 1);
    EXPECT_EQ(endpoint.name, "eth1");
    EXPECT_EQ(endpoint.mac, "02:42:0a:05:00:02");
    EXPECT_EQ(endpoint.gateway4, "10.5.0.1");
    EXPECT_EQ(endpoint.alias, "stack:0123abcd:shop/web/1");
    EXPECT_EQ(endpoint.bridge, record.bridge);
    EXPECT_NE(endpoint.bridge_index, 0U);
}

TEST_F(NetworksTest, AStaticAddressThatIsHeldNamesItsHolder) {
    networks_.ensure("shop", {.name = "n", .ipam = {{.subnet = "10.5.0.0/24"}}}, "1");
    networks_.attach("n", "aa", "shop/web/1", {.ipv4_address = "10.5.0.9"}, 0);
    EXPECT_EQ(
        message([&] { networks_.attach("n", "bb", "shop/db/1", {.ipv4_address = "10.5.0.9"}, 0); }),
        "address 10.5.0.9 in network n (10.5.0.0/24) is held by shop/web/1");
}

TEST_F(NetworksTest, APortHasOnePublisher) {
    networks_.ensure("shop", {.name = "n"}, "1");
    const auto web = networks_.attach("n", "aa", "shop/web/1", {}, 0);
    const auto other = networks_.attach("n", "bb", "shop/other/1", {}, 0);
    networks_.publish("aa", web, {{"", 8080, 80, Protocol::tcp}});
    networks_.publish("aa", web, {{"", 8080, 80, Protocol::tcp}});
    EXPECT_EQ(message([&] {
                  networks_.publish("bb", other, {{"", 8080, 80, Protocol::tcp}});
              }),
              "port tcp 8080 cannot be published by container bb: container aa has it");
    EXPECT_EQ(message([&] {
                  networks_.publish("Aa", other, {{"", 8080, 80, Protocol::tcp}}, [](auto& id) {
                      return "the one called " + id;
                  });
              }),
              "port tcp 8080 cannot be published by the one called Aa: the one called aa has it");
    networks_.publish("aa", web, {{"", 8081, 80, Protocol::tcp}});
    networks_.publish("bb", other, {{"", 8080, 80, Protocol::tcp}});
    EXPECT_NE(table().find("8081"), std::string::npos);
}

TEST_F(NetworksTest, AThousandPortsAreOneTransaction) {
    networks_.ensure("shop", {.name = "n"}, "1");
    const auto web = networks_.attach("n", "aa", "shop/web/1", {}, 0);
    std::vector<PublishedPort> ports;
    for (std::uint16_t port = 10000; port < 11000; ++port)
        ports.push_back({"", port, port, Protocol::tcp});
    networks_.publish("aa", web, ports);
    EXPECT_NE(table().find("10999"), std::string::npos);
    networks_.unpublish("aa");
    EXPECT_EQ(table().find("10999"), std::string::npos);
}

TEST_F(NetworksTest, ReconcilingRemovesWhatIsNobodys) {
    networks_.ensure("shop", {.name = "n"}, "1");
    sys::RouteSocket links;
    links.make_bridge(
        {.name = "stkstray", .alias = "stack:0123abcd:network:gone", .mac = "02:42:00:00:00:01"});
    links.make_bridge(
        {.name = "foreign", .alias = "stack:ffffffff:network:gone", .mac = "02:42:00:00:00:02"});
    const auto web = networks_.attach("n", "aa", "shop/web/1", {}, 0);
    networks_.publish("aa", web, {{"", 8080, 80, Protocol::tcp}});
    store_leases(root_.paths(), "n", {});
    networks_.reconcile();
    EXPECT_FALSE(links.find_link("stkstray"));
    EXPECT_TRUE(links.find_link("foreign"));
    EXPECT_EQ(table().find("8080"), std::string::npos);
}

TEST_F(NetworksTest, ReconcilingLeavesARulesetThatIsRightAlone) {
    networks_.ensure("shop", {.name = "n", .internal = true, .enable_ipv6 = true}, "1");
    const std::vector<PublishedPort> ports{{"", 8080, 80, Protocol::tcp},
                                           {"127.0.0.1", 53, 53, Protocol::udp}};
    sys::NetlinkSocket socket(NETLINK_NETFILTER);
    auto generation = sys::nft_generation(socket);
    const auto expect_changes = [&](unsigned count, const char* by) {
        EXPECT_EQ(sys::nft_generation(socket), generation += count) << by;
        networks_.reconcile();
        EXPECT_EQ(sys::nft_generation(socket), generation) << "reconciling after " << by;
    };
    const auto web = networks_.attach("n", "aa", "shop/web/1", {}, 0, {}, ports);
    expect_changes(1, "attaching and publishing");
    networks_.publish("aa", web, ports);
    expect_changes(0, "publishing what is published");
    networks_.release("aa");
    expect_changes(1, "releasing");
    networks_.attach("n", "bb", "shop/db/1", {}, 0);
    expect_changes(1, "attaching");
}

TEST_F(NetworksTest, ReconcilingPutsRulesRightThatAnotherHasReplaced) {
    networks_.ensure("shop", {.name = "n"}, "1");
    networks_.reconcile();
    std::string change = "flush chain inet stack_0123abcd forwarding";
    for (int i = 0; i < 8; ++i)  // as many as there were
        change += "; add rule inet stack_0123abcd forwarding accept";
    test::nft({change});
    EXPECT_EQ(table().find("@same_net"), std::string::npos);
    networks_.reconcile();
    EXPECT_NE(table().find("@same_net"), std::string::npos);
    sys::NetlinkSocket socket(NETLINK_NETFILTER);
    const auto settled = sys::nft_generation(socket);
    networks_.reconcile();
    EXPECT_EQ(sys::nft_generation(socket), settled);
}

TEST_F(NetworksTest, ABridgeOfSomebodyElseIsLeftAlone) {
    sys::RouteSocket().make_bridge({.name = "br0", .alias = "mine", .mac = "02:42:00:00:00:01"});
    const Network network{.name = "n", .driver_opts = {{"com.docker.network.bridge.name", "br0"}}};
    EXPECT_NE(
        message([&] { networks_.ensure("shop", network, "1"); }).find("belongs to somebody else"),
        std::string::npos);
}

TEST_F(NetworksTest, AChangedConfigurationReplacesAnUnusedNetwork) {
    networks_.ensure("shop", {.name = "n", .ipam = {{.subnet = "10.5.0.0/24"}}}, "1");
    EXPECT_EQ(
        networks_.ensure("shop", {.name = "n", .ipam = {{.subnet = "10.6.0.0/24"}}}, "2").gateway4,
        "10.6.0.1");
}

TEST_F(NetworksTest, AddressesComeBackAfterAReboot) {
    const auto record = networks_.ensure("shop", {.name = "n"}, "1");
    const Namespace rebooted;
    const Inside inside(rebooted);
    Networks after(root_.paths());
    const auto endpoint = after.attach("n", "aa", "shop/web/1", {}, 0);
    EXPECT_NE(endpoint.bridge_index, 0U);
    EXPECT_NE(table().find(record.subnet4.substr(0, record.subnet4.find('/'))), std::string::npos);
}

TEST_F(NetworksTest, AConflictNamesTheProcess) {
    const Namespace here;
    const Inside inside(here);
    test::Responder server(here, Protocol::tcp, "127.0.0.1", 8080, "server");
    test::Responder udp(here, Protocol::udp, "0.0.0.0", 5353, "server");
    const std::string self =
        sys::file_name(sys::own_program()) + " (pid " + std::to_string(::getpid()) + ")";
    EXPECT_EQ(conflicts({{"127.0.0.1", 8080, 80, Protocol::tcp}}),
              Strings{"127.0.0.1:8080/tcp is in use by " + self});
    EXPECT_EQ(conflicts({{"", 8080, 80, Protocol::tcp}}),
              Strings{"0.0.0.0:8080/tcp is in use by " + self});
    EXPECT_EQ(conflicts({{"127.0.0.1", 5353, 80, Protocol::udp}}),
              Strings{"127.0.0.1:5353/udp is in use by " + self});
    EXPECT_EQ(conflicts({{"", 8081, 80, Protocol::tcp}, {"127.0.0.2", 8080, 80, Protocol::tcp}}),
              Strings{});
    EXPECT_EQ(conflicts({{"192.0.2.77", 80, 80, Protocol::tcp}}),
              Strings{"192.0.2.77:80/tcp: 192.0.2.77 is not an address of this machine"});
    EXPECT_EQ(free_port("", Protocol::tcp, 8080, 8082), 8081);
    EXPECT_EQ(free_port("127.0.0.1", Protocol::udp, 5353, 5353), std::nullopt);
    EXPECT_TRUE(free_port("", Protocol::tcp, 0, 0));
    const std::vector<PublishedPort> taken{{"127.0.0.1", 8081, 80, Protocol::tcp},
                                           {"", 8082, 80, Protocol::udp}};
    EXPECT_EQ(free_port("", Protocol::tcp, 8080, 8082, taken), 8082);
    EXPECT_EQ(free_port("127.0.0.2", Protocol::tcp, 8081, 8081, taken), 8081);
}

}  // namespace
}  // namespace stack::network
