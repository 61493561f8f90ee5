// Images that services mount: they are fetched or built first, and another one is another
// container.

#include <stack/plan.h>

#include "tests/support/fake_world.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

/// `web` mounts `source`.
Stack shop(const std::string& source) {
    Stack stack;
    stack.name = "shop";
    auto& web = stack.services["web"];
    web.name = "web";
    web.image = "busybox";
    web.volumes.push_back({.type = MountType::image, .source = source, .target = "/tools"});
    return stack;
}

/// `assets` is built, and `web` mounts what comes of it.
Stack shop_with_assets() {
    Stack stack = shop("assets");
    auto& assets = stack.services["assets"];
    assets.name = "assets";
    assets.build.emplace();
    return stack;
}

Observed with_image() {
    Observed world;
    world.images.push_back({.reference = "busybox", .id = "sha256:1"});
    return world;
}

TEST(ImageMount, IsFetchedFirst) {
    EXPECT_EQ(to_text(plan_up(shop("tools"), with_image(), {})),
              "#0 pull image/tools: not found\n"
              "#1 create container/shop-web-1: not found (after #0)\n"
              "#2 start container/shop-web-1: not found (after #1)\n");
}

TEST(ImageMount, IsNotFetchedAgainstOnesWill) {
    const Plan plan = plan_up(shop("tools"), with_image(), {.pull = "never"});
    ASSERT_EQ(plan.errors.size(), 1U);
    EXPECT_EQ(plan.errors.front(),
              "image tools, which service web needs, is not in the store, and --pull never forbids "
              "to fetch it");
    Stack stack = shop("tools");
    stack.services["web"].pull_policy = "never";
    const Strings said{
        "image tools, which service web needs, is not in the store, and the "
        "service's pull_policy is never: pull it with `stack image pull`"};
    EXPECT_EQ(plan_up(stack, with_image(), {}).errors, said);
    EXPECT_EQ(plan_up(stack, with_image(), {.pull = "policy"}).errors, said);
    EXPECT_TRUE(plan_up(stack, with_image(), {.pull = "missing"}).errors.empty());
}

TEST(ImageMount, OfAServiceIsBuiltFirst) {
    const Stack stack = shop_with_assets();
    EXPECT_EQ(to_text(plan_up(stack, with_image(), {.services = {"web"}})),
              "#0 build image/shop-assets: not found\n"
              "#1 create container/shop-web-1: not found (after #0)\n"
              "#2 start container/shop-web-1: not found (after #1)\n");
    const Observed world = apply(with_image(), plan_up(stack, with_image(), {}), Time{});
    const auto* web = find_container(world, "shop-web-1");
    ASSERT_NE(web, nullptr);
    EXPECT_EQ(web->mounts.front().source, "shop-assets");
    EXPECT_EQ(to_text(plan_up(stack, world, {})), "nothing to do\n");
}

TEST(ImageMount, ThatLeadsElsewhereNowMakesTheContainerAnew) {
    const Stack stack = shop("tools");
    Observed world = apply(with_image(), plan_up(stack, with_image(), {}), Time{});
    EXPECT_EQ(to_text(plan_up(stack, world, {})), "nothing to do\n");
    for (auto& image : world.images)
        if (image.reference == "tools")
            image.id = "sha256:other";
    const std::string text = to_text(plan_up(stack, world, {}));
    EXPECT_NE(text.find("create container/shop-web-1: image tools, which it mounts, changed"),
              std::string::npos)
        << text;
    world = apply(world, plan_up(stack, world, {}), Time{});
    EXPECT_EQ(to_text(plan_up(stack, world, {})), "nothing to do\n");
}

TEST(ImageMount, ThatIsBuiltAnewMakesTheContainerAnewAfterIt) {
    const Stack stack = shop_with_assets();
    const Observed world = apply(with_image(), plan_up(stack, with_image(), {}), Time{});
    const std::string text = to_text(plan_up(stack, world, {.build = true}));
    EXPECT_NE(
        text.find("stop container/shop-web-1: image shop-assets, which it mounts, is built anew "
                  "(after #0)"),
        std::string::npos)
        << text;
}

TEST(ImageMount, WhatKeepsASeveralTimesMountedServiceAwayIsSaidOnce) {
    Stack stack = shop("assets");
    auto& assets = stack.services["assets"];
    assets.name = "assets";
    assets.image = "assets";
    assets.pull_policy = "never";
    auto& api = stack.services["api"] = stack.services["web"];
    api.name = "api";
    EXPECT_EQ(plan_up(stack, with_image(), {}).errors.size(), 1U);
}

}  // namespace
}  // namespace stack::test
