// Plans that once were wrong, in the product's own words.

#include <stack/plan.h>

#include "model/digest.h"
#include "tests/support/fake_world.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

Stack shop() {
    Stack stack;
    stack.name = "shop";
    auto& network = stack.networks["default"];
    network.key = "default";
    network.name = "shop_default";
    auto& web = stack.services["web"];
    web.name = "web";
    web.image = "busybox";
    web.networks["default"];
    web.restart.condition = RestartCondition::always;
    return stack;
}

Observed up(const Stack& stack) {
    return apply({}, plan_up(stack, {}, {}), Time{});
}

}  // namespace

TEST(Plan, LeavesTheNetworkOfAnotherStackAsItIs) {
    const Stack stack = shop();
    Observed world = up(stack);
    world.networks.front().project = "blog";
    world.networks.front().config_digest = "another";
    EXPECT_EQ(to_text(plan_up(stack, world, {})),
              "warning: network shop_default was not made by this stack; it is used as it is "
              "(declare it external to say so)\nnothing to do\n");
    EXPECT_EQ(to_text(plan_down(stack, world, {})),
              "#0 stop container/shop-web-1: down\n"
              "#1 remove container/shop-web-1: down (after #0)\n");
}

TEST(Plan, OfAnotherStackHasNoPartInDown) {
    const Stack stack = shop();
    const Observed world = up(stack);
    Stack other;
    other.name = "blog";
    EXPECT_EQ(to_text(plan_down(other, world, {.volumes = true})), "nothing to do\n");
    EXPECT_EQ(to_text(plan_kill(other, world, {}, "KILL")), "nothing to do\n");
    EXPECT_EQ(to_text(plan_remove(other, world, {}, true, true)), "nothing to do\n");
}

TEST(Plan, RenewsNoNetworkThatOthersOfTheStackStillUse) {
    Stack stack = shop();
    stack.services["db"] = stack.services["web"];
    stack.services["db"].name = "db";
    const Observed world = up(stack);
    stack.networks["default"].internal = true;
    EXPECT_EQ(to_text(plan_up(stack, world, {.services = {"web"}})),
              "warning: network shop_default differs from its description in the stack file; it is "
              "kept as it is, since container shop-db-1 uses it and is not part of this command\n"
              "nothing to do\n");
}

TEST(Plan, RefusesANameThatAnotherContainerKeeps) {
    Stack stack = shop();
    stack.services["web"].container_name = "one";
    const Observed world = up(stack);
    Stack edited = shop();
    edited.services["api"] = stack.services["web"];
    edited.services["api"].name = "api";
    edited.services.erase("web");
    const Plan plan = plan_up(edited, world, {});
    EXPECT_TRUE(plan.actions.empty());
    ASSERT_EQ(plan.errors.size(), 1U);
    EXPECT_EQ(plan.errors.front(),
              "the name one belongs to a container of service web: remove it, or give the service "
              "another container_name");
    EXPECT_TRUE(plan_up(edited, world, {.remove_orphans = true}).errors.empty());
}

TEST(Plan, OfStopEndsAWaitForARestart) {
    const Stack stack = shop();
    Observed world = up(stack);
    auto& web = world.containers.front();
    web.state = ContainerState::exited;
    web.exit.code = 1;
    EXPECT_EQ(to_text(plan_stop(stack, world, {}, std::nullopt)),
              "#0 stop container/shop-web-1: asked for\n");
    web.stopped_by_user = true;
    EXPECT_EQ(to_text(plan_stop(stack, world, {}, std::nullopt)), "nothing to do\n");
}

TEST(Plan, OfDownWithoutAFileStillStopsDependentsFirst) {
    Stack stack = shop();
    stack.services["db"] = stack.services["web"];
    stack.services["db"].name = "db";
    stack.services["db"].depends_on["web"];
    const Observed world = up(stack);
    Stack nameless;
    nameless.name = "shop";
    EXPECT_EQ(to_text(plan_stop(nameless, world, {}, std::nullopt)),
              "#0 stop container/shop-db-1: asked for\n"
              "#1 stop container/shop-web-1: asked for (after #0)\n");
}

}  // namespace stack::test
