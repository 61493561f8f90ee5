#include "base/text.h"

#include <gtest/gtest.h>

namespace stack {
namespace {

TEST(SplitWords, FollowsTheShellsQuoting) {
    using Words = std::vector<std::string>;
    EXPECT_EQ(split_words("sh -c 'echo \"a b\"'"), (Words{"sh", "-c", "echo \"a b\""}));
    EXPECT_EQ(split_words(R"(a\ b "c d" "" e"f"g)"), (Words{"a b", "c d", "", "efg"}));
    EXPECT_EQ(split_words("  "), Words{});
}

TEST(Closest, FindsWhatWasMeantAndNothingElse) {
    const std::vector<std::string> keys{"image", "ports", "volumes", "environment"};
    EXPECT_EQ(closest("imgae", keys), "image");
    EXPECT_EQ(closest("prots", keys), "ports");
    EXPECT_EQ(closest("enviroment", keys), "environment");
    EXPECT_EQ(closest("banana", keys), "");
}

TEST(ParseNumber, TakesAllOfTheTextOrNothing) {
    EXPECT_EQ(parse_number<int>("42"), 42);
    EXPECT_EQ(parse_number<int>("-1"), -1);
    EXPECT_FALSE(parse_number<std::uint16_t>("65536"));
    EXPECT_FALSE(parse_number<int>("4x"));
    EXPECT_FALSE(parse_number<int>(""));
}

TEST(Text, FindsWhatIsNotUtf8) {
    for (const std::string good : {"", "a", "é", "€", "💡", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"})
        EXPECT_EQ(find_invalid_utf8("x" + good), std::string::npos) << good;
    for (const std::string bad : {"\xFF",
                                  "\xC3",
                                  "\xC3z",
                                  "\xC0\x80",
                                  "\xE0\x80\x80",
                                  "\xED\xA0\x80",
                                  "\xE2\x82",
                                  "\xF0\x8F\x80\x80",
                                  "\xF4\x90\x80\x80",
                                  "\x80"})
        EXPECT_EQ(find_invalid_utf8("é" + bad), 2U) << bad;
}

}  // namespace
}  // namespace stack
