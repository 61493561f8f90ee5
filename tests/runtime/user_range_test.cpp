#include "engine/runtime/user_range.h"

#include <stack/error.h>

#include "shim/spec.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace stack::runtime {
namespace {

constexpr std::uint32_t number_of_ranges =
    (end_of_user_ranges - first_user_range) / shim::ids_of_users;

TEST(UserRanges, AreDisjointAndInsideTheirArea) {
    std::set<std::uint32_t> taken;
    for (std::uint32_t i = 0; i < number_of_ranges; ++i) {
        const std::uint32_t first = choose_user_range("container" + std::to_string(i), taken);
        EXPECT_GE(first, first_user_range);
        EXPECT_LE(first + shim::ids_of_users, end_of_user_ranges);
        EXPECT_EQ(first % shim::ids_of_users, 0U);
        EXPECT_TRUE(taken.insert(first).second) << first;
    }
    EXPECT_THROW(static_cast<void>(choose_user_range("another", taken)), Error);
    // Whoever is removed makes room.
    const std::uint32_t freed = *taken.begin();
    taken.erase(freed);
    EXPECT_EQ(choose_user_range("another", taken), freed);
}

TEST(UserRanges, AreTheSameAgainWhoeverElseCameMeanwhile) {
    const std::uint32_t first = choose_user_range("abc", {});
    EXPECT_EQ(choose_user_range("abc", {}), first);
    std::set<std::uint32_t> others;
    for (int i = 0; i < 100; ++i)
        if (const auto other = choose_user_range(std::to_string(i), others); other != first)
            others.insert(other);
    EXPECT_EQ(choose_user_range("abc", others), first);
}

TEST(UserRanges, OfDifferentContainersAreSeldomTheSame) {
    std::set<std::uint32_t> ranges;
    for (int i = 0; i < 50; ++i)
        ranges.insert(choose_user_range("container" + std::to_string(i), {}));
    EXPECT_GE(ranges.size(), 45U);
}

}  // namespace
}  // namespace stack::runtime
