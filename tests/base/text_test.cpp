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

}  // namespace
}  // namespace stack
