#include "base/ip.h"

#include <gtest/gtest.h>

namespace stack {
namespace {

TEST(IpAddress, IsReadStrictlyAndPrintedCanonically) {
    EXPECT_EQ(to_text(*parse_ip("10.0.0.1")), "10.0.0.1");
    EXPECT_EQ(to_text(*parse_ip("2001:DB8:0::1")), "2001:db8::1");
    for (const char* text :
         {"", "10.0.0", "10.0.0.256", "010.0.0.1", " 10.0.0.1", "10.0.0.1 ", "fe80::1%eth0", "::g"})
        EXPECT_FALSE(parse_ip(text)) << text;
    EXPECT_FALSE(parse_ip(std::string_view("10.0.0.1\0", 9)));
}

TEST(IpPrefix, IsReadStrictly) {
    EXPECT_EQ(to_text(*parse_prefix("10.1.2.3/24")), "10.1.2.3/24");
    for (const char* text :
         {"10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "/24"})
        EXPECT_FALSE(parse_prefix(text)) << text;
}

TEST(IpPrefix, HasAFirstAndALastAddress) {
    const IpPrefix prefix = *parse_prefix("10.1.2.77/26");
    EXPECT_EQ(to_text(first_address(prefix)), "10.1.2.64");
    EXPECT_EQ(to_text(last_address(prefix)), "10.1.2.127");
    EXPECT_EQ(to_text(last_address(*parse_prefix("fd00::/64"))), "fd00::ffff:ffff:ffff:ffff");
    EXPECT_EQ(to_text(first_address(*parse_prefix("255.255.255.255/0"))), "0.0.0.0");
}

TEST(IpPrefix, OverlapsWhatItContainsAndWhatContainsIt) {
    const auto overlap_texts = [](const char* a, const char* b) {
        return overlap(*parse_prefix(a), *parse_prefix(b));
    };
    EXPECT_TRUE(overlap_texts("10.0.0.0/8", "10.200.0.0/24"));
    EXPECT_TRUE(overlap_texts("10.200.0.0/24", "10.0.0.0/8"));
    EXPECT_TRUE(overlap_texts("0.0.0.0/0", "10.0.0.0/8"));
    EXPECT_FALSE(overlap_texts("10.0.0.0/24", "10.0.1.0/24"));
    EXPECT_FALSE(overlap_texts("0.0.0.0/0", "::/0"));
}

TEST(IpAddress, AdvancesOverItsBytes) {
    EXPECT_EQ(to_text(advance(*parse_ip("10.0.0.255"), 1)), "10.0.1.0");
    EXPECT_EQ(to_text(advance(*parse_ip("10.0.0.0"), 65536 * 3 + 5)), "10.3.0.5");
    EXPECT_EQ(to_text(advance(*parse_ip("255.255.255.255"), 1)), "0.0.0.0");
    EXPECT_EQ(to_text(advance(*parse_ip("fd00::ffff"), 1)), "fd00::1:0");
}

}  // namespace
}  // namespace stack
