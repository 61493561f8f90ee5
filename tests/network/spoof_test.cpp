// Frames of senders who lie about who they are or where they send (security.md 2J): isolation goes
// by the interface that a packet comes by, and nothing that is written in the packet gets around
// it.

#include "base/text.h"
#include "engine/network/address_pool.h"
#include "sys/file.h"
#include "sys/netlink.h"
#include "tests/network/raw_datagram.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

constexpr const char* machine4 = "192.0.2.1";
constexpr const char* machine6 = "2001:db8::1";
constexpr const char* neighbour4 = "192.0.2.9";
constexpr const char* neighbour6 = "2001:db8::9";

/// A container, as its neighbours see it.
struct Container {
    Namespace room;
    network::Endpoint end;

    [[nodiscard]] std::string ip(bool v6) const {
        return split_once(v6 ? end.address6 : end.address4, '/').first;
    }
};

/// A machine with two networks and an internal one; in the first `web`, which listens and is
/// published, and its neighbour. Outside, somebody on the same wire.
class Spoof : public testing::TestWithParam<bool> {
  protected:
    Spoof() : inside_(machine_) {
        for (const char* family : {"iptables", "ip6tables"})
            sys::write_existing(std::string("/proc/sys/net/bridge/bridge-nf-call-") + family,
                                GetParam() ? "1" : "0");
        connect_neighbour(outsider_, "192.0.2.1/24", "192.0.2.9/24");
        uplink_ = uplink();
        add_address(uplink_, "2001:db8::1/64");
        {
            const Inside inside(outsider_);
            add_address("uplink", "2001:db8::9/64");
        }
        networks_.ensure("shop", {.key = "a", .name = "a", .enable_ipv6 = true}, "1");
        networks_.ensure("shop", {.key = "b", .name = "b", .enable_ipv6 = true}, "1");
        networks_.ensure(
            "shop", {.key = "c", .name = "c", .internal = true, .enable_ipv6 = true}, "1");
        join("a", "aaaaaaaa01", web_);
        join("a", "aaaaaaaa02", peer_);
        join("b", "bbbbbbbb01", other_);
        join("c", "cccccccc01", hidden_);
        networks_.publish("aaaaaaaa01",
                          web_.end,
                          {{"", 8080, 80, Protocol::udp}, {"127.0.0.1", 8081, 80, Protocol::udp}});
    }

    static std::string uplink() {
        for (const auto& link : sys::RouteSocket().links())
            if (link.kind == "veth" && link.bridge == 0)
                return link.name;
        return {};
    }

    void join(const std::string& network, const std::string& id, Container& container) {
        container.end = networks_.attach(network, id, "shop/" + id + "/1", {}, 0);
        plug(container.end, container.room);
    }

    /// The machine's end of a container's wire.
    [[nodiscard]] std::string bridge_mac(const Container& container) const {
        const auto record = networks_.find(container.end.network);
        return network::mac_for(*parse_ip(record->gateway4));
    }

    /// Sent by the machine's wire of a container, from whatever source.
    void send(const Container& from,
              const std::string& source,
              const std::string& target,
              std::uint16_t port,
              const std::string& mac = {}) {
        send_raw(from.room,
                 from.end.name,
                 {.source_mac = mac.empty() ? from.end.mac : mac,
                  .target_mac = bridge_mac(from),
                  .source = source,
                  .target = target,
                  .target_port = port,
                  .text = "spoof"});
    }

    void send_from_outside(const std::string& source,
                           const std::string& target,
                           std::uint16_t port) {
        send_raw(outsider_,
                 "uplink",
                 {.source_mac = hardware_address(outsider_, "uplink"),
                  .target_mac = hardware_address(machine_, uplink_),
                  .source = source,
                  .target = target,
                  .target_port = port,
                  .text = "spoof"});
    }

    TemporaryRoot root_;
    Namespace machine_;
    Inside inside_;
    Namespace outsider_;
    Container web_;
    Container peer_;
    Container other_;
    Container hidden_;
    std::string uplink_;
    network::Networks networks_{root_.paths()};
};

/// Else what follows would prove nothing: frames of this kind are taken where they are honest.
TEST_P(Spoof, HonestFramesArrive) {
    UdpSocket server4(web_.room, web_.ip(false), 80);
    UdpSocket server6(web_.room, web_.ip(true), 80);
    send_from_outside(neighbour4, machine4, 8080);
    EXPECT_EQ(server4.receive(), "spoof");
    send_from_outside(neighbour6, machine6, 8080);
    EXPECT_EQ(server6.receive(), "spoof");
    send(other_, other_.ip(false), machine4, 8080);
    EXPECT_EQ(server4.receive(), "spoof");
    send(other_, other_.ip(true), machine6, 8080);
    EXPECT_EQ(server6.receive(), "spoof");
}

TEST_P(Spoof, NothingFromAWireReachesLoopback) {
    UdpSocket server(web_.room, web_.ip(false), 80);
    UdpSocket own4(machine_, "127.0.0.1", 9000);
    UdpSocket own6(machine_, "::1", 9000);
    for (const auto* container : {&peer_, &other_, &hidden_}) {
        send(*container, container->ip(false), "127.0.0.1", 8081);
        send(*container, container->ip(false), "127.0.0.1", 9000);
        send(*container, container->ip(true), "::1", 9000);
    }
    send_from_outside(neighbour4, "127.0.0.1", 8081);
    send_from_outside(neighbour4, "127.0.0.1", 9000);
    send_from_outside(neighbour6, "::1", 9000);
    EXPECT_EQ(server.overhear(), "") << "published on 127.0.0.1";
    EXPECT_EQ(own4.overhear(), "") << "a server of the machine's";
    EXPECT_EQ(own6.overhear(), "");
}

/// Servers trust who comes from loopback.
TEST_P(Spoof, NothingFromAWireComesFromTheMachine) {
    UdpSocket server4(machine_, "0.0.0.0", 9001);
    UdpSocket server6(machine_, machine6, 9001);
    send(peer_, peer_.ip(false), machine4, 9001);
    EXPECT_EQ(server4.receive(), "spoof") << "by its own name";
    send_from_outside(neighbour6, machine6, 9001);
    EXPECT_EQ(server6.receive(), "spoof");
    for (const char* source : {"127.0.0.1", "127.0.0.5", machine4}) {
        send(peer_, source, machine4, 9001);
        send_from_outside(source, machine4, 9001);
        EXPECT_EQ(server4.overhear(), "") << source;
    }
    send(peer_, "::1", machine6, 9001);
    send_from_outside("::1", machine6, 9001);
    EXPECT_EQ(server6.overhear(), "");
}

TEST_P(Spoof, TheSourceOfAnotherOpensNoOtherNetwork) {
    UdpSocket server4(web_.room, web_.ip(false), 80);
    UdpSocket server6(web_.room, web_.ip(true), 80);
    for (const auto* container : {&other_, &hidden_})
        for (const auto& mac : {container->end.mac, peer_.end.mac}) {
            send(*container, peer_.ip(false), web_.ip(false), 80, mac);
            send(*container, peer_.ip(true), web_.ip(true), 80, mac);
        }
    EXPECT_EQ(server4.overhear(), "");
    EXPECT_EQ(server6.overhear(), "");
    send_raw(peer_.room,
             peer_.end.name,
             {.source_mac = peer_.end.mac,
              .target_mac = web_.end.mac,
              .source = peer_.ip(false),
              .target = web_.ip(false),
              .target_port = 80,
              .text = "neighbour"});
    EXPECT_EQ(server4.receive(), "neighbour") << "whose place nobody has taken";
}

TEST_P(Spoof, TheSourceOfAnotherOpensNoWayOutOfAnInternalNetwork) {
    UdpSocket outside4(outsider_, neighbour4, 7000);
    UdpSocket outside6(outsider_, neighbour6, 7000);
    send(web_, web_.ip(false), neighbour4, 7000);
    EXPECT_EQ(outside4.receive(), "spoof") << "from a network that has a way out";
    for (const auto* source : {&web_, &hidden_}) {
        send(hidden_, source->ip(false), neighbour4, 7000);
        send(hidden_, source->ip(true), neighbour6, 7000);
    }
    EXPECT_EQ(outside4.overhear(), "");
    EXPECT_EQ(outside6.overhear(), "");
}

TEST_P(Spoof, AnOutsiderReachesNoContainersOwnAddress) {
    UdpSocket server4(web_.room, web_.ip(false), 80);
    UdpSocket server6(web_.room, web_.ip(true), 80);
    UdpSocket inside4(hidden_.room, hidden_.ip(false), 80);
    for (const auto& source :
         {std::string(neighbour4), peer_.ip(false), std::string("198.51.100.7")}) {
        send_from_outside(source, web_.ip(false), 80);
        send_from_outside(source, hidden_.ip(false), 80);
    }
    for (const auto& source : {std::string(neighbour6), peer_.ip(true)})
        send_from_outside(source, web_.ip(true), 80);
    EXPECT_EQ(server4.overhear(), "");
    EXPECT_EQ(server6.overhear(), "");
    EXPECT_EQ(inside4.overhear(), "");
}

std::string hook_name(const testing::TestParamInfo<bool>& on) {
    return on.param ? "OnBridges" : "NotOnBridges";
}

INSTANTIATE_TEST_SUITE_P(Netfilter, Spoof, testing::Bool(), hook_name);

}  // namespace
}  // namespace stack::test
