#include "dns/packet.h"

#include "tests/dns/message.h"

#include <gtest/gtest.h>

namespace stack::dns {
namespace {

using test::question;
using test::response_text;

TEST(DnsQuery, IsReadInAnyCase) {
    const auto query = parse_query(question("WeB.Example", {.type = type_aaaa}));
    ASSERT_TRUE(query);
    EXPECT_EQ(query->id, 0x1234);
    EXPECT_EQ(query->name, "web.example");
    EXPECT_EQ(query->type, type_aaaa);
    EXPECT_EQ(query->udp_size, 512U);
    EXPECT_FALSE(query->edns);
}

TEST(DnsQuery, TakesTheSizeOfEdnsWithinReason) {
    EXPECT_EQ(parse_query(question("a", {.edns_size = 1000}))->udp_size, 1000U);
    EXPECT_EQ(parse_query(question("a", {.edns_size = 1}))->udp_size, 512U);
    EXPECT_EQ(parse_query(question("a", {.edns_size = 65000}))->udp_size, 1232U);
}

TEST(DnsQuery, IsNoneOfTheMalformed) {
    const std::string good = question("web");
    for (std::size_t length = 0; length < good.size(); ++length)
        EXPECT_FALSE(parse_query(good.substr(0, length))) << length;
    std::string pointer = good;
    pointer[12] = '\xc0';
    EXPECT_FALSE(parse_query(pointer)) << "a pointer in a question";
    EXPECT_FALSE(parse_query(question("web", {.flags = 0x8000}))) << "a response";
    std::string two = good;
    two[5] = 2;
    EXPECT_FALSE(parse_query(two)) << "two questions";
    EXPECT_FALSE(parse_query(question(std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                                      std::string(63, 'c') + "." + std::string(63, 'd'))))
        << "a name of more than 255 bytes";
}

TEST(DnsQuery, EscapesWhatIsNoPartOfANameSoThatDotsStayDots) {
    EXPECT_EQ(parse_query(question(std::string("a\0b", 3)))->name, "a\\000b");
}

struct AnswerCase {
    std::uint16_t type;
    Answer answer;
    const char* expected;
};

TEST(DnsAnswer, HasTheRecordsOfTheAskedFamily) {
    const std::vector<IpAddress> both{*parse_ip("10.0.0.2"), *parse_ip("fd00::2")};
    const std::vector<AnswerCase> cases{
        {type_a, {.addresses = both}, "NOERROR aa A 10.0.0.2"},
        {type_aaaa, {.addresses = both}, "NOERROR aa AAAA fd00::2"},
        {type_any, {.addresses = both}, "NOERROR aa A 10.0.0.2 AAAA fd00::2"},
        {15, {.addresses = both}, "NOERROR aa"},
        {type_ptr, {.pointer = "shop-web-1"}, "NOERROR aa PTR shop-web-1"},
        {type_a, {.status = Status::name_error}, "NXDOMAIN aa"},
        {type_a, {.status = Status::server_failure}, "SERVFAIL aa"},
    };
    for (const auto& one : cases) {
        const std::string packet = question("web", {.type = one.type});
        EXPECT_EQ(response_text(compose_answer(packet, *parse_query(packet), one.answer, 512)),
                  one.expected);
    }
}

TEST(DnsAnswer, RepeatsTheQuestionAsItWasWritten) {
    const std::string packet = question("WeB");
    const std::string reply = compose_answer(packet, *parse_query(packet), {}, 512);
    EXPECT_EQ(reply.substr(12), packet.substr(12));
    EXPECT_EQ(reply.substr(0, 2), packet.substr(0, 2));
}

TEST(DnsAnswer, SaysWhatItLeftOut) {
    Answer answer;
    for (std::uint64_t i = 0; i < 100; ++i)
        answer.addresses.push_back(advance(*parse_ip("10.0.0.1"), i));
    const std::string packet = question("web", {.edns_size = 512});
    const std::string reply = compose_answer(packet, *parse_query(packet), answer, 512);
    EXPECT_LE(reply.size(), 512U);
    EXPECT_NE(response_text(reply).find(" tc "), std::string::npos);
    EXPECT_EQ(
        response_text(compose_answer(packet, *parse_query(packet), answer, 65535)).find(" tc "),
        std::string::npos);
}

TEST(DnsResponse, MustFitItsQuestion) {
    const std::string asked = question("web.example");
    EXPECT_TRUE(answers(test::upstream_response(asked, "192.0.2.1"), asked));
    EXPECT_FALSE(answers(test::upstream_response(question("bad.example"), "192.0.2.1"), asked));
    EXPECT_FALSE(
        answers(test::upstream_response(question("web.example", {.id = 7}), "192.0.2.1"), asked));
    EXPECT_FALSE(answers(
        test::upstream_response(question("web.example", {.type = 28}), "192.0.2.1"), asked));
    EXPECT_FALSE(answers(asked, asked));
}

TEST(DnsReverseName, IsAnAddress) {
    EXPECT_EQ(parse_reverse_name("2.3.210.10.in-addr.arpa"), parse_ip("10.210.3.2"));
    EXPECT_EQ(parse_reverse_name(
                  "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"),
              parse_ip("fd00::2"));
    EXPECT_EQ(parse_reverse_name("3.210.10.in-addr.arpa"), std::nullopt);
    EXPECT_EQ(parse_reverse_name("2.0.d.f.ip6.arpa"), std::nullopt);
    EXPECT_EQ(parse_reverse_name("web"), std::nullopt);
}

}  // namespace
}  // namespace stack::dns
