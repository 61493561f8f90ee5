// When an up looks for a newer image.

#include <stack/plan.h>

#include <algorithm>

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

TEST(PullPolicy, IsNoReasonToStartAnImageOfAnotherPlatform) {
    Observed world = with_image(hours(0));
    world.images.front().platform = "linux/amd64";
    const auto plan_for = [&](const std::string& platform, const std::string& policy) {
        Stack stack = shop(policy);
        stack.services["web"].platform = platform;
        return plan_up(stack, world, {.now = now});
    };
    const auto pull_of = [](const Plan& plan) {
        const auto found =
            std::find_if(plan.actions.begin(), plan.actions.end(), [](const auto& planned) {
                return std::holds_alternative<PullImage>(planned.action);
            });
        return found == plan.actions.end()
                   ? "none"
                   : std::get<PullImage>(found->action).platform + ": " + found->reason;
    };
    for (const auto* same : {"", "linux", "linux/amd64", "linux/x86_64", "linux/amd64/v2"})
        EXPECT_EQ(pull_of(plan_for(same, "missing")), "none") << same;
    EXPECT_EQ(pull_of(plan_for("linux/arm64", "missing")),
              "linux/arm64: the one that is here is for linux/amd64, not for linux/arm64");
    EXPECT_EQ(plan_for("linux/arm64", "never").errors,
              Strings{"image busybox of service web is not in the store for linux/arm64 (the one "
                      "that is here is for linux/amd64, not for linux/arm64), and its pull_policy "
                      "is never: pull it with `stack pull`"});
    world.images.front().platform.clear();  // as a directory's
    EXPECT_EQ(pull_of(plan_for("linux/arm64", "missing")), "none");
}

TEST(PullPolicy, BuildsForAnotherPlatformOnceWhereThatChangesNothing) {
    Stack stack = shop("");
    stack.services["web"].build = Build{};
    stack.services["web"].platform = "linux/arm64";
    Observed world = with_image(hours(0));
    world.images.front().platform = "linux/amd64";
    world.builds = {{"web", "those for arm64"}};
    const auto builds = [&](const PlanOptions& options) {
        const Plan plan = plan_up(stack, world, options);
        return std::any_of(plan.actions.begin(), plan.actions.end(), [](const auto& planned) {
            return std::holds_alternative<BuildImage>(planned.action);
        });
    };
    EXPECT_TRUE(builds({.now = now}));
    world.images.front().source_digest = "those for arm64";  // on a base that is for amd64 alone
    EXPECT_FALSE(builds({.now = now}));
    EXPECT_FALSE(builds({.build = true, .now = now}));
    EXPECT_EQ(plan_up(stack, world, {.now = now}).warnings,
              Strings{"image busybox of service web is for linux/amd64, not for linux/arm64, as "
                      "what it is built from is"});
}

TEST(PullPolicy, BuildsForAnotherPlatformOnceAlsoFromElsewhere) {
    Stack stack = shop("");
    stack.services["web"].build = Build{};
    stack.services["web"].platform = "linux/arm64";
    Observed world = with_image(hours(0));
    world.images.front().platform = "linux/amd64";
    world.builds = {{"web", "asked:for arm64"}};
    const auto builds = [&](bool asked) {
        const Plan plan = plan_up(stack, world, {.build = asked, .now = now});
        return std::any_of(plan.actions.begin(), plan.actions.end(), [](const auto& planned) {
            return std::holds_alternative<BuildImage>(planned.action);
        });
    };
    EXPECT_TRUE(builds(false));
    world.images.front().source_digest = "asked:for arm64";
    EXPECT_FALSE(builds(false));
    EXPECT_TRUE(builds(true)) << "only a build can tell what is there now";
}

TEST(PullPolicy, OneNameIsNotForTwoPlatforms) {
    Stack stack = shop("missing");
    stack.services["web"].platform = "linux/arm64";
    Service& api = stack.services["api"] = stack.services["web"];
    api.name = "api";
    EXPECT_TRUE(plan_up(stack, {}, {.now = now}).errors.empty());
    api.platform = "linux/amd64";
    ASSERT_EQ(plan_up(stack, {}, {.now = now}).errors.size(), 1U);
    api.image = "busybox@sha256:" + std::string(64, 'a');
    EXPECT_TRUE(plan_up(stack, {}, {.now = now}).errors.empty());
}

TEST(PullPolicy, IsOverriddenByTheOptionUnlessThatSaysPolicy) {
    EXPECT_EQ(pull_reason("daily", with_image(hours(48)), "missing"), "");
    EXPECT_EQ(pull_reason("always", with_image(hours(0)), "missing"), "");
    EXPECT_NE(pull_reason("always", with_image(hours(0)), "policy"), "");
    EXPECT_NE(pull_reason("missing", with_image(hours(0)), "always"), "");
}

}  // namespace
}  // namespace stack::test
