// run: one command in a container of its own, with its output whole and its status true.

#include "tests/integration/world.h"
#include "tests/support/terminal_client.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

constexpr const char* shop_file = R"(
name: shop
services:
  db:
    image: busybox
    command: sleep 1000
    healthcheck: {test: ["CMD", "true"], interval: 5s, start_period: 30s, start_interval: 100ms}
  job:
    image: busybox
    command: sh -c 'echo $$MOOD; exit 4'
    environment: {MOOD: calm}
    ports: ["8080:80"]
    restart: always
    depends_on: {db: {condition: service_healthy}}
)";

class Run : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.write("compose.yaml", shop_file);
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "1"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    /// `stack run --no-deps WORDS`.
    [[nodiscard]] Result run(std::vector<std::string> words, const std::string& input = {}) const {
        words.insert(words.begin(), {"run", "--no-deps"});
        return stack_.run(std::move(words), {}, input);
    }

    /// The standard output of a script in the project's directory, to which `stack` is this
    /// program.
    std::string shell(const std::string& script) const {
        Command command;
        command.words = {"sh",
                         "-c",
                         "stack() { exec " STACK_BINARY_DIR "/stack --root " + stack_.root() +
                             " \"$@\"; }; " + script};
        command.directory = stack_.directory();
        return test::run(command).out;
    }

    [[nodiscard]] nlohmann::json oneoff() const {
        for (auto& one : containers(stack_))
            if (one["Name"].get<std::string>().starts_with("shop-job-run-"))
                return one;
        return {};
    }

    StackProgram stack_;
};

TEST_F(Run, WhatCannotBeStartedNamesWhoHasItsPortAndLeavesNothing) {
    stack_.must(
        {"container", "run", "-d", "--name", "owner", "-p", "8080:80", "busybox", "sleep", "1000"});
    const auto failed = run({"--rm", "--name", "late", "--service-ports", "job"});
    EXPECT_NE(failed.status, 0);
    EXPECT_NE(failed.err.find("cannot be published by container late: container owner has it"),
              std::string::npos)
        << failed.err;
    EXPECT_TRUE(eventually([&] { return containers(stack_).empty(); }));
    const auto second = stack_.run(
        {"container", "run", "--rm", "--name", "aaa", "-p", "8080:80", "busybox", "true"});
    EXPECT_NE(second.err.find("by container aaa: container owner has it"), std::string::npos)
        << second.err;
    const auto twice = stack_.run(
        {"container", "run", "--rm", "-p", "8081:80", "-p", "8081:81", "busybox", "true"});
    EXPECT_NE(twice.err.find("publishes port 8081 of the host twice"), std::string::npos)
        << twice.err;
    stack_.must({"container", "rm", "-f", "owner"});
}

TEST_F(Run, TheServicesCommandRunsAndItsStatusIsOurs) {
    const auto result = run({"job"});
    EXPECT_EQ(result.out, "calm\n");
    EXPECT_EQ(result.status, 4);
    const auto container = oneoff();
    EXPECT_EQ(container["State"], "exited");  // restart: always is the service's, not its
    EXPECT_EQ(container["ExitCode"], 4);
}

TEST_F(Run, OutputIsWholeHoweverSoonItEnds) {
    for (int i = 0; i < 50; ++i) {
        const auto result =
            run({"--rm", "job", "sh", "-c", "echo out; echo err >&2; seq 2000 | tail -1; exit 3"});
        ASSERT_EQ(result.out, "out\n2000\n") << i << result.err;
        ASSERT_NE(result.err.find("err\n"), std::string::npos) << i;
        ASSERT_EQ(result.status, 3) << i << result.err;
    }
    EXPECT_TRUE(containers(stack_).empty());
}

TEST_F(Run, NothingOfALargeOutputIsLost) {
    const auto result = run({"--rm", "job", "dd", "if=/dev/zero", "bs=1M", "count=8"});
    EXPECT_EQ(result.out.size(), std::size_t{8} << 20U);
}

TEST_F(Run, WhoReadsSlowlyLosesNothing) {
    EXPECT_EQ(shell("stack run --rm --no-deps job dd if=/dev/zero bs=1M count=4 2> /dev/null"
                    " | (sleep 1; wc -c)"),
              "4194304\n");
}

TEST_F(Run, SignalsReachTheCommand) {
    EXPECT_EQ(shell("stack run --rm --no-deps job sh -c "
                    "'trap \"echo heard; exit 9\" TERM; echo ready; while true; do sleep 0.1; done'"
                    " > output & until grep -q ready output; do sleep 0.1; done;"
                    " kill -TERM $!; wait $!; echo $?; cat output"),
              "9\nready\nheard\n");
}

TEST_F(Run, AContainerWhoseClientWasKilledStillGoes) {
    shell(
        "stack run --rm --no-deps job sh -c 'echo ready; exec sleep 2' > output &"
        " until grep -q ready output; do sleep 0.1; done; kill -KILL $!");
    EXPECT_EQ(oneoff()["State"], "running");
    EXPECT_TRUE(eventually([&] { return containers(stack_).empty(); }));
}

TEST_F(Run, WhatIsPipedInReachesItToTheEnd) {
    std::string input;
    for (int i = 0; i < 100'000; ++i)
        input += std::to_string(i) + "\n";
    const auto result = run({"--rm", "-T", "job", "cat"}, input);
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.out, input);
}

TEST_F(Run, OptionsChangeOnlyThisContainer) {
    const auto result = run({"--rm",
                             "-e",
                             "MOOD=$gay",
                             "-w",
                             "/tmp",
                             "-u",
                             "nobody",
                             "-v",
                             "/etc:/host:ro",
                             "job",
                             "sh",
                             "-c",
                             "echo $MOOD; pwd; id -un; test -e /host/passwd && echo mounted"});
    EXPECT_EQ(result.out, "$gay\n/tmp\nnobody\nmounted\n");
    EXPECT_EQ(run({"--rm", "--entrypoint", "echo hello", "job"}).out, "hello\n");
    EXPECT_EQ(run({"--rm", "--entrypoint", "echo", "job", "a", "b"}).out, "a b\n");
}

TEST_F(Run, AServiceThatIsNamedNeedsNoProfile) {
    stack_.write("compose.override.yaml", "services: {job: {profiles: [tools]}}");
    EXPECT_EQ(run({"--rm", "job"}).out, "calm\n");
}

TEST_F(Run, DependenciesAreBroughtUpFirst) {
    EXPECT_EQ(stack_.run({"run", "--rm", "job", "true"}).status, 0);
    EXPECT_EQ(container(stack_, "db")["Health"], "healthy");
    EXPECT_EQ(containers(stack_).size(), 1U);
}

TEST_F(Run, SeveralAtOnceDoNotDisturbEachOther) {
    const std::string script =
        "stack run --rm job echo done & stack run --rm job echo done & "
        "stack run --rm job echo done & wait";
    EXPECT_EQ(shell(script), "done\ndone\ndone\n");
}

TEST_F(Run, PortsArePublishedWhenAskedFor) {
    const auto serve = [&](std::vector<std::string> options) {
        options.insert(options.begin(), "-d");
        options.insert(options.end(), {"job", "httpd", "-f", "-p", "80", "-h", "/etc"});
        const auto result = run(std::move(options));
        EXPECT_EQ(result.out.size(), 65U) << result.out << result.err;
    };
    serve({});
    EXPECT_EQ(fetch("http://127.0.0.1:8080/passwd"), "");
    serve({"-P"});
    EXPECT_TRUE(
        eventually([] { return fetch("http://127.0.0.1:8080/passwd").starts_with("root:"); }));
    serve({"-p", "8081:80"});
    EXPECT_TRUE(
        eventually([] { return fetch("http://127.0.0.1:8081/passwd").starts_with("root:"); }));
    stack_.must({"down", "-t", "1"});
    EXPECT_TRUE(containers(stack_).empty());
}

TEST_F(Run, ACommandThatIsNotThereIsSaidAndIs127) {
    const auto result = run({"--rm", "job", "no-such-program"});
    EXPECT_EQ(result.status, 127);
    EXPECT_NE(result.err.find("no-such-program"), std::string::npos) << result.err;
    EXPECT_TRUE(containers(stack_).empty());
}

TEST_F(Run, AtATerminalItHasOne) {
    TerminalClient client({STACK_BINARY_DIR "/stack",
                           "--root",
                           stack_.root(),
                           "run",
                           "--rm",
                           "--no-deps",
                           "job",
                           "sh",
                           "-c",
                           "stty size; read x; exit 6"},
                          stack_.directory(),
                          33,
                          101);
    EXPECT_TRUE(client.shows("33 101")) << client.screen();
    client.type("\r");
    EXPECT_EQ(client.wait(), 6);
    EXPECT_TRUE(client.is_cooked());
    EXPECT_TRUE(containers(stack_).empty());
}

TEST_F(Run, TakesVariablesOfFilesCapabilitiesAndAliases) {
    stack_.write("run.env", "MOOD=merry\nPLACE=\"a b\"\n");
    const Result told =
        run({"-T", "--rm", "--env-from-file", "run.env", "-e", "PLACE=c", "job", "env"});
    EXPECT_NE(told.out.find("MOOD=merry\n"), std::string::npos) << told.out << told.err;
    EXPECT_NE(told.out.find("PLACE=c\n"), std::string::npos) << told.out;
    EXPECT_EQ(run({"-T", "--rm", "--env-from-file", "none", "job", "env"}).status, 1);
    const std::string rights = "grep CapEff /proc/self/status";
    const auto effective = [&](const std::string& option, const std::string& name) {
        return run({"-T", "--rm", option, name, "job", "sh", "-c", rights}).out;
    };
    EXPECT_NE(effective("--cap-add", "NET_ADMIN"), effective("--cap-drop", "CHOWN"));
    const Result quiet = run({"-T", "--rm", "-q", "job", "true"});
    EXPECT_EQ(quiet.err, "");
    stack_.must(
        {"run", "--no-deps", "-d", "--name", "alias", "--use-aliases", "job", "sleep", "9"});
    EXPECT_TRUE(eventually([&] {
        return run({"-T", "--rm", "job", "nslookup", "job."}).status == 0;
    }));
}

TEST_F(Run, AVolumeThatTheStackDoesNotDeclareIsTheEnginesOfThatName) {
    const Result told =
        run({"-T", "--rm", "--volumes", "scratch:/s", "--labels", "a=b", "job", "touch", "/s/x"});
    EXPECT_EQ(told.status, 0) << told.err;
    EXPECT_EQ(run({"-T", "--rm", "-v", "scratch:/s", "job", "ls", "/s"}).out, "x\n");
    stack_.must({"down", "-v", "-t", "0"});
    EXPECT_EQ(stack_.must({"volume", "ls", "-q"}), "scratch\n");
    stack_.must({"volume", "rm", "scratch"});
}

}  // namespace
}  // namespace stack::test
