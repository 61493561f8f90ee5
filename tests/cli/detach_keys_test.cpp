#include "cli/detach_keys.h"

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

TEST(DetachKeys, AreNamedByCharacterOrControl) {
    EXPECT_EQ(parse_keys("ctrl-p,ctrl-q"), "\x10\x11");
    EXPECT_EQ(parse_keys("ctrl-],d"),
              "\x1d"
              "d");
    EXPECT_EQ(parse_keys("ctrl-@"), std::string(1, '\0'));
    for (const auto* wrong : {"ctrl-", "ctrl-P", "ctrl-pq", "pq", "a,,b"})
        EXPECT_FALSE(parse_keys(wrong)) << wrong;
}

TEST(DetachKeys, PassWhatIsNotTheirs) {
    DetachKeys keys("\x10\x11");
    EXPECT_EQ(keys.pass("ls\r"), "ls\r");
    EXPECT_EQ(keys.pass("\x10"), "");
    EXPECT_EQ(keys.pass("x"), "\x10x");
    EXPECT_FALSE(keys.typed());
}

TEST(DetachKeys, EndTheInputAlsoKeyByKey) {
    DetachKeys keys("\x10\x11");
    EXPECT_EQ(keys.pass("a\x10"), "a");
    EXPECT_EQ(keys.pass("\x11never"), "");
    EXPECT_TRUE(keys.typed());
}

TEST(DetachKeys, BeginAgainWithinABeginning) {
    DetachKeys keys("aab");
    EXPECT_EQ(keys.pass("aaab"), "a");
    EXPECT_TRUE(keys.typed());
}

TEST(DetachKeys, MayBeNone) {
    DetachKeys keys("");
    EXPECT_EQ(keys.pass("\x10\x11"), "\x10\x11");
    EXPECT_FALSE(keys.typed());
}

}  // namespace
}  // namespace stack::cli
