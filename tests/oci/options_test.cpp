#include "oci/options.h"

#include <stack/error.h>

#include <gtest/gtest.h>

namespace stack::oci {
namespace {

struct Taken {
    std::string bundle;
    Strings environment;
    bool force = false;
    std::uint32_t number = 0;
    Strings rest;
};

Taken take(const Strings& words, bool only_first) {
    Taken taken;
    taken.rest = take_options(words,
                              {{"bundle", 'b', "DIR", "", keep(taken.bundle)},
                               {"env", 'e', "NAME=VALUE", "", keep(taken.environment)},
                               {"force", 'f', "", "", keep(taken.force)},
                               {"number", 0, "N", "", keep(taken.number)}},
                              only_first);
    return taken;
}

TEST(OciOptions, AreTakenInAnyForm) {
    const auto taken = take(
        {"--bundle", "/b", "-e", "A=b=c", "id", "--env=B=", "-f", "--number=3", "-force"}, false);
    EXPECT_EQ(taken.bundle, "/b");
    EXPECT_EQ(taken.environment, (Strings{"A=b=c", "B="}));
    EXPECT_TRUE(taken.force);
    EXPECT_EQ(taken.number, 3U);
    EXPECT_EQ(taken.rest, Strings{"id"});
    EXPECT_FALSE(take({"--force=false"}, false).force);
}

TEST(OciOptions, OfACommandInsideAreItsOwn) {
    const auto taken = take({"-b", "/b", "id", "ls", "-f", "--", "x"}, true);
    EXPECT_EQ(taken.rest, (Strings{"id", "ls", "-f", "--", "x"}));
    EXPECT_FALSE(taken.force);
    EXPECT_EQ(take({"--", "-f"}, false).rest, Strings{"-f"});
}

TEST(OciOptions, AreRefusedWhereTheyAreNone) {
    EXPECT_THROW(static_cast<void>(take({"--boat"}, false)), Error);
    EXPECT_THROW(static_cast<void>(take({"--bundle"}, false)), Error);
    EXPECT_THROW(static_cast<void>(take({"--force=x"}, false)), Error);
    EXPECT_THROW(static_cast<void>(take({"--number", "x"}, false)), Error);
}

}  // namespace
}  // namespace stack::oci
