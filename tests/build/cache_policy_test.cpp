#include "engine/build/cache_policy.h"

#include <gtest/gtest.h>

namespace stack::build {
namespace {

constexpr std::int64_t now = 10'000'000;
constexpr std::int64_t day = 24 * 3600;

std::int64_t cost(const std::string& layer) {
    return layer == "big" ? 15'000'000'000 : layer == "small" ? 10 : layer == "old" ? 5 : 0;
}

const std::vector<CachedStep>& steps() {
    static const std::vector<CachedStep> all{{"1", "small", now - 10},
                                             {"2", "big", now - 2 * day},
                                             {"3", "small", now - 3 * day},
                                             {"4", "", now - 4 * day},
                                             {"5", "of an image", now - 5 * day},
                                             {"6", "old", now - 40 * day}};
    return all;
}

TEST(CachePolicy, ForgetsWhatCostsSomething) {
    EXPECT_EQ(steps_to_forget(steps(), {}, cost, now), (Strings{"1", "2", "3", "6"}));
    EXPECT_EQ(steps_to_forget(steps(), {.all = true}, cost, now).size(), 6U);
}

TEST(CachePolicy, ForgetsTheLongestUnusedFirst) {
    EXPECT_EQ(steps_to_forget(steps(), {.unused_for = 3 * day}, cost, now), (Strings{"3", "6"}));
    EXPECT_EQ(steps_to_forget(steps(), {.most_bytes = 15'000'000'010}, cost, now), Strings{"6"});
    EXPECT_EQ(steps_to_forget(steps(), {.most_bytes = 10}, cost, now), (Strings{"2", "3", "6"}));
}

TEST(CachePolicy, BoundsWhatBuildsKeep) {
    EXPECT_EQ(steps_over_bounds(steps(), cost, now), Strings{"6"});
}

}  // namespace
}  // namespace stack::build
