// container: what goes wrong in one, and with one, is told as what it is, and stays in it.

#include "tests/integration/containers.h"
#include "tests/support/failpoints.h"

#include <chrono>
#include <future>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

class ContainerFault : public Containers {
  protected:
    /// What is said of a container that cannot be started, whose status is `status`.
    std::string refusal(std::vector<std::string> words, int status) const {
        words.insert(words.begin(), {"run", "--rm"});
        const auto result = con(words);
        EXPECT_EQ(result.status, status) << result.err;
        EXPECT_EQ(result.out, "");
        return result.err;
    }

    [[nodiscard]] std::string end_of(const std::string& name) const {
        return must({"inspect", name, "-f", "{{.State.ExitCode}} {{.State.OOMKilled}}"});
    }

    void write_executable(const std::string& name, const std::string& text) const {
        stack_.write(name, text);
        fs::permissions(here_ / name, fs::perms::all);
    }
};

TEST_F(ContainerFault, AForkBombFillsOnlyItsOwnLimit) {
    must({"run",
          "-d",
          "--name",
          "bomb",
          "--pids-limit",
          "30",
          "busybox",
          "sh",
          "-c",
          "b() { b | b & }; b; exec sleep 1000"});
    EXPECT_TRUE(eventually([&] {
        const auto pids = must({"stats", "--no-stream", "--format", "{{.PIDs}}", "bomb"});
        EXPECT_LE(std::stoi(pids), 30);
        return std::stoi(pids) == 30;
    }));
    EXPECT_EQ(must({"run", "--rm", "busybox", "echo", "unharmed"}), "unharmed\n");
    EXPECT_EQ(must({"rm", "-f", "bomb"}), "bomb\n");
}

TEST_F(ContainerFault, AnEndForWantOfMemoryIsToldApart) {
    EXPECT_EQ(con({"run",
                   "--name",
                   "hog",
                   "-m",
                   "24m",
                   "busybox",
                   "sh",
                   "-c",
                   "head -c 200000000 /dev/zero | tail -c 150000000 >/dev/null; exit 137"})
                  .status,
              137);
    EXPECT_EQ(end_of("hog"), "137 true\n");
    must({"run", "-d", "--name", "killed", "-m", "24m", "busybox", "sleep", "1000"});
    must({"kill", "killed"});
    EXPECT_TRUE(reaches("killed", "exited"));
    EXPECT_EQ(end_of("killed"), "137 false\n");
}

TEST_F(ContainerFault, OneThatDoesNotListenIsKilledWhenItsTimeIsOver) {
    must({"run",
          "-d",
          "--name",
          "deaf",
          "busybox",
          "sh",
          "-c",
          "trap '' TERM; echo up; while :; do sleep 1; done"});
    EXPECT_TRUE(eventually([&] { return must({"logs", "deaf"}) == "up\n"; }));
    const auto before = std::chrono::steady_clock::now();
    must({"stop", "-t", "1", "deaf"});
    EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::seconds(1));
    EXPECT_EQ(seen("deaf")["State"], "exited");
    EXPECT_EQ(end_of("deaf"), "137 false\n");
}

TEST_F(ContainerFault, WhatCannotBeExecutedIsSaidWithItsReason) {
    stack_.write("plain", "text\n");
    write_executable("script", "#!/no/such/shell\n");
    write_executable("junk",
                     "\x7f"
                     "ELFjunk");
    const auto of_file = [&](const std::string& name, int status) {
        return refusal({"-v", here_.string() + ":/here", "busybox", "/here/" + name}, status);
    };
    EXPECT_NE(of_file("missing", 127).find("No such file or directory"), std::string::npos);
    EXPECT_NE(of_file("script", 127).find("its interpreter or loader is missing"),
              std::string::npos);
    EXPECT_NE(of_file("plain", 126).find("Permission denied"), std::string::npos);
    EXPECT_NE(of_file("junk", 126).find("exec format error"), std::string::npos);
    EXPECT_NE(refusal({"busybox", "missing"}, 127).find("is not in the container's PATH"),
              std::string::npos);
}

TEST_F(ContainerFault, AUserOrGroupThatIsNotThereIsNamed) {
    EXPECT_NE(refusal({"-u", "nosuch", "busybox", "true"}, 125)
                  .find("user nosuch is not in the container's /etc/passwd"),
              std::string::npos);
    EXPECT_NE(refusal({"-u", "nobody:nosuch", "busybox", "true"}, 125)
                  .find("group nosuch is not in the container's /etc/group"),
              std::string::npos);
    EXPECT_EQ(must({"run", "--rm", "-u", "4321:8765", "busybox", "id", "-u"}), "4321\n")
        << "numbers need no entry";
}

TEST_F(ContainerFault, ASourceThatVanishesBeforeTheStartIsNamedEachTime) {
    const std::string source = (here_ / "data").string();
    fs::create_directory(source);
    must({"create",
          "--name",
          "mine",
          "--mount",
          "type=bind,source=" + source + ",target=/data",
          "busybox",
          "true"});
    fs::remove(source);
    for (int i = 0; i < 10; ++i) {
        // Its network goes when its set-up fails; that is no reason to speak of the network.
        const auto result = con({"start", "mine"});
        EXPECT_EQ(result.status, 1);
        EXPECT_NE(result.err.find("bind mount " + source + ": No such file or directory"),
                  std::string::npos)
            << result.err;
    }
    fs::create_directory(source);
    EXPECT_EQ(must({"start", "-a", "mine"}), "");
}

TEST_F(ContainerFault, OfTwoAtOnceWithOneNameOneIsMade) {
    const std::vector<std::string> words{
        "container", "run", "--rm", "--name", "mine", "busybox", "sh", "-c", "echo out; exit 7"};
    Failpoints log("name");
    auto slow = log.counting();
    slow["STACK_FAILPOINTS"] = "container.directory=delay:2000";
    auto first = std::async(std::launch::async, [&] { return stack_.run(words, slow); });
    ASSERT_TRUE(eventually([&] { return log.hits().contains("container.directory"); }));
    const auto second = stack_.run(words);  // it looks while the name is free
    EXPECT_EQ(second.status, 125);
    EXPECT_EQ(second.out, "");
    EXPECT_NE(second.err.find("the name mine belongs to another container"), std::string::npos)
        << second.err;
    const auto won = first.get();
    EXPECT_EQ(won.status, 7) << won.err;
    EXPECT_EQ(won.out, "out\n");
}

}  // namespace
}  // namespace stack::test
