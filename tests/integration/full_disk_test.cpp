// A disk that is full: what is printed waits or is dropped, as was asked for, and everything still
// ends, is told how it ended, and can be removed.

#include "sys/file.h"
#include "tests/integration/world.h"

#include <chrono>
#include <sstream>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

namespace stack::test {
namespace {

class FullDisk : public testing::Test {
  protected:
    void SetUp() override {
        sys::check(::mount("none", stack_.root().c_str(), "tmpfs", 0, "size=32m"), "make a disk");
        import_busybox(stack_);
    }

    void TearDown() override {
        sys::remove_file(filler_);
        EXPECT_EQ(con({"rm", "-f", "mine"}).status, 0);
        expect_nothing_left(stack_);
        ::umount2(stack_.root().c_str(), MNT_DETACH);
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
        // Its traps are set.
        ASSERT_TRUE(eventually([&] { return con({"logs", "mine"}).out == "up\n"; }));
    }

    [[nodiscard]] std::int64_t room() const {
        struct statvfs status {};

        sys::check(::statvfs(stack_.root().c_str(), &status), "look at the disk");
        return static_cast<std::int64_t>(status.f_bavail * status.f_frsize);
    }

    void fill_but(std::int64_t rest) const {
        sys::replace_volatile_file(filler_,
                                   std::string(static_cast<std::size_t>(room() - rest), 'x'));
    }

    [[nodiscard]] nlohmann::json seen() const {
        return nlohmann::json::parse(con({"ls", "-a", "--format", "json"}).out);
    }

    [[nodiscard]] bool ends() const {
        return eventually([&] { return seen()["State"] == "exited"; });
    }

    [[nodiscard]] int exit_code() const {
        return std::stoi(con({"inspect", "--format", "{{.State.ExitCode}}", "mine"}).out);
    }

    StackProgram stack_;
    std::string filler_ = stack_.root() + "/filler";
};

constexpr std::int64_t little = 256 << 10;

/// How many of the numbers from 1 are printed, a line each and in order.
int numbers_in(const std::string& text) {
    std::istringstream lines(text);
    int count = 0;
    for (std::string line; std::getline(lines, line);)
        if (line == std::to_string(count + 1))
            ++count;
    return count;
}

TEST_F(FullDisk, OutputWaitsForRoomAndNothingElseDoes) {
    run("trap 'seq 1 100000; exit 5' USR1; echo up; while :; do sleep 0.1; done");
    fill_but(little);
    EXPECT_EQ(con({"kill", "-s", "USR1", "mine"}).status, 0);
    ASSERT_TRUE(eventually([&] { return room() == 0; }));
    EXPECT_EQ(con({"exec", "mine", "echo", "in"}).out, "in\n");
    EXPECT_GT(numbers_in(con({"logs", "mine"}).out), 0);
    EXPECT_EQ(seen()["State"], "running");
    sys::remove_file(filler_);
    ASSERT_TRUE(ends());
    EXPECT_EQ(exit_code(), 5);
    EXPECT_EQ(numbers_in(con({"logs", "mine"}).out), 100000);
}

TEST_F(FullDisk, OneWhoseOutputWaitsIsStoppedAndRemoved) {
    run("trap 'seq 1 100000; exit 5' USR1; echo up; while :; do sleep 0.1; done");
    fill_but(little);
    EXPECT_EQ(con({"kill", "-s", "USR1", "mine"}).status, 0);
    ASSERT_TRUE(eventually([&] { return room() == 0; }));
    const auto stopped = con({"stop", "-t", "1", "mine"});
    EXPECT_EQ(stopped.status, 0) << stopped.err;
    EXPECT_EQ(seen()["State"], "exited");
    EXPECT_EQ(exit_code(), 137);
    const auto removed = con({"rm", "mine"});
    EXPECT_EQ(removed.status, 0) << removed.err;
    EXPECT_EQ(con({"ls", "-aq"}).out, "");
}

TEST_F(FullDisk, HowItEndedIsKnown) {
    run("trap 'exit 6' USR1; echo up; while :; do sleep 0.1; done");
    fill_but(0);
    EXPECT_EQ(con({"kill", "-s", "USR1", "mine"}).status, 0);
    ASSERT_TRUE(ends());
    EXPECT_EQ(exit_code(), 6);
}

TEST_F(FullDisk, OneThatCannotBeRecordedIsNotStarted) {
    stack_.must({"container", "create", "--name", "mine", "busybox", "true"});
    fill_but(0);
    const auto started = con({"start", "mine"});
    EXPECT_NE(started.status, 0);
    EXPECT_NE(started.err.find("No space left on device"), std::string::npos) << started.err;
    EXPECT_NE(seen()["State"], "running");
}

TEST_F(FullDisk, ASupervisorThatCannotStartSaysWhy) {
    stack_.write("compose.yaml",
                 "name: shop\nservices: {a: {image: busybox, command: sleep 99}}\n");
    fill_but(0);
    const auto result = stack_.run({"up", "-d"});
    EXPECT_NE(result.status, 0);
    EXPECT_NE(result.err.find("No space left on device"), std::string::npos) << result.err;
    EXPECT_EQ(result.err.find("without a word"), std::string::npos) << result.err;
    sys::remove_file(filler_);
    stack_.must({"up", "-d"});
    stack_.must({"down", "-t", "0"});
}

TEST_F(FullDisk, OutputIsDroppedAndCountedWhereThatIsAskedFor) {
    run("trap 'seq 1 100000' USR1; trap 'echo after; exit 7' USR2; echo up; "
        "while :; do sleep 0.1; done",
        {"--log-opt", "mode=non-blocking"});
    fill_but(little);
    EXPECT_EQ(con({"kill", "-s", "USR1", "mine"}).status, 0);
    ASSERT_TRUE(eventually([&] { return room() == 0; }));
    EXPECT_TRUE(eventually([&] { return con({"exec", "mine", "pidof", "seq"}).status != 0; }));
    sys::remove_file(filler_);
    EXPECT_EQ(con({"kill", "-s", "USR2", "mine"}).status, 0);
    ASSERT_TRUE(ends());
    EXPECT_EQ(exit_code(), 7);
    const auto logs = con({"logs", "mine"});
    EXPECT_LT(numbers_in(logs.out), 100000);
    EXPECT_TRUE((logs.out + logs.err).find(" lines were dropped here: the disk was full\n") !=
                std::string::npos)
        << logs.err;
    EXPECT_NE(logs.out.find("after\n"), std::string::npos);
}

}  // namespace
}  // namespace stack::test
