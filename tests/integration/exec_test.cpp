// exec: a command in a container that runs has streams of its own, and everything that comes to
// them is passed on.

#include "sys/file.h"
#include "tests/integration/world.h"
#include "tests/support/terminal_client.h"

#include <chrono>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Exec : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.must(
            {"container", "run", "-d", "--name", "mine", "busybox", "sh", "-c", "sleep 1000"});
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"container", "rm", "-f", "mine"}));
        expect_nothing_left(stack_);
    }

    /// `stack container exec WORDS`.
    [[nodiscard]] Result exec(std::vector<std::string> words, const std::string& input = {}) const {
        words.insert(words.begin(), {"container", "exec"});
        return stack_.run(std::move(words), {}, input);
    }

    /// The standard output of a script in a directory of this test's, to which `inside` is
    /// `stack container exec`.
    [[nodiscard]] std::string shell(const std::string& script) const {
        Command command;
        command.words = {"sh",
                         "-c",
                         "inside() { " STACK_BINARY_DIR "/stack --root " + stack_.root() +
                             " container exec \"$@\"; }; " + script};
        command.directory = stack_.directory();
        return test::run(command).out;
    }

    StackProgram stack_;
};

constexpr const char* show_streams = "for i in 0 1 2; do readlink /proc/$$/fd/$i; done";

TEST_F(Exec, NoFileOfTheHostIsOneOfItsStreams) {
    sys::replace_file(stack_.directory() + "/in", "");
    const std::string seen =
        shell("inside -i mine sh -c '" + std::string(show_streams) + "' <in >out 2>err; cat out");
    std::size_t pipes = 0;
    for (auto at = seen.find("pipe:["); at != std::string::npos; at = seen.find("pipe:[", at + 1))
        ++pipes;
    EXPECT_EQ(pipes, 3U) << seen;
    EXPECT_EQ(seen.find(stack_.directory()), std::string::npos) << seen;
}

TEST_F(Exec, TheNullDeviceIsTheContainersOwn) {
    constexpr const char* compare =
        "readlink /proc/$$/fd/0; test $(stat -L -c %d /proc/$$/fd/0) = $(stat -c %d /dev/null) && "
        "echo own";
    EXPECT_EQ(exec({"mine", "sh", "-c", compare}).out, "/dev/null\nown\n");
    EXPECT_EQ(shell("inside mine sh -c 'echo printed' >/dev/null; echo $?"), "0\n");
}

TEST_F(Exec, WhatHasTakenTheNullDevicesPlaceIsNotOpened) {
    ASSERT_EQ(exec({"mine", "sh", "-c", "rm /dev/null && mkfifo /dev/null"}).status, 0);
    const auto result = exec({"mine", "cat"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "");
}

TEST_F(Exec, NothingThatItPrintsIsLost) {
    EXPECT_EQ(shell("inside mine seq 300000 | tail -n 1"), "300000\n");
    EXPECT_EQ(shell("inside mine seq 300000 >file; tail -n 1 file"), "300000\n");
    EXPECT_EQ(shell("inside mine seq 300000 >>file; wc -l <file"), "600000\n");
    EXPECT_EQ(shell("inside mine dd if=/dev/zero bs=1M count=4 2>/dev/null | (sleep 1; wc -c)"),
              "4194304\n");
    const auto both = exec({"mine", "sh", "-c", "echo out; echo err >&2; exit 3"});
    EXPECT_EQ(both.out, "out\n");
    EXPECT_EQ(both.err, "err\n");
    EXPECT_EQ(both.status, 3);
}

TEST_F(Exec, InputComesToItsEnd) {
    const std::string input(3 << 20, 'x');
    EXPECT_EQ(exec({"-i", "mine", "wc", "-c"}, input).out, "3145728\n");
    EXPECT_EQ(shell("head -c 3145728 /dev/zero >in; inside -i mine wc -c <in"), "3145728\n");
    // What is not read keeps nobody.
    EXPECT_EQ(shell("head -c 3145728 /dev/zero | inside -i mine true; echo $?"), "0\n");
}

TEST_F(Exec, ItsDirectoryIsOneOfTheContainers) {
    const auto missing = exec({"-w", "/nosuch", "mine", "true"});
    EXPECT_EQ(missing.status, 126);
    EXPECT_NE(missing.err.find("enter the working directory /nosuch: No such file or directory"),
              std::string::npos)
        << missing.err;
    EXPECT_EQ(exec({"mine", "ls", "-d", "/nosuch"}).status, 1) << "it was made";
    const auto relative = exec({"-w", "etc", "mine", "true"});
    EXPECT_EQ(relative.status, 126);
    EXPECT_EQ(relative.err,
              "stack: the working directory \"etc\" is no absolute path of the container\n");
    EXPECT_EQ(exec({"-w=/etc", "mine", "pwd"}).out, "/etc\n");
    EXPECT_EQ(exec({"-u", "nosuch", "mine", "true"}).status, 126);
    EXPECT_EQ(stack_.must({"container", "run", "--rm", "-w", "/new", "busybox", "pwd"}), "/new\n");
}

TEST_F(Exec, IsToldThatNobodyReadsIt) {
    EXPECT_EQ(shell("inside mine yes | head -n 1"), "y\n");
}

TEST_F(Exec, AStreamOfAnotherUserCanBeOpenedAgain) {
    EXPECT_EQ(exec({"-u", "1000", "mine", "sh", "-c", "echo again >/dev/stdout"}).out, "again\n");
}

TEST_F(Exec, IsNotHeldByWhatItLeavesBehind) {
    const auto before = std::chrono::steady_clock::now();
    const auto result = exec(
        {"mine", "sh", "-c", "(while :; do echo more; done) >&2 & sleep 1000 & echo over; exit 4"});
    EXPECT_EQ(result.out, "over\n");
    EXPECT_EQ(result.status, 4);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30));
}

TEST_F(Exec, WhatItLeavesBehindMayHaveItsSay) {
    EXPECT_EQ(exec({"mine", "sh", "-c", "(sleep 0.3; echo late) & echo early"}).out,
              "early\nlate\n");
}

TEST_F(Exec, EndsWithTheContainer) {
    EXPECT_EQ(shell("inside mine sh -c 'echo in; sleep 1000' >out & until grep -q in out; do sleep "
                    "0.1; done; " STACK_BINARY_DIR "/stack --root " +
                    stack_.root() + " container kill mine >/dev/null; wait $!; echo $?"),
              "137\n");
}

TEST_F(Exec, ATerminalIsTheContainersAndTakesMoreThanItReads) {
    TerminalClient client({STACK_BINARY_DIR "/stack",
                           "--root",
                           stack_.root(),
                           "container",
                           "exec",
                           "-it",
                           "mine",
                           "sh",
                           "-c",
                           "tty; stty -echo -icanon; echo ready; sleep 1; head -c 100000 | wc -c"},
                          stack_.directory(),
                          33,
                          101);
    ASSERT_TRUE(client.shows("ready")) << client.screen();
    EXPECT_NE(client.screen().find("/dev/pts/0"), std::string::npos) << client.screen();
    for (int i = 0; i < 100; ++i)
        client.type(std::string(1000, 'x'));
    EXPECT_TRUE(client.shows("100000")) << client.screen();
    EXPECT_EQ(client.wait(), 0);
}

}  // namespace
}  // namespace stack::test
