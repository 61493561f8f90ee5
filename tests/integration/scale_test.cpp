// One service in many containers, and in few again.

#include "tests/integration/world.h"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

TEST(Scale, ToManyAndBackToOneKeepsTheFirst) {
    const StackProgram stack;
    import_busybox(stack);
    stack.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: sleep 1000, init: true, ports: ["80"]}
)");
    constexpr std::size_t many = 50;
    stack.must({"up", "-d", "--wait"});
    const auto first = container(stack, "web");
    stack.must({"--parallel", "4", "scale", "web=" + std::to_string(many)});
    const auto all = containers(stack);
    ASSERT_EQ(all.size(), many);
    std::set<std::string> ports;
    for (const auto& one : all) {
        EXPECT_EQ(one["State"], "running") << one["Name"];
        ports.insert(one["Publishers"].dump());
    }
    EXPECT_EQ(ports.size(), many);
    EXPECT_EQ(stack.must({"plan", "--scale", "web=" + std::to_string(many)}), "nothing to do\n");
    stack.must({"--parallel", "4", "scale", "web=1"});
    const auto last = container(stack, "web");
    EXPECT_EQ(last["ID"], first["ID"]);
    EXPECT_EQ(last["State"], "running");
    EXPECT_EQ(pids_of("stack-shim").size(), 1U);
    stack.must({"down"});
    expect_nothing_left(stack);
}

}  // namespace
}  // namespace stack::test
