// Ctrl-C at an `up` in the foreground: once stops gracefully, twice kills, never is it ignored.

#include "tests/integration/world.h"
#include "tests/support/terminal_client.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Interrupt : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "0"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    /// A service that says when it is asked to go.
    void write_polite() const {
        stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: ["sh", "-c", "trap 'echo goodbye; exit 0' TERM; echo ready; while :; do sleep 0.1; done"]
)");
    }

    [[nodiscard]] TerminalClient up() const {
        return {{STACK_BINARY_DIR "/stack", "--root", stack_.root(), "up"},
                stack_.directory(),
                33,
                101};
    }

    StackProgram stack_;
};

TEST_F(Interrupt, OnceStopsGracefully) {
    write_polite();
    TerminalClient client = up();
    ASSERT_TRUE(client.shows("ready")) << client.screen();
    client.type("\x03");
    EXPECT_TRUE(client.shows("Gracefully Stopping... press Ctrl+C again to force"));
    EXPECT_TRUE(client.shows("goodbye")) << client.screen();
    EXPECT_EQ(client.wait(), 130);
    EXPECT_EQ(container(stack_, "web")["ExitCode"], 0);
}

TEST_F(Interrupt, ByAnotherProcessIsTheSame) {
    write_polite();
    const Result result = test::run(
        {.words = {"sh",
                   "-c",
                   "\"$0\" --root \"$1\" up >said & up=$!; until grep -q ready said; do sleep 0.1; "
                   "done; kill -TERM $up; wait $up; echo $?; cat said",
                   STACK_BINARY_DIR "/stack",
                   stack_.root()},
         .directory = stack_.directory()});
    EXPECT_TRUE(result.out.starts_with("130\n")) << result.out;
    EXPECT_NE(result.out.find("goodbye"), std::string::npos) << result.out;
    EXPECT_EQ(container(stack_, "web")["ExitCode"], 0);
}

TEST_F(Interrupt, TwiceKills) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]
    stop_grace_period: 300s
)");
    TerminalClient client = up();
    ASSERT_TRUE(client.shows("ready")) << client.screen();
    const auto begin = std::chrono::steady_clock::now();
    client.type("\x03");
    ASSERT_TRUE(client.shows("press Ctrl+C again to force")) << client.screen();
    client.type("\x03");
    EXPECT_EQ(client.wait(), 130);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
    EXPECT_EQ(container(stack_, "web")["ExitCode"], 137);
}

TEST_F(Interrupt, StopsWhatAnUpHasStartedOnItsWayToTheForeground) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  before: {image: busybox, command: sleep 1000}
  first: {image: busybox, command: sleep 1000}
  ill: {image: busybox, command: sleep 1000, healthcheck: {test: "false", interval: 300s}}
  last: {image: busybox, depends_on: {first: {condition: service_started}, ill: {condition: service_healthy}}}
)");
    stack_.must({"up", "-d", "before"});
    TerminalClient client = up();
    ASSERT_TRUE(eventually([&] {
        const auto all = containers(stack_);
        return std::any_of(all.begin(), all.end(), [](const auto& one) {
            return one.at("Service") == "ill" && one.at("State") == "running";
        });
    }));
    client.type("\x03");
    EXPECT_TRUE(client.shows("press Ctrl+C again to force")) << client.screen();
    EXPECT_EQ(client.wait(), 130);
    EXPECT_EQ(container(stack_, "before")["State"], "running");
    EXPECT_EQ(container(stack_, "first")["State"], "exited");
    EXPECT_EQ(container(stack_, "ill")["State"], "exited");
}

TEST_F(Interrupt, ThreeTimesLeavesAContainerThatDoesNotListen) {
    stack_.write("compose.yaml", "name: shop\nservices: {}\n");
    TerminalClient client({STACK_BINARY_DIR "/stack",
                           "--root",
                           stack_.root(),
                           "container",
                           "run",
                           "--name",
                           "deaf",
                           "busybox",
                           "sh",
                           "-c",
                           "n=0; trap 'n=$((n+1)); echo heard $n' INT; echo ready;"
                           "while :; do sleep 0.1; done"},
                          stack_.directory(),
                          33,
                          101);
    ASSERT_TRUE(client.shows("ready")) << client.screen();
    for (const auto* answer : {"heard 1", "heard 2", "forcefully exiting"}) {
        client.type("\x03");
        EXPECT_TRUE(client.shows(answer)) << client.screen();
    }
    EXPECT_EQ(client.wait(), 130);
    stack_.must({"container", "rm", "-f", "deaf"});
}

TEST_F(Interrupt, IsWhatEndsAnUpWhoseServiceIsRestarted) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: sh -c 'echo >>/runs; echo run $$(wc -l </runs); sleep 0.2; exit 3', restart: always}
)");
    TerminalClient client = up();
    EXPECT_TRUE(client.shows("run 3")) << client.screen();
    const auto first = client.screen().find("exited with code 3");
    EXPECT_NE(client.screen().find("exited with code 3", first + 1), std::string::npos)
        << client.screen();
    client.type("\x03");
    EXPECT_EQ(client.wait(), 130);
}

/// Whether a process of this sandbox has these words as its command line.
bool runs(const std::string& words) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream file(entry.path() / "cmdline");
        std::string line((std::istreambuf_iterator<char>(file)), {});
        std::replace(line.begin(), line.end(), '\0', ' ');
        if (line == words + " ")
            return true;
    }
    return false;
}

TEST_F(Interrupt, EndsABuildAndStartsNothing) {
    stack_.write("Dockerfile", "FROM busybox\nRUN sleep 4321\n");
    stack_.write("compose.yaml", "name: shop\nservices: {web: {build: ., command: sleep 1000}}\n");
    for (const auto& verb : {"up", "build"}) {
        TerminalClient client({STACK_BINARY_DIR "/stack", "--root", stack_.root(), verb},
                              stack_.directory(),
                              33,
                              101);
        ASSERT_TRUE(eventually([] { return runs("sleep 4321"); }));
        client.type("\x03");
        EXPECT_NE(client.wait(), 0);
        EXPECT_TRUE(eventually([] { return !runs("sleep 4321"); })) << verb;
    }
    stack_.must({"down", "-t", "0"});
    EXPECT_TRUE(containers(stack_).empty());
    stack_.must({"builder", "prune", "-f"});  // what the steps have left goes with the next one
}

TEST_F(Interrupt, HoldsNobodyUpWhoComesLater) {
    std::string chain = "name: shop\nservices:\n  s0: {image: busybox, command: sleep 5}\n";
    for (int i = 1; i < 6; ++i)
        chain += "  s" + std::to_string(i) + ": {image: busybox, command: 'true', depends_on: {s" +
                 std::to_string(i - 1) + ": {condition: service_completed_successfully}}}\n";
    stack_.write("compose.yaml", chain);
    TerminalClient client = up();
    ASSERT_TRUE(client.shows("shop-s0-1")) << client.screen();
    client.type("\x03");
    static_cast<void>(client.wait());
    for (const auto& one : containers(stack_))
        EXPECT_EQ(one["State"] == "exited", one["Service"] == "s0") << client.screen();
    stack_.must({"down", "-t", "0"});
    stack_.must({"up", "-d"});
}

}  // namespace
}  // namespace stack::test
