// run, in the product's own words.

#include <stack/plan.h>

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
    for (const auto* name : {"db", "job"}) {
        auto& service = stack.services[name];
        service.name = name;
        service.image = "busybox";
        service.networks["default"];
    }
    auto& job = stack.services["job"];
    job.container_name = "the-job";
    job.restart.condition = RestartCondition::always;
    job.depends_on["db"];
    return stack;
}

RunOptions one_of(const Stack& stack) {
    RunOptions run;
    run.service = stack.services.at("job");
    run.name = "shop-job-run-1";
    run.auto_remove = true;
    return run;
}

Observed with_image() {
    Observed world;
    world.images.push_back({.reference = "busybox", .id = "sha256:1"});
    return world;
}

TEST(PlanOfRun, BringsDependenciesUpAndNotItsService) {
    const Stack stack = shop();
    EXPECT_EQ(to_text(plan_run(stack, with_image(), {}, one_of(stack))),
              "#0 create network/shop_default: not found\n"
              "#1 create container/shop-db-1: not found (after #0)\n"
              "#2 start container/shop-db-1: not found (after #1)\n"
              "#3 create container/shop-job-run-1: asked for (after #0)\n"
              "#4 start container/shop-job-run-1: asked for (after #2 #3)\n");
}

TEST(PlanOfUp, RefusesTwoContainersWithOnePortOfTheHost) {
    Stack stack = shop();
    for (auto& [name, service] : stack.services)
        service.ports.push_back({.published = "80", .target = 80});
    EXPECT_EQ(
        to_text(plan_up(stack, with_image(), {})),
        "error: port 80/tcp of the host would be published by shop-db-1 and by the-job: bring "
        "up one of them, or give one another port\n");
    PlanOptions one;
    one.services = {"db"};
    EXPECT_TRUE(plan_up(stack, with_image(), one).errors.empty());
}

TEST(PlanOfRun, RefusesASecretWithoutItsValue) {
    Stack stack = shop();
    auto& secret = stack.secrets["key"];
    secret.key = "key";
    secret.environment = "KEY";
    FileReference reference;
    reference.source = "key";
    stack.services["job"].secrets.push_back(reference);
    EXPECT_EQ(
        to_text(plan_run(stack, with_image(), {}, one_of(stack))),
        "error: container shop-job-run-1 needs the secret key, whose variable KEY is not set: "
        "set it in the environment or in .env\n");
    secret.content = "";
    EXPECT_TRUE(plan_run(stack, with_image(), {}, one_of(stack)).errors.empty());
}

TEST(PlanOfRun, LeavesDependenciesAloneWhereAsked) {
    const Stack stack = shop();
    EXPECT_EQ(to_text(plan_run(stack, with_image(), {.no_deps = true}, one_of(stack))),
              "#0 create network/shop_default: not found\n"
              "#1 create container/shop-job-run-1: asked for (after #0)\n"
              "#2 start container/shop-job-run-1: asked for (after #1)\n");
}

TEST(PlanOfRun, MakesAContainerThatIsNotKept) {
    const Stack stack = shop();
    const Plan plan = plan_run(stack, with_image(), {.no_deps = true}, one_of(stack));
    const auto& spec = *std::get<CreateContainer>(plan.actions.at(1).action).spec;
    EXPECT_TRUE(spec.oneoff);
    EXPECT_TRUE(spec.auto_remove);
    EXPECT_EQ(spec.service.restart.condition, RestartCondition::no);
}

TEST(PlanOfRun, KeepsAPolicyThatIsItsOwn) {
    const Stack stack = shop();
    RunOptions run = one_of(stack);
    run.keeps_policy = true;
    const Plan plan = plan_run(stack, with_image(), {.no_deps = true}, run);
    const auto& spec = *std::get<CreateContainer>(plan.actions.at(1).action).spec;
    EXPECT_EQ(spec.service.restart.condition, RestartCondition::always);
}

TEST(PlanOfRun, TakesNoNameThatSomebodyHas) {
    const Stack stack = shop();
    Observed world = with_image();
    world.containers.push_back({.id = "1", .name = "shop-job-run-1", .project = "blog"});
    EXPECT_EQ(plan_run(stack, world, {.no_deps = true}, one_of(stack)).errors.size(), 1U);
}

TEST(PlanOfRun, IsUndoneByDownAndUnseenByUp) {
    const Stack stack = shop();
    Observed world = apply(with_image(), plan_run(stack, with_image(), {}, one_of(stack)), Time{});
    EXPECT_EQ(to_text(plan_up(stack, world, {.services = {"db"}})), "nothing to do\n");
    EXPECT_NE(to_text(plan_down(stack, world, {})).find("remove container/shop-job-run-1"),
              std::string::npos);
}

}  // namespace
}  // namespace stack::test
