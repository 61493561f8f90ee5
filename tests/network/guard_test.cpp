// Frames of a neighbour on the same bridge that passes itself off as somebody else (security.md
// 2J): with the right to send what it likes, a container is still nobody but itself.

#include "base/ip.h"
#include "engine/network/address_pool.h"
#include "sys/netlink.h"
#include "tests/network/raw_datagram.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

constexpr const char* everybody = "ff:ff:ff:ff:ff:ff";

struct Container {
    Namespace room;
    network::Endpoint end;

    [[nodiscard]] std::string ip4() const { return end.address4.substr(0, end.address4.find('/')); }

    [[nodiscard]] std::string ip6() const { return end.address6.substr(0, end.address6.find('/')); }

    [[nodiscard]] std::string link_local() const {
        return to_text(network::link_local_for(end.mac));
    }
};

std::string bytes(const std::string& mac, const std::string& address) {
    return *sys::parse_mac(mac) + std::string(bytes_of(*parse_ip(address)));
}

/// Three on one bridge, of whom `evil` sends what is not so.
class Guard : public testing::Test {
  protected:
    Guard() : inside_(machine_) {
        networks_.ensure("shop", {.key = "a", .name = "a", .enable_ipv6 = true}, "1");
        join("a", "aaaaaaaa01", web_);
        join("a", "aaaaaaaa02", db_);
        join("a", "aaaaaaaa03", evil_);
    }

    void join(const std::string& network,
              const std::string& id,
              Container& container,
              const NetworkAttachment& wanted = {}) {
        container.end = networks_.attach(network, id, "shop/" + id + "/1", wanted, 0);
        plug(container.end, container.room);
    }

    [[nodiscard]] network::NetworkRecord record() const { return *networks_.find("a"); }

    [[nodiscard]] std::string gateway_mac() const {
        return network::mac_for(*parse_ip(record().gateway4));
    }

    void send(const Container& from,
              const Container& to,
              const std::string& source,
              const std::string& mac) {
        send_raw(from.room,
                 from.end.name,
                 {.source_mac = mac,
                  .target_mac = to.end.mac,
                  .source = source,
                  .target = source.find(':') == std::string::npos ? to.ip4() : to.ip6(),
                  .target_port = 80,
                  .text = "spoof"});
    }

    /// Whether `web` hears that somebody's address is at a hardware address.
    bool is_told(const Container& from,
                 const std::string& address,
                 const std::string& mac,
                 int tags) {
        Wiretap ear(web_.room, web_.end.name);
        send_frame(
            from.room, from.end.name, arp_answer({from.end.mac, everybody, address, mac}, tags));
        return ear.hears(bytes(mac, address));
    }

    bool is_told6(const Container& from, const std::string& address, const std::string& source) {
        Wiretap ear(web_.room, web_.end.name);
        send_frame(from.room,
                   from.end.name,
                   neighbour_answer({from.end.mac, web_.end.mac, address, from.end.mac}, source));
        return ear.hears(std::string(bytes_of(*parse_ip(address))) + "\2\1");
    }

    TemporaryRoot root_;
    Namespace machine_;
    Inside inside_;
    Container web_;
    Container db_;
    Container evil_;
    network::Networks networks_{root_.paths()};
};

/// Else what follows would prove nothing.
TEST_F(Guard, LetsPassWhatIsSo) {
    UdpSocket server4(web_.room, web_.ip4(), 80);
    UdpSocket server6(web_.room, web_.ip6(), 80);
    send(evil_, web_, evil_.ip4(), evil_.end.mac);
    EXPECT_EQ(server4.receive(), "spoof");
    send(evil_, web_, evil_.ip6(), evil_.end.mac);
    EXPECT_EQ(server6.receive(), "spoof");
    EXPECT_TRUE(is_told(evil_, evil_.ip4(), evil_.end.mac, 0));
    EXPECT_TRUE(is_told(evil_, evil_.ip4(), evil_.end.mac, 1)) << "as of no VLAN";
    EXPECT_TRUE(is_told6(evil_, evil_.ip6(), evil_.ip6()));
    EXPECT_TRUE(is_told6(evil_, evil_.link_local(), evil_.link_local()));
}

TEST_F(Guard, NobodySendsFromTheAddressOfAnother) {
    UdpSocket server4(web_.room, web_.ip4(), 80);
    UdpSocket server6(web_.room, web_.ip6(), 80);
    for (const auto& source : {db_.ip4(), record().gateway4, db_.ip6(), record().gateway6})
        send(evil_, web_, source, evil_.end.mac);
    EXPECT_EQ(server4.overhear(), "");
    EXPECT_EQ(server6.overhear(), "");
}

/// A bridge sends to where it saw a sender last.
TEST_F(Guard, NobodyTakesWhatIsSentToTheHardwareAddressOfAnother) {
    UdpSocket server(web_.room, web_.ip4(), 80);
    Wiretap ear(evil_.room, evil_.end.name);
    send(web_, db_, web_.ip4(), web_.end.mac);  // the bridge learns where it is
    for (const auto& mac : {web_.end.mac, gateway_mac()})
        send(evil_, db_, evil_.ip4(), mac);
    send(db_, web_, db_.ip4(), db_.end.mac);
    EXPECT_EQ(server.receive(), "spoof");
    EXPECT_FALSE(ear.hears(*sys::parse_mac(web_.end.mac) + *sys::parse_mac(db_.end.mac)));
}

TEST_F(Guard, NobodyIsFoundUnderTheAddressOfAnother) {
    for (const auto& address : {record().gateway4, db_.ip4()})
        for (const int tags : {0, 1, 2})
            EXPECT_FALSE(is_told(evil_, address, evil_.end.mac, tags)) << address << " " << tags;
    EXPECT_FALSE(is_told(evil_, evil_.ip4(), db_.end.mac, 0))
        << "its traffic is not sent to others";
    EXPECT_FALSE(is_told(evil_, evil_.ip4(), evil_.end.mac, 2)) << "what hides behind two tags";
    const std::string gateway_itself = to_text(network::link_local_for(gateway_mac()));
    for (const auto& address : {record().gateway6, gateway_itself, db_.ip6(), db_.link_local()}) {
        EXPECT_FALSE(is_told6(evil_, address, evil_.ip6())) << address;
        EXPECT_FALSE(is_told6(evil_, address, address)) << address;
    }
}

TEST_F(Guard, NobodyIsTheRouterOfItsNeighbours) {
    constexpr char router_advertisement = '\x86';
    const std::string lifetime("\x40\0\x07\x08\0\0\0\0\0\0\0\0", 12);
    Wiretap ear(web_.room, web_.end.name);
    send_frame(evil_.room,
               evil_.end.name,
               icmp6_frame({evil_.end.mac, web_.end.mac, evil_.link_local(), "ff02::1", 0, ""},
                           router_advertisement,
                           lifetime));
    EXPECT_FALSE(ear.hears(lifetime));
}

/// An address is not taken where somebody says that he has it already (RFC 4862, 5.4).
TEST_F(Guard, NobodyKeepsAnotherFromTakingItsAddress) {
    constexpr char solicitation = '\x87';
    const auto claims = [&](const Container& from, const std::string& address) {
        Wiretap ear(web_.room, web_.end.name);
        // With a nonce (RFC 7527): whoever has the address asks in the same words.
        const std::string claim =
            std::string(4, '\0') + std::string(bytes_of(*parse_ip(address))) + "\x0e\1" + "forged";
        send_frame(
            from.room,
            from.end.name,
            icmp6_frame({from.end.mac, web_.end.mac, "::", "ff02::1", 0, ""}, solicitation, claim));
        return ear.hears(claim);
    };
    EXPECT_TRUE(claims(evil_, evil_.link_local()));
    EXPECT_FALSE(claims(evil_, db_.link_local()));
}

/// As keepalived moves one.
TEST_F(Guard, AFurtherAddressIsFreeUntilSomebodyIsGivenIt) {
    const auto subnet = *parse_prefix(record().subnet4);
    const std::string further = to_text(advance(first_address(subnet), 200));
    UdpSocket server(web_.room, web_.ip4(), 80);
    EXPECT_TRUE(is_told(evil_, further, evil_.end.mac, 0));
    send(evil_, web_, further, evil_.end.mac);
    EXPECT_EQ(server.receive(), "spoof");
    Container late;
    join("a", "aaaaaaaa04", late, {.ipv4_address = further});
    EXPECT_FALSE(is_told(evil_, further, evil_.end.mac, 0));
    EXPECT_TRUE(is_told(late, further, late.end.mac, 0));
    networks_.release("aaaaaaaa04");
    EXPECT_TRUE(is_told(evil_, further, evil_.end.mac, 0));
}

TEST_F(Guard, AHardwareAddressOfOnesOwnIsAnothersAsWell) {
    const std::string mac = "92:d0:c6:0a:29:33";
    Container special;
    join("a", "aaaaaaaa05", special, {.mac_address = mac});
    EXPECT_TRUE(is_told(special, special.ip4(), mac, 0));
    EXPECT_FALSE(is_told(evil_, evil_.ip4(), mac, 0));
}

/// Its routes decide by which way an answer goes; and it may be the router between its networks.
TEST_F(Guard, WhoIsInTwoNetworksBringsFromOneIntoTheOther) {
    networks_.ensure("shop", {.key = "b", .name = "b"}, "1");
    Container other;
    join("b", "bbbbbbbb01", other);
    Container second;
    second.end = networks_.attach("b", "aaaaaaaa03", "shop/evil/1", {}, 1);
    plug(second.end, second.room);
    UdpSocket server(other.room, other.ip4(), 80);
    send(second, other, evil_.ip4(), second.end.mac);
    EXPECT_EQ(server.receive(), "spoof") << "its own address of the other network";
    send(second, other, web_.ip4(), second.end.mac);
    EXPECT_EQ(server.receive(), "spoof") << "what comes from a neighbour there";
    send(second, other, other.ip4(), second.end.mac);
    EXPECT_EQ(server.overhear(), "") << "a neighbour here speaks for itself";
}

TEST_F(Guard, ComesBackWhereSomebodyTakesItAway) {
    networks_.reconcile();
    nft({"delete table bridge stack_0123abcd"});
    EXPECT_TRUE(is_told(evil_, db_.ip4(), evil_.end.mac, 0)) << "this is what it is for";
    networks_.reconcile();
    EXPECT_FALSE(is_told(evil_, db_.ip4(), evil_.end.mac, 0));
    EXPECT_TRUE(is_told(db_, db_.ip4(), db_.end.mac, 0));
}

}  // namespace
}  // namespace stack::test
