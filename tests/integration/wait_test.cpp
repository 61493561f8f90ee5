// wait: for all that are named at once, and what it says of each.

#include "tests/integration/world.h"

#include <chrono>
#include <csignal>
#include <future>
#include <thread>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Wait : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "0"}));
        EXPECT_EQ(stack_.run({"container", "rm", "-f", "slow", "fast"}).status, 0);
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    void run(const std::string& name, const std::string& script) const {
        stack_.must({"container", "run", "-d", "--name", name, "busybox", "sh", "-c", script});
    }

    StackProgram stack_;
};

constexpr const char* two_services = R"(
name: shop
services:
  slow:
    image: busybox
    command: sh -c 'sleep 4; exit 3'
  fast:
    image: busybox
    command: sh -c 'sleep 2; exit 4'
)";

std::string sentence(const nlohmann::json& container, int code) {
    return "container \"" + container["ID"].get<std::string>() + "\" exited with status code " +
           std::to_string(code) + "\n";
}

TEST_F(Wait, PrintsTheCodesInTheOrderOfTheNames) {
    run("slow", "sleep 2; exit 3");
    run("fast", "exit 4");
    EXPECT_EQ(stack_.must({"container", "wait", "slow", "fast"}), "3\n4\n");
    EXPECT_EQ(stack_.must({"container", "wait", "fast", "slow"}), "4\n3\n");
}

TEST_F(Wait, OneThatNeverRanHasNotFailed) {
    stack_.must({"container", "create", "--name", "slow", "busybox", "false"});
    EXPECT_EQ(stack_.must({"container", "wait", "slow"}), "0\n");
}

TEST_F(Wait, OneThatIsMissingKeepsNothingFromTheOthers) {
    run("fast", "exit 4");
    const auto result = stack_.run({"container", "wait", "nobody", "fast"});
    EXPECT_EQ(result.out, "4\n");
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("nobody"), std::string::npos) << result.err;
}

TEST_F(Wait, OutlastsTheShim) {
    run("slow", "sleep 5");
    const auto shims = shim_pids();
    ASSERT_EQ(shims.size(), 1U);
    auto waiting = std::async(std::launch::async, [&] {
        return stack_.run({"container", "wait", "slow"});
    });
    std::this_thread::sleep_for(std::chrono::seconds(1));
    ::kill(std::stoi(shims.front()), SIGKILL);
    EXPECT_EQ(waiting.get().status, 0);
    const auto seen =
        nlohmann::json::parse(stack_.must({"container", "ls", "-a", "--format", "json"}));
    EXPECT_EQ(seen["State"], "exited");
}

TEST_F(Wait, TellsOfEachServiceAsItEnds) {
    stack_.write("compose.yaml", two_services);
    stack_.must({"up", "-d"});
    const auto slow = container(stack_, "slow");
    const auto fast = container(stack_, "fast");
    const auto result = stack_.run({"wait"});
    EXPECT_EQ(result.out, sentence(fast, 4) + sentence(slow, 3));
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(stack_.run({"wait", "fast"}).status, 4);
}

TEST_F(Wait, TakesTheProjectDownWithTheFirstThatEnds) {
    stack_.write("compose.yaml", two_services);
    stack_.must({"up", "-d"});
    const auto fast = container(stack_, "fast");
    const auto result = stack_.run({"wait", "--down-project"});
    EXPECT_EQ(result.out, sentence(fast, 4));
    EXPECT_EQ(result.status, 4);
    EXPECT_TRUE(containers(stack_).empty());
}

}  // namespace
}  // namespace stack::test
