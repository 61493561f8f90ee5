// container: docker's single containers, by their own names and without a stack file.

#include "tests/integration/containers.h"
#include "tests/support/failpoints.h"
#include "tests/support/terminal_client.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

class Container : public Containers {};

TEST_F(Container, ItRunsAndItsStatusIsOurs) {
    const auto result =
        con({"run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2; exit 7"});
    EXPECT_EQ(result.out, "out\n");
    EXPECT_EQ(result.err, "err\n");
    EXPECT_EQ(result.status, 7);
    EXPECT_EQ(must({"ls", "-aq"}), "");
}

TEST_F(Container, NothingIsLostHoweverSoonItEnds) {
    for (int i = 0; i < 20; ++i) {
        const auto result = con({"run", "--rm", "--network", "none", "busybox", "seq", "1000"});
        ASSERT_EQ(result.status, 0) << result.err;
        ASSERT_TRUE(result.out.ends_with("\n1000\n")) << i;
    }
}

TEST_F(Container, InputIsPassedOnWhenAskedFor) {
    EXPECT_EQ(con({"run", "--rm", "-i", "busybox", "cat"}, "typed\n").out, "typed\n");
    EXPECT_EQ(con({"run", "--rm", "busybox", "cat"}, "typed\n").out, "");
}

TEST_F(Container, OptionsShapeIt) {
    stack_.write("vars", "FROM_FILE=1\n# no\nSPACED=a b\n");
    const auto result =
        con({"run",
             "--rm",
             "--env-file",
             (here_ / "vars").string(),
             "-e",
             "MOOD=$gay",
             "-w",
             "/tmp",
             "-u",
             "nobody",
             "-h",
             "inside",
             "--add-host",
             "other:10.9.8.7",
             "--tmpfs",
             "/scratch",
             "--read-only",
             "-v",
             here_.string() + ":/here:ro",
             "--mount",
             "type=bind,source=/etc,target=/host,readonly",
             "--ulimit",
             "nofile=100:200",
             "--dns",
             "9.9.9.9",
             "busybox",
             "sh",
             "-c",
             "echo $FROM_FILE $SPACED $MOOD; pwd; id -un; hostname; ulimit -n;"
             "grep -c other /etc/hosts; ls /here; test -e /host/passwd && echo bound;"
             "touch /file 2>&1; grep nameserver /etc/resolv.conf"});
    EXPECT_EQ(result.out,
              "1 a b $gay\n/tmp\nnobody\ninside\n100\n1\nvars\nbound\n"
              "touch: /file: Read-only file system\nnameserver 9.9.9.9\n")
        << result.err;
    EXPECT_EQ(con({"run", "--rm", "--entrypoint", "echo", "busybox", "a b", "c"}).out, "a b c\n");
}

TEST_F(Container, DockersOtherWordsAreHeard) {
    stack_.write("labels", "from=file\n");
    must({"run",
          "-d",
          "--name",
          "db",
          "--label-file",
          (here_ / "labels").string(),
          "busybox",
          "sleep",
          "1000"});
    EXPECT_EQ(must({"inspect", "db", "-f", "{{.Config.Labels.from}}"}), "file\n");
    EXPECT_EQ(must({"run", "--rm", "--link", "db:store", "busybox", "ping", "-c1", "-W5", "store"})
                  .find("0 packets received"),
              std::string::npos);
    EXPECT_EQ(con({"run", "--rm", "--link", "nobody", "busybox", "true"}).status, 125);
    const auto half =
        con({"run", "--rm", "-a", "stdout", "busybox", "sh", "-c", "echo out; echo err >&2"});
    EXPECT_EQ(half.out, "out\n");
    EXPECT_EQ(half.err, "");
    EXPECT_EQ(con({"run", "--rm", "-d", "-a", "stdout", "busybox", "true"}).status, 125);
    EXPECT_EQ(must({"exec", "--detach-keys", "ctrl-x", "db", "echo", "in"}), "in\n");
    const auto other =
        con({"run", "--rm", "--pull", "never", "--platform", "linux/s390x", "busybox", "true"});
    EXPECT_EQ(other.status, 125);
    EXPECT_NE(other.err.find("does not match the specified platform (linux/s390x)"),
              std::string::npos)
        << other.err;
    const std::string rows = must({"top", "db", "-o", "pid,args"});
    EXPECT_NE(rows.find("sleep 1000"), std::string::npos) << rows;
    EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 2) << rows;
    EXPECT_NE(must({"top", "db", "aux"}).find("%CPU"), std::string::npos);
}

TEST_F(Container, WhatNeverRanIsTold) {
    const auto status = [&](std::vector<std::string> words, const std::string& sentence) {
        words.insert(words.begin(), {"run", "--rm"});
        const auto result = con(words);
        EXPECT_NE(result.err.find(sentence), std::string::npos) << result.err;
        return result.status;
    };
    EXPECT_EQ(status({"busybox", "no-such-program"}, "no-such-program"), 127);
    EXPECT_EQ(status({"busybox", "/etc"}, "/etc"), 126);
    EXPECT_EQ(status({"--pull", "never", "nothing", "true"}, "nothing"), 125);
    EXPECT_EQ(status({"-m", "much", "busybox"}, "much"), 125);
    EXPECT_EQ(status({"-p", "1:2:3:4:5", "busybox"}, "1:2:3:4:5"), 125);
    EXPECT_EQ(status({"--gpus", "all", "busybox"}, "nvidia.com/gpu=all"), 125);
    EXPECT_EQ(status({"--network", "nowhere", "busybox"}, "`stack network create nowhere`"), 125);
    EXPECT_EQ(status({"-v", "rel/path:/x", "busybox"}, "./rel/path"), 125);
    EXPECT_EQ(status({"--runtime", "runsc", "busybox"}, "--runtime is not supported"), 125);
    EXPECT_EQ(status({"--memroy", "1m", "busybox"}, "did you mean --memory?"), 125);
    EXPECT_EQ(con({"create", "--bogus", "busybox"}).status, 125);
    EXPECT_EQ(con({"exec", "--bogus", "mine", "true"}).status, 125);
    EXPECT_EQ(con({"ls", "--bogus"}).status, 1);
    EXPECT_EQ(con({"run", "-d", "--name", "bad", "busybox", "no-such-program"}).status, 127);
    EXPECT_EQ(must({"ls", "-a", "--format", "json"}).find("no-such-program") == std::string::npos,
              false);
}

TEST_F(Container, WhatHasNoEffectIsSaidAndRunsAllTheSame) {
    const auto result = con({"run",
                             "--rm",
                             "--log-driver",
                             "syslog",
                             "--runtime",
                             "runc",
                             "--disable-content-trust",
                             "busybox",
                             "true"});
    EXPECT_EQ(result.status, 0);
    EXPECT_TRUE(result.err.starts_with("stack: warning: `--log-driver syslog` has no effect here"))
        << result.err;
}

TEST_F(Container, NamesAreUniqueAndRandomOnesReadable) {
    must({"create", "--name", "mine", "busybox"});
    const auto result = con({"run", "--name", "mine", "busybox"});
    EXPECT_EQ(result.status, 125);
    EXPECT_NE(result.err.find("the name mine belongs to container "), std::string::npos);
    must({"create", "busybox"});
    std::istringstream lines(must({"ls", "-a", "--format", "json"}));
    std::string line;
    std::getline(lines, line);  // the newest
    const std::string name = nlohmann::json::parse(line)["Name"];
    EXPECT_NE(name.find('_'), std::string::npos) << name;
    EXPECT_NE(con({"rm", "mime"}).err.find("did you mean mine?"), std::string::npos);
}

TEST_F(Container, ItLivesByItsName) {
    const std::string id = must({"run", "-d", "--name", "mine", "busybox", "sleep", "1000"});
    EXPECT_EQ(id.size(), 65U);
    EXPECT_EQ(seen("mine")["State"], "running");
    EXPECT_EQ(must({"exec", "mine", "echo", "hello"}), "hello\n");
    EXPECT_EQ(con({"exec", "-i", id.substr(0, 12), "cat"}, "typed").out, "typed");
    EXPECT_TRUE(std::regex_search(must({"top", "mine"}),
                                  std::regex("^UID +PID +PPID +C +STIME +TTY +TIME +CMD\n"
                                             "root .* sleep 1000\n$")));
    EXPECT_EQ(con({"rm", "mine"}).status, 1);
    must({"pause", "mine"});
    EXPECT_EQ(seen("mine")["State"], "paused");
    for (const auto& words : {std::vector<std::string>{"exec", "mine", "true"},
                              {"attach", "mine"},
                              {"start", "-a", "mine"}}) {
        const auto refused = con(words);
        EXPECT_EQ(refused.status, 1);
        EXPECT_TRUE(refused.err.starts_with("stack: container mine is paused: unpause it before "))
            << refused.err;
    }
    EXPECT_NE(must({"top", "mine"}).find("sleep 1000"), std::string::npos);
    must({"unpause", "mine"});
    EXPECT_EQ(must({"restart", "-t", "0", "mine"}), "mine\n");
    EXPECT_EQ(seen("mine")["State"], "running");
    must({"rename", "mine", "yours"});
    EXPECT_EQ(con({"stop", "-s", "NONE", "yours"}).status, 1);
    EXPECT_EQ(seen("yours")["State"], "running");
    must({"stop", "-t", "0", "-s", "KILL", "yours"});
    EXPECT_EQ(seen("yours")["State"], "exited");
    EXPECT_EQ(con({"kill", "yours"}).status, 1);
    must({"start", "yours"});
    must({"kill", "-s", "KILL", "yours"});
    EXPECT_TRUE(reaches("yours", "exited"));
    EXPECT_EQ(must({"wait", "yours"}), "137\n");
    EXPECT_EQ(must({"rm", "yours"}), "yours\n");
    EXPECT_EQ(must({"ls", "-aq"}), "");
}

TEST_F(Container, OneThatIsMissingKeepsNothingFromTheOthers) {
    must({"run", "-d", "--name", "runs", "busybox", "sleep", "1000"});
    must({"create", "--name", "rests", "busybox", "true"});
    auto result = con({"rm", "nobody", "runs", "rests"});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.out, "rests\n");
    EXPECT_NE(result.err.find("No such container: nobody"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("container runs is running"), std::string::npos) << result.err;
    result = con({"stop", "-t", "0", "nobody", "runs"});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.out, "runs\n");
    must({"start", "runs"});
    result = con({"rm", "-f", "nobody", "runs"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.out, "runs\n");
    EXPECT_NE(result.err.find("No such container: nobody"), std::string::npos) << result.err;
}

TEST_F(Container, ListsAreAsDockersAre) {
    const std::string id =
        must({"create", "--name", "one", "busybox", "sleep", "12345678901234567890"});
    must({"create", "--name", "two", "busybox"});
    EXPECT_EQ(must({"list", "-a", "--format", "{{.Names}}"}), "two\none\n") << "the newest first";
    EXPECT_EQ(must({"ls", "-l", "--format", "{{.Names}}"}), "two\n");
    EXPECT_EQ(must({"ls", "-n", "1", "--format", "{{.Names}}"}), "two\n");
    const auto named = [&](const std::string& format) {
        return must({"ls", "-a", "-f", "name=one", "--format", format});
    };
    EXPECT_EQ(named("{{.ID}}"), id.substr(0, 12) + "\n");
    EXPECT_EQ(named("{{.Command}}"), "\"sleep 1234567890123…\"\n");
    EXPECT_EQ(must({"ls", "-a", "-f", "name=one", "--no-trunc", "--format", "{{.ID}}"}), id);
    EXPECT_EQ(must({"remove", "one"}), "one\n");
}

TEST_F(Container, LimitsChangeWhileItRuns) {
    must({"run", "-d", "--name", "mine", "-m", "64m", "busybox", "sleep", "1000"});
    must({"update", "-m", "96m", "--pids-limit", "50", "mine"});
    const auto record = nlohmann::json::parse(std::ifstream(
        stack_.root() + "/containers/" + seen("mine")["ID"].get<std::string>() + "/config.json"));
    EXPECT_EQ(record["spec"]["service"]["resources"]["memory"], 96 << 20);
    EXPECT_EQ(record["spec"]["service"]["resources"]["pids"], 50);
    must({"update", "--cpuset-mems", "0", "mine"});
    EXPECT_EQ(must({"inspect", "-f", "{{.HostConfig.CpusetMems}}", "mine"}), "0\n");
    EXPECT_EQ(con({"update", "--cpuset-mems", "4000", "mine"}).status, 1) << "no such node";
}

TEST_F(Container, LogsAreKept) {
    must({"run", "-d", "--name", "mine", "busybox", "sh", "-c", "echo one; echo two"});
    EXPECT_TRUE(reaches("mine", "exited"));
    EXPECT_EQ(must({"logs", "mine"}), "one\ntwo\n");
    EXPECT_EQ(must({"logs", "-n", "1", "mine"}), "two\n");
    EXPECT_EQ(must({"logs", "-f", "mine"}), "one\ntwo\n");
}

TEST_F(Container, PortsLeadToIt) {
    must({"run",
          "-d",
          "--name",
          "web",
          "-p",
          "8080:80",
          "-p",
          "81",
          "busybox",
          "httpd",
          "-f",
          "-p",
          "80",
          "-h",
          "/etc"});
    EXPECT_TRUE(
        eventually([] { return fetch("http://127.0.0.1:8080/passwd").starts_with("root:"); }));
    EXPECT_EQ(must({"port", "web", "80"}), "0.0.0.0:8080\n[::]:8080\n");
    const std::string all = must({"port", "web"});
    EXPECT_NE(all.find("80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080\n"), std::string::npos) << all;
    EXPECT_NE(all.find("81/tcp -> 0.0.0.0:"), std::string::npos) << all;
}

TEST_F(Container, APortThatAProgramHasIsRefusedWithItsOwner) {
    must({"run", "-d", "--network", "host", "busybox", "httpd", "-f", "-p", "8300", "-h", "/etc"});
    EXPECT_TRUE(
        eventually([] { return fetch("http://127.0.0.1:8300/passwd").starts_with("root:"); }));
    const auto refused = con({"run", "--name", "late", "-p", "8300:80", "busybox", "true"});
    EXPECT_EQ(refused.status, 125);
    EXPECT_NE(refused.err.find("8300/tcp is in use by "), std::string::npos) << refused.err;
    EXPECT_EQ(seen("late"), nlohmann::json::object());
}

TEST_F(Container, TheyFindEachOtherByName) {
    must({"run", "-d", "--name", "web", "busybox", "httpd", "-f", "-p", "80", "-h", "/etc"});
    EXPECT_TRUE(eventually([&] {
        return con({"run", "--rm", "busybox", "wget", "-qO-", "http://web/passwd"})
            .out.starts_with("root:");
    }));
}

TEST_F(Container, AStoppedOneStartsAgainWithItsStreams) {
    must({"create", "-i", "--name", "mine", "busybox", "sh", "-c", "read x; echo got $x; exit 3"});
    for (int i = 0; i < 2; ++i) {
        const auto result = con({"start", "-ai", "mine"}, "line\n");
        EXPECT_EQ(result.out, "got line\n") << result.err;
        EXPECT_EQ(result.status, 3);
    }
}

TEST_F(Container, WhoStartsOneWithItsStreamsMissesNothingOfThem) {
    must({"create", "--name", "mine", "busybox", "echo", "said"});
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(must({"start", "-a", "mine"}), "said\n") << i;
    must({"run",
          "-d",
          "--name",
          "going",
          "busybox",
          "sh",
          "-c",
          "until [ -e /go ]; do sleep 0.1; done; echo gone; exit 3"});
    auto joined = std::async(std::launch::async, [&] { return con({"start", "-a", "going"}); });
    EXPECT_EQ(joined.wait_for(std::chrono::seconds(1)), std::future_status::timeout);
    must({"exec", "going", "touch", "/go"});
    const auto result = joined.get();
    EXPECT_EQ(result.out, "gone\n") << "one that runs goes on" << result.err;
    EXPECT_EQ(result.status, 3);
    must({"run", "-d", "--name", "stopped", "busybox", "sh", "-c", "echo up; sleep 1"});
    must({"stop", "-t", "0", "stopped"});
    EXPECT_EQ(must({"start", "-a", "stopped"}), "up\n");
}

TEST_F(Container, OneThatWasRunInTheForegroundStartsWithoutAClient) {
    EXPECT_EQ(con({"run", "--name", "web", "busybox", "sh", "-c", "echo hi; exit 3"}).status, 3);
    must({"start", "web"});
    EXPECT_TRUE(eventually([&] { return must({"logs", "web"}) == "hi\nhi\n"; }));
    EXPECT_TRUE(eventually([&] { return seen("web")["ExitCode"] == 3; }));
}

TEST_F(Container, APrivilegedOneHasATerminalToo) {
    TerminalClient client({STACK_BINARY_DIR "/stack",
                           "--root",
                           stack_.root(),
                           "container",
                           "run",
                           "--rm",
                           "-it",
                           "--privileged",
                           "busybox",
                           "tty"},
                          stack_.directory(),
                          33,
                          101);
    EXPECT_TRUE(client.shows("/dev/pts/0")) << client.screen();
    EXPECT_EQ(client.wait(), 0);
}

TEST_F(Container, ATerminalIsItsOwn) {
    TerminalClient client({STACK_BINARY_DIR "/stack",
                           "--root",
                           stack_.root(),
                           "container",
                           "run",
                           "-it",
                           "--rm",
                           "--name",
                           "mine",
                           "busybox"},
                          stack_.directory(),
                          33,
                          101);
    client.type("stty size; tty\r");
    EXPECT_TRUE(client.shows("33 101")) << client.screen();
    EXPECT_TRUE(client.shows("/dev/pts/")) << client.screen();
    client.type("exit 4\r");
    EXPECT_EQ(client.wait(), 4);
    EXPECT_TRUE(client.is_cooked());
    EXPECT_EQ(must({"ls", "-aq"}), "");
}

TEST_F(Container, ARestartPolicyHasItsKeeper) {
    must({"run",
          "-d",
          "--name",
          "mine",
          "--restart",
          "on-failure:2",
          "busybox",
          "sh",
          "-c",
          "echo run; exit 5"});
    EXPECT_TRUE(eventually([&] {
        return must({"logs", "mine"}) == "run\nrun\nrun\n";
    })) << must({"logs", "mine"});
    must({"rm", "-f", "mine"});
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "_single") == 0; }));
}

TEST_F(Container, OneThatWaitsToBeStartedAgainIsSaidToDoSo) {
    must({"run", "-d", "--name", "mine", "--restart", "always", "busybox", "false"});
    EXPECT_TRUE(eventually([&] { return seen("mine")["State"] == "restarting"; }));
    EXPECT_TRUE(eventually([&] {
        return must({"ls", "--format", "{{.Status}}"}).starts_with("Restarting (1) ");
    }));
    EXPECT_TRUE(eventually([&] {
        return must({"inspect", "mine", "-f", "{{.State.Restarting}} {{gt .RestartCount 1}}"}) ==
               "true true\n";
    }));
    must({"stop", "mine"});
    EXPECT_EQ(seen("mine")["State"], "exited");
}

TEST_F(Container, AnonymousVolumesAreItsOwnWhoeverHadTheName) {
    must({"run", "--name", "pg", "-v", "/data", "busybox", "sh", "-c", "echo first > /data/file"});
    must({"rm", "pg"});
    EXPECT_EQ(must({"run", "--name", "pg", "-v", "/data", "busybox", "ls", "/data"}), "");
    stack_.must({"volume", "prune", "-f"});
}

TEST_F(Container, AVolumeOfTheImageGivesWayHoweverItIsWritten) {
    fs::create_directories(here_ / "root/bin");
    fs::copy_file("/bin/busybox", here_ / "root/bin/sh");
    stack_.must({"image",
                 "import",
                 "-c",
                 "VOLUME /data/",
                 "rootfs:" + (here_ / "root").string(),
                 "voluminous"});
    must({"run", "--rm", "-v", "kept:/data", "voluminous", "sh", "-c", "echo 1 > /data/file"});
    EXPECT_EQ(must({"run",
                    "--rm",
                    "-v",
                    "kept:/data",
                    "voluminous",
                    "sh",
                    "-c",
                    "read x < /data/file; echo $x"}),
              "1\n");
    stack_.must({"volume", "rm", "kept"});
    stack_.must({"image", "rm", "voluminous"});
}

TEST_F(Container, MemoryIsSharedWithWhoLendsItsIpcNamespace) {
    must({"run",
          "-d",
          "--name",
          "lender",
          "--ipc",
          "shareable",
          "busybox",
          "sh",
          "-c",
          "echo shared > /dev/shm/mine; exec sleep 1000"});
    EXPECT_TRUE(eventually([&] {
        return must({"run",
                     "--rm",
                     "--ipc",
                     "container:lender",
                     "busybox",
                     "sh",
                     "-c",
                     "cat /dev/shm/mine || true"}) == "shared\n";
    }));
    EXPECT_FALSE(fs::exists("/dev/shm/mine"));
}

TEST_F(Container, ADetachedExecMayPrint) {
    must({"run", "-d", "--name", "mine", "busybox", "sleep", "1000"});
    must({"exec", "-d", "mine", "sh", "-c", "echo printed; sleep 1; echo more; touch /done"});
    EXPECT_TRUE(eventually([&] {
        return con({"exec", "mine", "test", "-e", "/done"}).status == 0;
    }));
}

TEST_F(Container, AReadOnlyOneHasItsWorkingDirectory) {
    EXPECT_EQ(must({"run", "--rm", "--read-only", "-w", "/made/here", "busybox", "pwd"}),
              "/made/here\n");
}

TEST_F(Container, AHealthCheckHasItsKeeper) {
    must({"run",
          "-d",
          "--name",
          "mine",
          "--health-cmd",
          "echo ill; test -e /tmp/well",
          "--health-interval",
          "1s",
          "--health-start-interval",
          "1s",
          "--health-retries",
          "1",
          "busybox",
          "sleep",
          "1000"});
    EXPECT_TRUE(eventually([&] { return seen("mine")["Health"] == "unhealthy"; }));
    EXPECT_EQ(must({"inspect",
                    "mine",
                    "-f",
                    "{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}"}),
              "1 ill\n\n");
    must({"exec", "mine", "touch", "/tmp/well"});
    EXPECT_TRUE(eventually([&] { return seen("mine")["Health"] == "healthy"; }));
    must({"rm", "-f", "mine"});
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "_single") == 0; }));
}

TEST_F(Container, AnImageFromScratchNeedsNothing) {
    fs::create_directories(here_ / "root");
    fs::copy_file("/bin/busybox", here_ / "root/echo");
    ASSERT_EQ(run({"tar", "-C", here_ / "root", "-cf", here_ / "hello.tar", "echo"}).status, 0);
    stack_.must({"image",
                 "import",
                 "tar:" + (here_ / "hello.tar").string(),
                 "hello-world",
                 "-c",
                 R"(CMD ["/echo", "Hello!"])"});
    const auto result = con({"run", "hello-world"});
    EXPECT_EQ(result.out, "Hello!\n") << result.err;
    EXPECT_EQ(con({"run", "--rm", "rootfs:" + (here_ / "root").string(), "/echo", "there"}).out,
              "there\n");
}

TEST_F(Container, VolumesOutliveIt) {
    must({"run", "--rm", "-v", "kept:/data", "busybox", "sh", "-c", "echo data > /data/file"});
    EXPECT_EQ(must({"run", "--rm", "-v", "kept:/data", "busybox", "cat", "/data/file"}), "data\n");
}

TEST_F(Container, PruneTakesThoseThatDoNotRun) {
    must({"run", "-d", "--name", "runs", "busybox", "sleep", "1000"});
    must({"create", "--name", "rests", "busybox"});
    EXPECT_EQ(must({"prune", "-f", "--filter", "label=keep"}), "Total reclaimed space: 0B\n");
    EXPECT_EQ(must({"prune", "-f"}), "Deleted Containers:\nrests\n\nTotal reclaimed space: 0B\n");
    EXPECT_EQ(seen("runs")["State"], "running");
}

TEST_F(Container, SystemPruneTakesAllThatNothingNeeds) {
    must({"run", "-d", "--name", "runs", "-v", "/kept", "busybox", "sleep", "1000"});
    must({"create", "--name", "rests", "--label", "keep=no", "busybox"});
    must({"create", "--name", "stays", "--label", "keep=yes", "busybox"});
    stack_.must({"volume", "create"});
    stack_.must({"volume", "create", "named"});
    stack_.must({"network", "create", "lonely"});
    EXPECT_EQ(stack_.must({"system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}}"}),
              "Images 1 1\nContainers 3 1\nLocal Volumes 3 1\nBuild Cache 0 0\n");
    for (const auto* part : {"Images space usage:",
                             "REPOSITORY   TAG      IMAGE ID ",
                             "\nbusybox      latest   ",
                             "LOCAL VOLUMES",
                             "runs",
                             "named"})
        EXPECT_NE(stack_.must({"system", "df", "-v"}).find(part), std::string::npos) << part;
    EXPECT_EQ(stack_.must({"system", "info", "-f", "{{.Containers}} {{.ContainersRunning}}"}),
              "3 1\n");
    EXPECT_NE(stack_.must({"system", "info"}).find("Kernel Version: "), std::string::npos);
    auto result = stack_.run({"system", "prune", "--volumes"}, {}, "n\n");
    EXPECT_EQ(result.status, 1);
    EXPECT_TRUE(result.err.starts_with("WARNING! This will remove:\n  - all stopped containers\n"))
        << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(stack_.run({"system", "prune"}).status, 1);
    EXPECT_EQ(stack_.run({"system", "prune", "-f", "--volumes", "--filter", "until=1h"}).status, 1);
    result = stack_.run({"system", "prune", "--filter", "label!=keep=yes"}, {}, "y\n");
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.out,
              "Deleted Containers:\nrests\n\nDeleted Networks:\nlonely\n\n"
              "Total reclaimed space: 0B\n");
    const std::string out = stack_.must({"system", "prune", "-f", "--volumes"});
    EXPECT_TRUE(out.starts_with("Deleted Containers:\nstays\n\nDeleted Volumes:\n")) << out;
    EXPECT_EQ(out.find("named"), std::string::npos);
    EXPECT_EQ(seen("runs")["State"], "running");
    stack_.must({"volume", "rm", "named"});
}

TEST_F(Container, WhatItHasChangedIsSeen) {
    must({"run",
          "--name",
          "mine",
          "-v",
          "/vol",
          "busybox",
          "sh",
          "-c",
          "mkdir /new; echo x > /new/file; echo y >> /etc/passwd; rm /etc/group; rm -r /var;"
          "mkdir /var; echo volume > /vol/file"});
    EXPECT_EQ(must({"diff", "mine"}),
              "C /etc\nD /etc/group\nC /etc/passwd\nA /new\nA /new/file\nC /var\n");
    must({"export", "-o", (here_ / "root.tar").string(), "mine"});
    const auto names = run({"tar", "-tf", here_ / "root.tar"}).out;
    EXPECT_NE(names.find("new/file\n"), std::string::npos);
    EXPECT_NE(names.find("bin/busybox\n"), std::string::npos);
    EXPECT_EQ(names.find("etc/group\n"), std::string::npos);
    EXPECT_EQ(names.find("vol/file\n"), std::string::npos);
}

TEST_F(Container, WhatItHasBecomeIsAnImage) {
    must({"run",
          "-d",
          "--name",
          "mine",
          "-e",
          "MOOD=calm",
          "busybox",
          "sh",
          "-c",
          "mkdir /new; echo x > /new/file; rm /etc/group; rm -r /var; mkdir /var; touch /var/done;"
          "sleep 1000"});
    EXPECT_TRUE(eventually([&] { return con({"exec", "mine", "ls", "/var/done"}).status == 0; }));
    must({"commit",
          "-a",
          "me",
          "-m",
          "for a test",
          "-c",
          "CMD [\"cat\", \"/new/file\"]",
          "mine",
          "made:1"});
    EXPECT_EQ(stack_.must({"image", "inspect", "-f", "{{.Author}}: {{.Comment}}", "made:1"}),
              "me: for a test\n");
    EXPECT_EQ(seen("mine")["State"], "running");
    EXPECT_EQ(must({"run", "--rm", "made:1"}), "x\n");
    EXPECT_EQ(
        must(
            {"run", "--rm", "made:1", "sh", "-c", "echo $MOOD; ls /var; ls /etc/group 2>&1; true"}),
        "calm\ndone\nls: /etc/group: No such file or directory\n");
    must({"rm", "-f", "mine"});
}

TEST_F(Container, WhoDiesWhileItCommitsLeavesNothingFrozen) {
    must({"run", "-d", "--name", "mine", "busybox", "sleep", "1000"});
    Failpoints killed("commit");
    const auto result = stack_.run({"container", "commit", "mine", "made:1"},
                                   killed.killing("container.commit", 1));
    EXPECT_EQ(result.status, 128 + SIGKILL);
    EXPECT_TRUE(reaches("mine", "running"));
    EXPECT_EQ(con({"exec", "mine", "true"}).status, 0);
    must({"pause", "mine"});
    must({"commit", "mine", "made:1"});
    EXPECT_EQ(seen("mine")["State"], "paused") << "as it was";
    must({"unpause", "mine"});
}

TEST_F(Container, InspectIsDockers) {
    const std::string id = must({"run",
                                 "-d",
                                 "--name",
                                 "mine",
                                 "-m",
                                 "64m",
                                 "-p",
                                 "8080:80",
                                 "--label",
                                 "a=b",
                                 "busybox",
                                 "sleep",
                                 "1000"});
    const auto list = nlohmann::json::parse(must({"inspect", "mine"}));
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0]["Id"].get<std::string>() + "\n", id);
    EXPECT_EQ(list[0]["Name"], "/mine");
    EXPECT_EQ(list[0]["State"]["Running"], true);
    EXPECT_EQ(list[0]["HostConfig"]["Memory"], 64 << 20);
    EXPECT_EQ(list[0]["Config"]["Labels"], nlohmann::json({{"a", "b"}}));
    EXPECT_EQ(list[0]["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"], "8080");
    EXPECT_EQ(con({"inspect", "mine", "nobody"}).status, 1);
    const auto& networks = list[0]["NetworkSettings"];
    EXPECT_NE(networks["IPAddress"], "");
    EXPECT_NE(networks["Networks"]["bridge"]["Gateway"], "");
    EXPECT_EQ(must({"exec", "mine", "cat", "/sys/class/net/eth0/address"}),
              networks["MacAddress"].get<std::string>() + "\n");
    must({"exec", "mine", "sh", "-c", "dd if=/dev/zero of=/file bs=1k count=64 2>/dev/null"});
    const auto sized =
        nlohmann::json::parse(must({"inspect", "-s", "--type", "container", "mine"}));
    EXPECT_GE(sized[0]["SizeRw"], 64 << 10);
    EXPECT_NE(must({"ls", "-s"}).find("(virtual "), std::string::npos);
}

TEST_F(Container, TheListIsFiltered) {
    must({"create", "--name", "one", "--label", "a=b", "busybox"});
    must({"create", "--name", "two", "--label", "a=c", "busybox"});
    const auto names = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"ls", "-a", "--format", "json"});
        const std::string text = must(words);
        return std::string(text.find("\"one\"") != std::string::npos ? "1" : "") +
               (text.find("\"two\"") != std::string::npos ? "2" : "");
    };
    EXPECT_EQ(names({}), "12");
    EXPECT_EQ(names({"--filter", "name=wo"}), "2");
    EXPECT_EQ(names({"--filter", "label=a=b"}), "1");
    EXPECT_EQ(names({"--filter", "label=a"}), "12");
    EXPECT_EQ(names({"--filter", "status=running"}), "");
    EXPECT_EQ(names({"--filter", "since=one"}), "2");
    EXPECT_EQ(names({"--filter", "network=bridge"}), "12");
    EXPECT_EQ(names({"-l"}), "2");
    EXPECT_EQ(names({"-n", "2"}), "12");
    EXPECT_EQ(con({"ls", "--filter", "colour=red"}).status, 1);
}

TEST_F(Container, TheUmaskOfWhoCallsIsNotItsOwn) {
    const auto modes = [&](mode_t mask, const std::string& user) {
        const std::string made = "made" + std::to_string(mask);
        const auto before = ::umask(mask);
        const std::string seen = must({"run",
                                       "--rm",
                                       "-u",
                                       user,
                                       "-v",
                                       made + ":/volume",
                                       "-v",
                                       (here_ / made / "deep").string() + ":/bound",
                                       "busybox",
                                       "stat",
                                       "-c",
                                       "%a",
                                       "/",
                                       "/etc/hosts",
                                       "/etc/hostname",
                                       "/etc/resolv.conf",
                                       "/volume",
                                       "/bound"});
        ::umask(before);
        stack_.must({"volume", "rm", made});
        return seen;
    };
    for (const mode_t mask : {077U, 027U, 0U})
        EXPECT_EQ(modes(mask, "1000"), "755\n644\n644\n644\n755\n755\n") << mask;
}

TEST_F(Container, NeedsNoCurrentDirectoryUnlessSomethingIsMeantFromIt) {
    const auto run_in_none = [&](const std::string& options) {
        return run(
            {.words = {"sh",
                       "-c",
                       "mkdir gone && cd gone && rmdir ../gone && exec " STACK_BINARY_DIR
                       "/stack --root '" +
                           stack_.root() + "' container run --rm " + options + " busybox echo ran"},
             .directory = here_});
    };
    const Result ran = run_in_none("-v kept:/kept");
    EXPECT_EQ(ran.out, "ran\n") << ran.err;
    stack_.must({"volume", "rm", "kept"});
    for (const auto* options : {"-v ./x:/x", "--env-file vars"}) {
        const Result refused = run_in_none(options);
        EXPECT_NE(refused.status, 0);
        EXPECT_NE(refused.err.find("the current directory, from which"), std::string::npos)
            << refused.err;
    }
}

TEST_F(Container, TheIdIsWrittenWhereItIsWanted) {
    const std::string file = (here_ / "id").string();
    must({"run", "--rm", "--cidfile", file, "busybox", "true"});
    std::string id;
    std::getline(std::ifstream(file), id);
    EXPECT_EQ(id.size(), 64U);
    EXPECT_EQ(con({"run", "--rm", "--cidfile", file, "busybox", "true"}).status, 125);
}

}  // namespace
}  // namespace stack::test
