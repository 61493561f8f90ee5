// When an up looks for a newer image.

#include <stack/plan.h>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

using std::chrono::hours;

Stack shop(const std::string& policy) {
    Stack stack;
    stack.name = "shop";
    auto& web = stack.services["web"];
    web.name = "web";
    web.image = "busybox";
    web.pull_policy = policy;
    return stack;
}

constexpr Time now = Time{} + hours(24 * 365 * 50);

/// With an image that was pulled `age` ago.
Observed with_image(std::chrono::seconds age) {
    Observed world;
    world.images.push_back({.reference = "busybox", .id = "sha256:1", .named = now - age});
    return world;
}

/// The reason of the pull; empty: there is none.
std::string pull_reason(const std::string& policy,
                        const Observed& world,
                        const std::string& option = {}) {
    for (const auto& planned : plan_up(shop(policy), world, {.pull = option, .now = now}).actions)
        if (std::holds_alternative<PullImage>(planned.action))
            return planned.reason;
    return {};
}

TEST(PullPolicy, LooksForANewerImageWhenTheLastPullIsLongAgo) {
    constexpr std::chrono::seconds second{1};

    struct Case {
        const char* policy;
        std::chrono::seconds period;
    };

    for (const auto& [policy, period] : {Case{"daily", hours(24)},
                                         Case{"weekly", hours(7 * 24)},
                                         Case{"every_12h", hours(12)},
                                         Case{"every_1h30m", std::chrono::minutes(90)}}) {
        EXPECT_EQ(pull_reason(policy, with_image(period - second)), "") << policy;
        EXPECT_NE(pull_reason(policy, with_image(period)), "") << policy;
    }
    EXPECT_EQ(pull_reason("daily", with_image(hours(48))),
              "pulled 2 days ago: to look for a newer one, which is then used");
}

TEST(PullPolicy, LooksForANewerImageWhereTheLastPullIsUnknown) {
    Observed world = with_image(hours(0));
    world.images.front().named = {};
    EXPECT_NE(pull_reason("weekly", world), "");
    EXPECT_EQ(pull_reason("missing", world), "");
}

TEST(PullPolicy, IsOverriddenByTheOptionUnlessThatSaysPolicy) {
    EXPECT_EQ(pull_reason("daily", with_image(hours(48)), "missing"), "");
    EXPECT_EQ(pull_reason("always", with_image(hours(0)), "missing"), "");
    EXPECT_NE(pull_reason("always", with_image(hours(0)), "policy"), "");
    EXPECT_NE(pull_reason("missing", with_image(hours(0)), "always"), "");
}

}  // namespace
}  // namespace stack::test
