// A supervisor that dies comes back, whoever has to bring it back and however often.

#include "tests/integration/world.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Revival : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-t", "0"}));
        static_cast<void>(stack_.run({"container", "rm", "-f", "lender"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    void write_service(const std::string& more) const {
        stack_.write("compose.yaml",
                     "name: shop\nservices:\n  web:\n    image: busybox\n    init: true\n"
                     "    command: sleep 1000\n" +
                         more);
    }

    /// Kills it, and waits for the next.
    void kill_supervisor() const {
        const int before = supervisor_pid(stack_, "shop");
        ASSERT_GT(before, 0);
        ASSERT_EQ(::kill(before, SIGKILL), 0);
        const auto is_another = [&] {
            const int now = supervisor_pid(stack_, "shop");
            return now > 0 && now != before &&
                   std::filesystem::exists("/proc/" + std::to_string(now) + "/root/proc");
        };
        ASSERT_TRUE(eventually(is_another)) << "no shim started another one";
    }

    StackProgram stack_;
};

TEST_F(Revival, HappensAsOftenAsItDies) {
    write_service("");
    stack_.must({"up", "-d"});
    for (int i = 0; i < 3; ++i)
        kill_supervisor();
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
}

/// kill -9 of all that is ours at once, as a person in a hurry has it: nobody is left to bring
/// anybody back.
TEST_F(Revival, OfNobodyByNobodyIsTheNextCommands) {
    write_service("  db: {image: busybox, command: sleep 1000, init: true}\n");
    for (const std::string next : {"up", "down"}) {
        stack_.must({"up", "-d"});
        for (const auto* program :
             {"stack", "stack-shim", "stack-dns"})  // the shims' reviver first
            for (const auto& pid : pids_of(program))
                ::kill(std::stoi(pid), SIGKILL);
        if (next == "up") {
            stack_.must({"up", "-d"});
            EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
        }
        stack_.must({"down", "-t", "0"});
        EXPECT_TRUE(containers(stack_).empty());
    }
}

TEST_F(Revival, IsNotBornInTheContainersPidNamespace) {
    stack_.must({"container", "run", "-d", "--name", "lender", "busybox", "sleep", "1000"});
    write_service("    pid: container:lender\n");
    stack_.must({"up", "-d"});
    const auto before = container(stack_, "web");
    kill_supervisor();
    EXPECT_EQ(std::filesystem::read_symlink(
                  "/proc/" + std::to_string(supervisor_pid(stack_, "shop")) + "/ns/pid"),
              std::filesystem::read_symlink("/proc/self/ns/pid"));
    EXPECT_EQ(container(stack_, "web")["State"], "running");
    EXPECT_EQ(container(stack_, "web")["ID"], before["ID"]);
}

TEST_F(Revival, IsSuggestedWhereASupervisorDoesNotAnswer) {
    write_service("");
    stack_.must({"up", "-d"});
    const int supervisor = supervisor_pid(stack_, "shop");
    ASSERT_EQ(::kill(supervisor, SIGSTOP), 0);
    auto asked = std::async(std::launch::async, [&] { return stack_.run({"restart", "-t", "0"}); });
    EXPECT_EQ(asked.wait_for(std::chrono::seconds(7)), std::future_status::timeout);
    ASSERT_EQ(::kill(supervisor, SIGCONT), 0);
    const Result result = asked.get();
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_NE(result.err.find("(pid " + std::to_string(supervisor) + ") has not answered for 5 s"),
              std::string::npos)
        << result.err;
}

TEST_F(Revival, OfAShimThatSomebodyStoppedComesWithTheStop) {
    write_service("");
    stack_.must({"up", "-d"});
    const auto shims = shim_pids();
    ASSERT_EQ(shims.size(), 1U);
    ASSERT_EQ(::kill(std::stoi(shims.front()), SIGSTOP), 0);
    stack_.must({"stop", "-t", "0"});
    EXPECT_EQ(container(stack_, "web")["State"], "exited");
}

TEST_F(Revival, DoesNothingForWhoHasGoneMeanwhile) {
    write_service("");
    stack_.must({"up", "-d"});
    const int supervisor = supervisor_pid(stack_, "shop");
    ASSERT_EQ(::kill(supervisor, SIGSTOP), 0);
    const std::string stop = "cd " + stack_.directory() + " && timeout -s KILL 2 " +
                             STACK_BINARY_DIR "/stack --root " + stack_.root() + " stop";
    EXPECT_NE(run({"sh", "-c", stop}).status, 0);
    ASSERT_EQ(::kill(supervisor, SIGCONT), 0);
    stack_.must({"kill", "-s", "WINCH"});  // takes its turn after what came before
    EXPECT_EQ(container(stack_, "web")["State"], "running");
}

/// The last supervisor of a project ends, and takes its directory away from who has just come.
TEST_F(Revival, IsTriedAgainWhereTheDirectoryGoesMeanwhile) {
    write_service("");
    auto command = std::async(std::launch::async, [&] {
        return stack_.run({"up", "-d"}, {{"STACK_FAILPOINTS", "supervisor.directory=delay:1000"}});
    });
    const auto directory = std::filesystem::path(stack_.root()) / "run/projects/shop";
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(directory); }));
    std::filesystem::remove_all(directory);
    const Result result = command.get();
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(container(stack_, "web")["State"], "running");
}

TEST_F(Revival, IsTheWorkAlsoOfShimsThatHadNoSupervisorForAWhile) {
    write_service("");
    stack_.must({"up", "-d"});
    ASSERT_EQ(::kill(supervisor_pid(stack_, "shop"), SIGTERM), 0);
    ASSERT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
    stack_.must({"up", "-d"});
    kill_supervisor();
}

/// Supervisors that die as soon as they are born: a program in the place of ours, as a broken
/// upgrade has it.
class StillBirth : public Revival {
  protected:
    void SetUp() override {
        Revival::SetUp();
        stack_.write("stillborn",
                     "#!/bin/sh\ncut -d' ' -f1 /proc/uptime >> " + births_ + "\nexit 1\n");
        std::filesystem::permissions(stack_.directory() + "/stillborn",
                                     std::filesystem::perms::owner_all);
    }

    [[nodiscard]] std::vector<double> births() const {
        std::ifstream file(births_);
        return {std::istream_iterator<double>(file), {}};
    }

    const std::string births_ = stack_.directory() + "/births";
    const std::string program_ = STACK_BINARY_DIR "/stack";
};

TEST_F(StillBirth, MakesThemRareAndLeavesContainersAlone) {
    write_service("");
    stack_.must({"up", "-d"});
    const auto before = container(stack_, "web");
    const int dead = supervisor_pid(stack_, "shop");
    ASSERT_EQ(test::run({"mount", "--bind", stack_.directory() + "/stillborn", program_}).status,
              0);
    ASSERT_EQ(::kill(dead, SIGKILL), 0);
    constexpr std::size_t tried = 8;
    EXPECT_TRUE(eventually([&] { return births().size() >= tried; }));
    ASSERT_EQ(test::run({"umount", "-l", program_}).status, 0);
    const auto moments = births();
    ASSERT_GE(moments.size(), tried);
    for (std::size_t i = 5; i < tried; ++i)
        EXPECT_GE(moments[i] - moments[i - 1], 0.9) << i;
    EXPECT_GE(moments[7] - moments[6], 3.9);
    const auto after = container(stack_, "web");
    EXPECT_EQ(after["State"], "running");
    EXPECT_EQ(after["ID"], before["ID"]);
    stack_.must({"up", "-d"});  // does not wait for the next try of a shim
    EXPECT_EQ(container(stack_, "web")["ID"], before["ID"]);
}

TEST_F(StillBirth, IsSaidWithTheReasonOfTheDeath) {
    write_service("");
    const Result up =
        stack_.run({"up", "-d"}, {{"STACK_FAILPOINTS", "supervisor.listen=error:EIO"}});
    EXPECT_EQ(up.status, 1);
    EXPECT_NE(up.err.find("the supervisor of project shop did not start: failpoint "
                          "supervisor.listen: Input/output error"),
              std::string::npos)
        << up.err;
}

}  // namespace
}  // namespace stack::test
