// logs: what containers have printed, whole, in order, and whatever becomes of those who keep it.

#include "tests/integration/world.h"

#include <algorithm>
#include <csignal>
#include <sstream>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Logs : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "0"}));
        EXPECT_EQ(con({"rm", "-f", "mine"}).status, 0);
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    [[nodiscard]] Result con(std::vector<std::string> words) const {
        words.insert(words.begin(), "container");
        return stack_.run(std::move(words));
    }

    /// A container that runs a shell's script.
    void run(const std::string& script, std::vector<std::string> options = {}) const {
        std::vector<std::string> words{"container", "run", "-d", "--name", "mine"};
        words.insert(words.end(), options.begin(), options.end());
        words.insert(words.end(), {"busybox", "sh", "-c", script});
        stack_.must(words);
    }

    [[nodiscard]] std::string state() const {
        const auto seen = con({"ls", "-a", "--format", "json"});
        return nlohmann::json::parse(seen.out)["State"];
    }

    StackProgram stack_;
};

TEST_F(Logs, WhoFollowsUntilATimeIsDone) {
    run("echo one; sleep 1000");
    EXPECT_TRUE(eventually([&] { return con({"logs", "mine"}).out == "one\n"; }));
    EXPECT_EQ(con({"logs", "-f", "--until", "1h", "mine"}).out, "");
}

TEST_F(Logs, OneWithANameOfItsOwnIsCalledByIt) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: echo one, container_name: front}
  db: {image: busybox, command: echo two}
)");
    const auto result = stack_.run({"up"});
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.out.find("front  | one\n"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find("db-1   | two\n"), std::string::npos) << result.out;
    EXPECT_NE(result.err.find("front exited with code 0\n"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("\ndb-1 exited with code 0\n"), std::string::npos) << result.err;
}

TEST_F(Logs, OfEarlierRunsAreNotShownByUp) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  job: {image: busybox, command: sh -c 'echo run $$(cat /proc/sys/kernel/random/uuid)'}
)");
    const auto first = stack_.run({"up", "--no-log-prefix"}).out;
    const auto second = stack_.run({"up", "--no-log-prefix"}).out;
    EXPECT_TRUE(first.starts_with("run ")) << first;
    EXPECT_TRUE(second.starts_with("run ")) << second;
    EXPECT_EQ(std::count(second.begin(), second.end(), '\n'), 1) << second;
    EXPECT_NE(first, second);
    EXPECT_EQ(stack_.must({"logs", "--no-log-prefix"}), first + second);
}

TEST_F(Logs, AreNothingForWhoLeavesAtOnce) {
    stack_.write("compose.yaml", "services: {job: {image: busybox, command: \"true\"}}\n");
    for (const std::string leaves : {"-d", "--wait"})
        for (const std::string stays : {"--abort-on-container-exit",
                                        "--abort-on-container-failure",
                                        "--exit-code-from=job",
                                        "--attach=job",
                                        "--watch"}) {
            const auto result = stack_.run({"up", leaves, stays});
            EXPECT_EQ(result.status, 1) << leaves << stays;
            EXPECT_NE(result.err.find("cannot be combined with"), std::string::npos) << result.err;
        }
    EXPECT_EQ(con({"ls", "-aq"}).out, "");
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

/// The first line that is not the number of its place; "" where all are, so many.
std::string first_difference(const std::string& text, std::size_t count) {
    const auto lines = lines_of(text);
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (lines[i] != std::to_string(i + 1))
            return "line " + std::to_string(i + 1) + " is " + lines[i];
    return lines.size() == count ? "" : "there are " + std::to_string(lines.size()) + " lines";
}

TEST_F(Logs, OfAContainerGoToTheStreamTheyCameFrom) {
    run("echo out; echo err >&2; printf half");
    EXPECT_TRUE(eventually([&] { return state() == "exited"; }));
    const auto logs = con({"logs", "mine"});
    EXPECT_EQ(logs.out, "out\nhalf");
    EXPECT_EQ(logs.err, "err\n");
}

TEST_F(Logs, ThatNobodyKeepsAreNotEmptyOnes) {
    run("echo out", {"--log-driver", "none"});
    for (const auto& words : {std::vector<std::string>{"logs", "mine"}, {"logs", "-f", "mine"}}) {
        const auto logs = con(words);
        EXPECT_EQ(logs.status, 1);
        EXPECT_EQ(logs.err, "stack: container mine keeps no log: its log driver is none\n");
    }
}

TEST_F(Logs, OfAFloodAreWholeAndFollowedOverTheirRotations) {
    run("sleep 1; seq 1 300000", {"--log-opt", "max-size=256k", "--log-opt", "max-file=200"});
    EXPECT_EQ(first_difference(con({"logs", "-f", "mine"}).out, 300000), "");
    EXPECT_EQ(first_difference(con({"logs", "mine"}).out, 300000), "");
    EXPECT_EQ(con({"logs", "--tail", "2", "mine"}).out, "299999\n300000\n");
}

TEST_F(Logs, OfAShimThatWasKilledAreWholeEntriesAndItsContainerStartsAgain) {
    run("while echo tick; do sleep 0.02; done");  // the first process is not killed by SIGPIPE
    EXPECT_TRUE(eventually([&] { return con({"logs", "mine"}).out.starts_with("tick\n"); }));
    const auto shims = shim_pids();
    ASSERT_EQ(shims.size(), 1U);
    ::kill(std::stoi(shims.front()), SIGKILL);
    // Nobody reads it any more.
    EXPECT_TRUE(eventually([&] { return state() == "exited"; }));
    EXPECT_NE(con({"ls", "-a"}).out.find("Exited (unknown)"), std::string::npos);
    const auto before = lines_of(con({"logs", "mine"}).out);
    EXPECT_EQ(std::count(before.begin(), before.end(), "tick"),
              static_cast<std::ptrdiff_t>(before.size()));
    EXPECT_EQ(con({"start", "mine"}).status, 0);
    EXPECT_TRUE(eventually([&] {
        return lines_of(con({"logs", "mine"}).out).size() > before.size();
    }));
    EXPECT_EQ(state(), "running");
}

TEST_F(Logs, OfSeveralServicesAreFollowedInOrderOfTime) {
    const std::string prints =
        "    image: busybox\n"
        "    command: sh -c 'for i in $$(seq 100); do echo $$i; sleep 0.02; done'\n";
    stack_.write("compose.yaml",
                 "name: shop\nservices:\n  a:\n" + prints + "  b:\n" + prints + "  c:\n" + prints);
    stack_.must({"up", "-d"});
    std::vector<std::string> times;
    for (const auto& line :
         lines_of(stack_.must({"logs", "-f", "-t", "--no-color", "--no-log-prefix"})))
        times.push_back(line.substr(0, line.find(' ')));
    EXPECT_EQ(times.size(), 300U);
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
}

}  // namespace
}  // namespace stack::test
