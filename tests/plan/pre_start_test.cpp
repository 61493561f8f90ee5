// What runs before a service's first start.

#include <stack/plan.h>

#include "tests/support/fake_world.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

Stack shop() {
    Stack stack;
    stack.name = "shop";
    for (const auto* name : {"db", "web"}) {
        auto& service = stack.services[name];
        service.name = name;
        service.image = "busybox";
    }
    auto& web = stack.services["web"];
    web.depends_on["db"];
    web.pre_start.push_back({.command = {"migrate"}});
    web.pre_start.push_back({.command = {"warm"}, .image = "other"});
    return stack;
}

Observed with_image() {
    Observed world;
    world.images.push_back({.reference = "busybox", .id = "sha256:1"});
    return world;
}

TEST(PreStart, RunsToItsEndBeforeTheStartAndAfterTheDependencies) {
    EXPECT_EQ(to_text(plan_up(shop(), with_image(), {})),
              "#0 create container/shop-db-1: not found\n"
              "#1 start container/shop-db-1: not found (after #0)\n"
              "#2 create container/shop-web-1: not found\n"
              "#3 create container/shop-web-pre-start-1: prepares the start\n"
              "#4 start container/shop-web-pre-start-1: prepares the start (after #1 #2 #3)\n"
              "#5 await-completed container/shop-web-pre-start-1: prepares the start (after #4)\n"
              "#6 pull image/other: not found\n"
              "#7 create container/shop-web-pre-start-2: prepares the start (after #6)\n"
              "#8 start container/shop-web-pre-start-2: prepares the start (after #1 #2 #5 #7)\n"
              "#9 await-completed container/shop-web-pre-start-2: prepares the start (after #8)\n"
              "#10 start container/shop-web-1: not found (after #1 #2 #5 #9)\n");
}

TEST(PreStart, IsNotRunAgainWhileItSaysTheSame) {
    const Stack stack = shop();
    const Observed world = apply(with_image(), plan_up(stack, with_image(), {}), Time{});
    EXPECT_EQ(to_text(plan_up(stack, world, {})), "nothing to do\n");
    Stack edited = stack;
    edited.services["web"].pre_start.front().command = {"migrate", "2"};
    const std::string text = to_text(plan_up(edited, world, {}));
    EXPECT_NE(text.find("remove container/shop-web-pre-start-1"), std::string::npos) << text;
    EXPECT_NE(text.find("start container/shop-web-pre-start-1"), std::string::npos) << text;
    EXPECT_EQ(text.find("shop-web-pre-start-2"), std::string::npos) << text;
}

TEST(PreStart, RunsAgainWhereItFailed) {
    const Stack stack = shop();
    Observed world = apply(with_image(), plan_up(stack, with_image(), {}), Time{});
    for (auto& container : world.containers) {
        if (container.name == "shop-web-pre-start-1")
            container.exit.code = 3;
        if (container.name == "shop-web-1")
            container.state = ContainerState::created;
    }
    const std::string text = to_text(plan_up(stack, world, {}));
    EXPECT_NE(text.find("create container/shop-web-pre-start-1"), std::string::npos) << text;
    EXPECT_NE(text.find("start container/shop-web-1: created, not started"), std::string::npos)
        << text;
}

TEST(PreStart, RunsForEachReplicaWhereItSaysSo) {
    Stack stack = shop();
    stack.services["web"].scale = 2;
    stack.services["web"].pre_start.resize(1);
    EXPECT_EQ(to_text(plan_up(stack, with_image(), {})).find("shop-web-2-pre-start"),
              std::string::npos);
    stack.services["web"].pre_start.front().per_replica = true;
    const std::string text = to_text(plan_up(stack, with_image(), {}));
    EXPECT_NE(text.find("create container/shop-web-1-pre-start-1"), std::string::npos) << text;
    EXPECT_NE(text.find("create container/shop-web-2-pre-start-1"), std::string::npos) << text;
}

TEST(PreStart, StandsInTheServicesPlace) {
    Stack stack = shop();
    auto& web = stack.services["web"];
    web.ports.push_back({.published = "8080", .target = 80});
    web.restart.condition = RestartCondition::always;
    web.pre_start.front().environment["A"] = "1";
    for (const auto& planned : plan_up(stack, with_image(), {}).actions)
        if (const auto* create = std::get_if<CreateContainer>(&planned.action);
            create != nullptr && create->spec->name == "shop-web-pre-start-1") {
            EXPECT_TRUE(create->spec->oneoff);
            EXPECT_TRUE(create->spec->service.ports.empty());
            EXPECT_EQ(create->spec->service.restart.condition, RestartCondition::no);
            EXPECT_EQ(create->spec->service.environment.at("A"), "1");
            EXPECT_EQ(create->spec->service.command, Strings{"migrate"});
        }
}

TEST(Start, WaitsWhereItIsAsked) {
    Stack stack = shop();
    stack.services["web"].pre_start.clear();
    Observed world = apply(with_image(), plan_up(stack, with_image(), {.no_start = true}), Time{});
    EXPECT_EQ(to_text(plan_start(stack, world, {"db"}, {.wait = true})),
              "#0 start container/shop-db-1: asked for\n"
              "#1 await-healthy container/shop-db-1: asked to wait (after #0)\n");
}

/// web and db, made and not started; web depends on db so.
std::pair<Stack, Observed> created(DependencyCondition condition) {
    Stack stack = shop();
    stack.services["web"].pre_start.clear();
    stack.services["web"].depends_on["db"].condition = condition;
    return {stack, apply(with_image(), plan_up(stack, with_image(), {.no_start = true}), Time{})};
}

TEST(Start, TakesWhatTheServiceDependsOnWithIt) {
    const auto [stack, world] = created(DependencyCondition::started);
    EXPECT_EQ(to_text(plan_start(stack, world, {"web"})),
              "#0 start container/shop-db-1: asked for\n"
              "#1 start container/shop-web-1: asked for (after #0)\n");
    Stack unknown;  // brought up by a file that is not to be had
    unknown.name = "shop";
    EXPECT_EQ(to_text(plan_start(unknown, world, {"web"})),
              to_text(plan_start(stack, world, {"web"})));
    EXPECT_EQ(to_text(plan_start(stack, world, {"db"})),
              "#0 start container/shop-db-1: asked for\n");
}

TEST(Start, WaitsForWhatTheServiceNeedsOfAnother) {
    const auto [stack, world] = created(DependencyCondition::healthy);
    EXPECT_EQ(to_text(plan_start(stack, world, {"web"})),
              "#0 start container/shop-db-1: asked for\n"
              "#1 await-healthy container/shop-db-1: others need it healthy (after #0)\n"
              "#2 start container/shop-web-1: asked for (after #1)\n");
    const auto [job, made] = created(DependencyCondition::completed_successfully);
    EXPECT_EQ(to_text(plan_start(job, made, {})),
              "#0 start container/shop-db-1: asked for\n"
              "#1 await-completed container/shop-db-1: others need it completed (after #0)\n"
              "#2 start container/shop-web-1: asked for (after #1)\n");
}

TEST(Start, RefusesWhatHasNoContainer) {
    auto [stack, world] = created(DependencyCondition::healthy);
    EXPECT_EQ(plan_start(stack, {}, {"web"}).errors,
              Strings{"service \"web\" has no container to start"});
    EXPECT_EQ(plan_start(stack, {}, {}).errors,
              Strings{"service \"db\" has no container to start"});
    std::erase_if(world.containers, [](const auto& one) { return one.service == "db"; });
    EXPECT_EQ(plan_start(stack, world, {"web"}).errors,
              Strings{"service \"web\" is missing dependency \"db\", which has no container to "
                      "start"});
    stack.services["db"].scale = 0;
    EXPECT_EQ(to_text(plan_start(stack, world, {})), "#0 start container/shop-web-1: asked for\n");
}

}  // namespace
}  // namespace stack::test
