// Names for containers that nobody has named.

#include "cli/random_name.h"

#include <set>

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

TEST(RandomName, IsAnotherOneForEachOfManySeedsInARow) {
    std::set<std::string> names;
    constexpr std::uint32_t first = 4'000'000'000;
    for (std::uint32_t seed = first; seed < first + 2000; ++seed)
        names.insert(random_name(seed, [](const std::string&) { return false; }));
    EXPECT_EQ(names.size(), 2000U);
}

TEST(RandomName, OneThatIsTakenGetsTheNextFreeNumber) {
    const std::string name = random_name(7, [](const std::string&) { return false; });
    EXPECT_NE(name.find('_'), std::string::npos) << name;
    EXPECT_EQ(
        random_name(7, [&](const std::string& one) { return one == name || one == name + "2"; }),
        name + "3");
}

}  // namespace
}  // namespace stack::cli
