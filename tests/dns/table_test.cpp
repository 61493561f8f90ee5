#include "dns/table.h"

#include "tests/dns/message.h"

#include <gtest/gtest.h>

namespace stack::dns {
namespace {

constexpr const char* table_text =
    "listen 10.0.1.1\n"
    "askers 10.0.1.1 10.0.1.0/24\n"
    "called 10.0.1.1 Shop_Front\n"
    "listen 10.0.2.1 none\n"
    "called 10.0.2.1 shop_back\n"
    "called 10.9.9.9 lost\n"
    "called 10.0.3.1\n"
    "listen 10.0.3.1 192.0.2.53 2001:db8::53\n"
    "nonsense\n"
    "name 10.0.1.1 shop-Web-1 10.0.1.2 fd00::2\n"
    "name 10.0.1.1 web 10.0.1.2 fd00::2 10.0.1.3\n"
    "name 10.0.2.1 db 10.0.2.2\n"
    "name 10.9.9.9 lost 10.0.2.2\n"
    "also 10.0.1.1 10.0.1.2 Far 10.0.4.2\n"
    "also 10.0.1.1 10.0.1.9 web 10.0.4.3\n"
    "also 10.0.1.1 nonsense far 10.0.4.2\n"
    "refer 10.0.1.1 10.0.1.3\n"
    "beside 10.0.1.1 10.0.1.3 10.0.2.1 10.0.2.3\n"
    "beside 10.0.2.1 10.0.2.3 10.0.1.1 10.0.1.3\n"
    "beside 10.0.2.1 10.0.2.3 10.0.9.1 10.0.9.3\n"
    "beside 10.0.2.1 10.0.2.3 10.0.1.1\n"
    "also 10.0.1.1 10.0.1.3 nick 10.0.1.2\n"
    "upstream 10.0.3.1 10.0.3.2 9.9.9.9 10.0.1.1 149.112.112.112\n"
    "upstream 10.0.3.1\n";

/// The answer at a gateway, or `forwarded`.
std::string answer_at(const char* gateway,
                      const std::string& name,
                      std::uint16_t type = type_a,
                      const char* asker = "10.0.1.2") {
    const Table table = parse_table(table_text);
    const std::string packet = test::question(name, {.type = type});
    const auto query = parse_query(packet);
    const auto answer =
        find_answer(table, {*parse_ip(gateway), *parse_ip(asker)}, *query, {"corp.example"});
    return answer ? test::response_text(compose_answer(packet, *query, *answer, 512)) : "forwarded";
}

TEST(DnsTable, AnswersTheNamesOfItsNetwork) {
    EXPECT_EQ(answer_at("10.0.1.1", "web"), "NOERROR aa A 10.0.1.2 A 10.0.1.3");
    EXPECT_EQ(answer_at("10.0.1.1", "WEB"), "NOERROR aa A 10.0.1.2 A 10.0.1.3");
    EXPECT_EQ(answer_at("10.0.1.1", "web", type_aaaa), "NOERROR aa AAAA fd00::2");
    EXPECT_EQ(answer_at("10.0.1.1", "shop-web-1"), "NOERROR aa A 10.0.1.2");
}

TEST(DnsTable, KnowsANameWithItsNetworkBehindIt) {
    EXPECT_EQ(answer_at("10.0.1.1", "web.shop_front"), "NOERROR aa A 10.0.1.2 A 10.0.1.3");
    EXPECT_EQ(answer_at("10.0.1.1", "web.shop_front", type_aaaa), "NOERROR aa AAAA fd00::2");
    EXPECT_EQ(answer_at("10.0.1.1", "db.shop_back"), "forwarded") << "the asker is not in it";
    EXPECT_EQ(answer_at("10.0.1.1", "db.shop_back", type_a, "10.0.1.3"), "NOERROR aa A 10.0.2.2");
    EXPECT_EQ(answer_at("10.0.1.1", "web.shop_back", type_a, "10.0.1.3"), "REFUSED aa");
    EXPECT_EQ(answer_at("10.0.1.1", "nobody.shop_front"), "forwarded");
    EXPECT_EQ(answer_at("10.0.2.1", "nobody.shop_back", type_a, "10.0.2.2"), "NXDOMAIN aa");
}

TEST(DnsTable, HasAnEmptyAnswerForTheOtherFamily) {
    EXPECT_EQ(answer_at("10.0.2.1", "db", type_aaaa), "NOERROR aa");
    EXPECT_EQ(answer_at("10.0.2.1", "db", 15), "NOERROR aa");
}

TEST(DnsTable, ForwardsWhatItDoesNotKnowUnlessTheNetworkIsInternal) {
    EXPECT_EQ(answer_at("10.0.1.1", "example.org"), "forwarded");
    EXPECT_EQ(answer_at("10.0.2.1", "example.org"), "NXDOMAIN aa");
}

TEST(DnsTable, AnswersNobodyOfAnotherNetwork) {
    EXPECT_EQ(answer_at("10.0.1.1", "web", type_a, "10.0.2.2"), "REFUSED aa");
    EXPECT_EQ(answer_at("10.0.1.1", "example.org", type_a, "192.0.2.7"), "REFUSED aa");
    EXPECT_EQ(answer_at("10.0.2.1", "db", type_a, "192.0.2.7"), "NOERROR aa A 10.0.2.2");
}

TEST(DnsTable, SendsAnAskerWithOtherServersOn) {
    EXPECT_EQ(answer_at("10.0.1.1", "example.org", type_a, "10.0.1.3"), "REFUSED aa");
    EXPECT_EQ(answer_at("10.0.1.1", "web", type_a, "10.0.1.3"), "NOERROR aa A 10.0.1.2 A 10.0.1.3");
    EXPECT_EQ(answer_at("10.0.2.1", "web", type_a, "10.0.1.3"), "NXDOMAIN aa");
}

TEST(DnsTable, KnowsWhatOneAskerAloneMayKnowAboveWhatAllKnow) {
    EXPECT_EQ(answer_at("10.0.1.1", "far"), "NOERROR aa A 10.0.4.2");
    EXPECT_EQ(answer_at("10.0.1.1", "2.4.0.10.in-addr.arpa", type_ptr), "NOERROR aa PTR Far");
    EXPECT_EQ(answer_at("10.0.1.1", "web", type_a, "10.0.1.9"), "NOERROR aa A 10.0.4.3");
    EXPECT_EQ(answer_at("10.0.1.1", "far", type_a, "10.0.1.4"), "forwarded");
}

/// musl asks all servers at once: whichever answers first must know the names of all networks.
TEST(DnsTable, KnowsTheNamesOfAllNetworksOfItsAsker) {
    for (const auto& [gateway, asker] :
         {std::pair("10.0.1.1", "10.0.1.3"), std::pair("10.0.2.1", "10.0.2.3")}) {
        SCOPED_TRACE(gateway);
        EXPECT_EQ(answer_at(gateway, "db", type_a, asker), "NOERROR aa A 10.0.2.2");
        EXPECT_EQ(answer_at(gateway, "db", type_aaaa, asker), "NOERROR aa") << "no such family";
        EXPECT_EQ(answer_at(gateway, "shop-web-1", type_a, asker), "NOERROR aa A 10.0.1.2");
        EXPECT_EQ(answer_at(gateway, "nick", type_a, asker), "NOERROR aa A 10.0.1.2")
            << "what it alone knows";
        EXPECT_EQ(answer_at(gateway, "nick", type_aaaa, asker), "NOERROR aa");
        EXPECT_EQ(answer_at(gateway, "2.2.0.10.in-addr.arpa", type_ptr, asker),
                  "NOERROR aa PTR db");
    }
    EXPECT_EQ(answer_at("10.0.2.1", "web", type_a, "10.0.2.2"), "NXDOMAIN aa")
        << "who is on one network only";
}

TEST(DnsTable, KeepsTheNamesOfNetworksApart) {
    EXPECT_EQ(answer_at("10.0.1.1", "db"), "forwarded");
    EXPECT_EQ(answer_at("10.0.2.1", "web"), "NXDOMAIN aa");
}

TEST(DnsTable, OwnsItsNamesUnderTheSearchDomainsOfTheHost) {
    EXPECT_EQ(answer_at("10.0.1.1", "web.corp.example"), "NOERROR aa A 10.0.1.2 A 10.0.1.3");
    EXPECT_EQ(answer_at("10.0.1.1", "other.corp.example"), "forwarded");
}

TEST(DnsTable, LeadsAddressesBackToTheirFirstName) {
    EXPECT_EQ(answer_at("10.0.1.1", "2.1.0.10.in-addr.arpa", type_ptr),
              "NOERROR aa PTR shop-Web-1");
    EXPECT_EQ(answer_at("10.0.1.1", "2.2.0.10.in-addr.arpa", type_ptr), "forwarded")
        << "of another network";
}

TEST(DnsTable, KnowsWhomToAsk) {
    const Table table = parse_table(table_text);
    EXPECT_EQ(table.size(), 3U);
    EXPECT_TRUE(table.at(*parse_ip("10.0.1.1")).servers.empty());
    EXPECT_EQ(table.at(*parse_ip("10.0.3.1")).servers,
              (std::vector{*parse_ip("192.0.2.53"), *parse_ip("2001:db8::53")}));
}

TEST(DnsTable, AsksForAnAskerItsOwnServers) {
    const Table table = parse_table(table_text);
    const HostResolver host{{*parse_ip("192.0.2.1")}, {}};
    const auto asked = [&](const char* gateway, const char* asker) {
        return servers_for(table.at(*parse_ip(gateway)), *parse_ip(asker), host);
    };
    EXPECT_EQ(asked("10.0.3.1", "10.0.3.2"),
              (std::vector{*parse_ip("9.9.9.9"), *parse_ip("149.112.112.112")}));
    EXPECT_EQ(asked("10.0.3.1", "10.0.3.3").front(), *parse_ip("192.0.2.53"));
    EXPECT_EQ(asked("10.0.1.1", "10.0.1.2"), host.servers);
}

TEST(HostResolver, IsReadStrictly) {
    const auto resolver = parse_resolv_conf(
        "# nameserver 192.0.2.9\nnameserver 127.0.0.53\nnameserver\t2001:db8::1\nnameserver "
        "nonsense\n"
        "nameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch Old.example\nsearch corp.example. "
        "lan\noptions ndots:5\n");
    EXPECT_EQ(
        resolver.servers,
        (std::vector{*parse_ip("127.0.0.53"), *parse_ip("2001:db8::1"), *parse_ip("192.0.2.1")}));
    EXPECT_EQ(resolver.search, (std::vector<std::string>{"corp.example", "lan"}));
}

}  // namespace
}  // namespace stack::dns
