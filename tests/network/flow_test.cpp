// Tracked flows when what they lead to changes hands: one socket that goes on sending, as clients
// of UDP do.

#include "engine/network/record.h"
#include "sys/netlink.h"
#include "tests/network/bed.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

using network::Endpoint;
using network::PublishedPort;

/// A machine with a network, and a neighbour on its uplink.
class Flows : public testing::Test {
  protected:
    Flows() : inside_(machine_) {
        connect_neighbour(neighbour_, "192.0.2.1/24", "192.0.2.9/24");
        networks_.ensure("shop", {.name = "n", .ipam = {{.subnet = "10.5.0.0/24"}}}, "1");
    }

    Endpoint join(const char* id, const char* key, const Namespace& container) {
        auto endpoint = networks_.attach("n", id, key, {}, 0);
        plug(endpoint, container);
        return endpoint;
    }

    TemporaryRoot root_;
    Namespace machine_;
    Inside inside_;
    Namespace neighbour_;
    Namespace first_;
    Namespace second_;
    network::Networks networks_{root_.paths()};
};

TEST_F(Flows, ToAPortLeadToItsNewContainer) {
    const std::vector<PublishedPort> port{{"", 8080, 80, Protocol::udp}};
    networks_.publish("aa", join("aa", "shop/web/1", first_), port);
    UdpSocket old_server(first_, "0.0.0.0", 80);
    UdpSocket client(neighbour_, "192.0.2.9", 5000);
    client.send("192.0.2.1", 8080, "one");
    EXPECT_EQ(old_server.receive(), "one");

    networks_.unpublish("aa");
    UdpSocket new_server(second_, "0.0.0.0", 80);
    networks_.publish("bb", join("bb", "shop/web/2", second_), port);
    client.send("192.0.2.1", 8080, "two");
    EXPECT_EQ(new_server.receive(), "two");
    EXPECT_EQ(old_server.overhear(), "");
    new_server.reply("three");
    EXPECT_EQ(client.receive(), "three");
}

/// A container has asked the neighbour; its address is then another's, who listens at its port.
class Inheritance : public Flows {
  protected:
    /// What arrives at the heir when the neighbour answers once more.
    std::string inherited() {
        plug(networks_.attach("n", "bb", "shop/heir/1", {.ipv4_address = "10.5.0.2"}, 0), second_);
        UdpSocket heir(second_, "0.0.0.0", 5000);
        server_.reply("late answer");
        return heir.overhear();
    }

    void ask_neighbour() {
        first_end_ = join("aa", "shop/web/1", first_);
        ASSERT_EQ(first_end_.address4, "10.5.0.2/24");
        UdpSocket asker(first_, "0.0.0.0", 5000);
        asker.send("192.0.2.9", 7000, "question");
        ASSERT_EQ(server_.receive(), "question");
        server_.reply("answer");
        ASSERT_EQ(asker.receive(), "answer");
    }

    Endpoint first_end_;
    UdpSocket server_{neighbour_, "192.0.2.9", 7000};
};

TEST_F(Inheritance, DoesNotIncludeTheFlowsOfWhoWasDisconnected) {
    ask_neighbour();
    networks_.detach("n", "aa");
    // What is remembered would have the next holder cleaned up after as well.
    network::store_leases(root_.paths(), "n", {});
    EXPECT_EQ(inherited(), "");
}

TEST_F(Inheritance, DoesNotIncludeTheFlowsOfWhoWasRemoved) {
    ask_neighbour();
    networks_.release("aa");
    sys::RouteSocket links;  // its interface goes with its namespace
    links.remove_link(links.find_link(first_end_.host_name)->index);
    EXPECT_EQ(inherited(), "");
}

TEST_F(Inheritance, DoesNotIncludeTheFlowsOfANetworkThatIsGone) {
    ask_neighbour();
    networks_.release("aa");
    networks_.remove("n");
    networks_.ensure("shop", {.name = "n", .ipam = {{.subnet = "10.5.0.0/24"}}}, "2");
    EXPECT_EQ(inherited(), "");
}

}  // namespace
}  // namespace stack::test
