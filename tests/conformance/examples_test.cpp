// Every example comes up, does what it is for, survives, and goes down without a trace.

#include "tests/integration/world.h"

#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

const std::string source = STACK_SOURCE_DIR;

/// An example, copied so that the test may edit it.
class Example : public testing::Test {
  protected:
    void open(const std::string& name, const std::vector<std::string>& bases) {
        name_ = name;
        fs::copy(source + "/examples/" + name, stack_.directory(), fs::copy_options::recursive);
        for (const auto& base : bases) {
            const Result made =
                run({.words = {source + "/examples/base-image", STACK_BINARY_DIR "/stack", base},
                     .environment = {{"STACK_ROOT", stack_.root()},
                                     {"STACK_BASES", STACK_BINARY_DIR "/bases"}},
                     .deadline = std::chrono::minutes(3)});
            ASSERT_EQ(made.status, 0) << made.err;
        }
    }

    void TearDown() override {
        stack_.must({"down", "-v", "-t", "1"});
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, name_) == 0; }));
        expect_nothing_left(stack_);
    }

    std::string name_;
    StackProgram stack_;
};

TEST_F(Example, TheFlaskAppCountsItsVisitsOverARebuild) {
    open("flask", {"python"});
    stack_.must({"up", "-d", "--wait"});
    EXPECT_NE(fetch("http://127.0.0.1:8080/").find("visit number 1"), std::string::npos);
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
    const Result edited = run({"sed",
                               "-i",
                               "s/Thought of the day/Word of the day/",
                               stack_.directory() + "/templates/index.html"});
    ASSERT_EQ(edited.status, 0);
    EXPECT_NE(stack_.run({"plan", "--build"}).out.find("its sources changed"), std::string::npos);
    stack_.must({"up", "-d", "--build", "--wait", "-t", "1"});
    const std::string page = fetch("http://127.0.0.1:8080/");
    EXPECT_NE(page.find("Word of the day"), std::string::npos) << page;
    EXPECT_NE(page.find("visit number 2"), std::string::npos) << page;
}

TEST_F(Example, AVoteGetsFromOnePublishedPortToTheOther) {
    open("voting", {"python", "redis", "postgres"});
    stack_.must({"up", "-d", "--wait"});
    EXPECT_EQ(containers(stack_).size(), 5U);
    EXPECT_EQ(
        run({"curl", "-s", "--max-time", "5", "-d", "vote=a", "http://127.0.0.1:5000/"}).status, 0);
    const auto counted = [] {
        return fetch("http://127.0.0.1:5001/").find("\"a\":1") != std::string::npos;
    };
    EXPECT_TRUE(eventually(counted));

    const int supervisor = supervisor_pid(stack_, "voting");
    ASSERT_EQ(::kill(supervisor, SIGKILL), 0);
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "voting") != supervisor; }));
    const std::string worker =
        stack_.must({"container", "inspect", "--format", "{{.State.Pid}}", "voting-worker-1"});
    ASSERT_EQ(::kill(std::stoi(worker), SIGKILL), 0);
    EXPECT_TRUE(eventually([&] { return container(stack_, "worker")["State"] == "running"; }));
    EXPECT_TRUE(eventually(counted));
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
}

}  // namespace
}  // namespace stack::test
