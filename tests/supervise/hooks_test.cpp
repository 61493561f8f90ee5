// Hooks at the turns of a container's life, over a world in memory.

#include "tests/supervise/household.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

Hook hook(const std::string& command) {
    Hook made;
    made.command = {command};
    return made;
}

Request of(const std::string& verb) {
    Request request;
    request.verb = verb;
    return request;
}

/// What was done from the container's first start on.
Strings since_start(const Household& house) {
    const auto& all = house.engine.history();
    return {std::find(all.begin(), all.end(), "start Container shop-web-1"), all.end()};
}

TEST(Hooks, RunInTheirOrderAfterTheStartAndBeforeTheStop) {
    Household house;
    auto& web = house.add("web");
    web.post_start = {hook("migrate"), hook("warm")};
    web.pre_stop = {hook("drain")};
    ASSERT_EQ(house.up(), 0);
    ASSERT_EQ(house.down(), 0);
    EXPECT_EQ(since_start(house),
              (Strings{"start Container shop-web-1",
                       "hook shop-web-1: migrate",
                       "hook shop-web-1: warm",
                       "hook shop-web-1: drain",
                       "stop Container shop-web-1",
                       "remove Container shop-web-1",
                       "remove Network shop_default"}));
}

TEST(Hooks, ThatFailAfterTheStartFailTheCommandAndAreNamed) {
    Household house;
    house.add("web").post_start = {hook("migrate"), hook("warm")};
    house.engine.answer_hook({"migrate"}, {.exit_code = 3, .output = "no database\n"});
    EXPECT_EQ(house.up(), 1);
    EXPECT_EQ(since_start(house).back(), "hook shop-web-1: migrate");
    EXPECT_EQ(house.events.back().detail,
              "hook exited with status 3: post_start of container shop-web-1 (migrate), which "
              "said: no database");
}

TEST(Hooks, ThatFailBeforeTheStopKeepTheContainerRunning) {
    Household house;
    house.add("web").pre_stop = {hook("drain")};
    ASSERT_EQ(house.up(), 0);
    house.engine.answer_hook({"drain"}, {.exit_code = 1});
    EXPECT_EQ(house.ask(of("stop")), 1);
    EXPECT_EQ(house.state("shop-web-1"), "running");
}

TEST(Hooks, BeforeAStopAreNotForACrash) {
    Household house;
    auto& web = house.add("web");
    web.post_start = {hook("warm")};
    web.pre_stop = {hook("drain")};
    ASSERT_EQ(house.up(), 0);
    house.engine.crash("shop-web-1", 1);
    house.pass(std::chrono::seconds(1));
    EXPECT_EQ(since_start(house),
              (Strings{"start Container shop-web-1",
                       "hook shop-web-1: warm",
                       "start Container shop-web-1",
                       "hook shop-web-1: warm"}))
        << "a new process has everything to do again";
}

TEST(Hooks, GiveWayToAnotherCommand) {
    Household house;
    house.add("web").post_start = {hook("forever")};
    house.engine.hold("hook");
    ASSERT_EQ(house.up(), -1);
    EXPECT_EQ(house.down(), 0);
    EXPECT_EQ(house.state("shop-web-1"), "absent");
}

}  // namespace
}  // namespace stack::test
