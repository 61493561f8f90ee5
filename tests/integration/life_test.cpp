// A stack's life from the outside: up, look, change, down; and what it survives.

#include "sys/file.h"
#include "sys/socket_path.h"
#include "tests/integration/world.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace stack::test {
namespace {

constexpr const char* web_file = R"(
name: shop
services:
  web:
    image: busybox
    command: sh -c 'echo serving; exec httpd -f -p 80 -h /etc'
    ports: ["8080:80"]
    restart: on-failure
  worker:
    image: busybox
    command: sleep 1000
    depends_on: [web]
)";

class Life : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "1", "--remove-orphans"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    StackProgram stack_;
};

TEST_F(Life, ThePublishedPortIsReachedAndTheNamesResolve) {
    stack_.write("compose.yaml", web_file);
    stack_.must({"up", "-d"});
    EXPECT_TRUE(
        eventually([] { return fetch("http://127.0.0.1:8080/passwd").starts_with("root:"); }));
    EXPECT_EQ(container(stack_, "web")["State"], "running");
    EXPECT_TRUE(eventually([&] {
        return stack_.run({"exec", "worker", "wget", "-q", "-O", "-", "http://web/passwd"})
            .out.starts_with("root:");
    }));
    EXPECT_NE(stack_.must({"logs", "--no-log-prefix", "web"}).find("serving"), std::string::npos);
    EXPECT_EQ(stack_.must({"port", "web", "80"}), "0.0.0.0:8080\n");
}

TEST_F(Life, EachReplicaGetsAPortOfARange) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: httpd -f -h /etc, scale: 3, ports: ["8200-8203:80"]}
)");
    const auto ports = [&] {
        std::set<std::string> found;
        for (const char* index : {"1", "2", "3"})
            found.insert(stack_.must({"port", "--index", index, "web", "80"}));
        return found;
    };
    const std::set<std::string> three{"0.0.0.0:8200\n", "0.0.0.0:8201\n", "0.0.0.0:8202\n"};
    stack_.must({"up", "-d"});
    EXPECT_EQ(ports(), three);
    stack_.must({"stop", "-t", "0"});
    stack_.must(
        {"container", "run", "-d", "--name", "thief", "-p", "8201:80", "busybox", "sleep", "1000"});
    stack_.must({"start"});
    EXPECT_EQ(ports(),
              (std::set<std::string>{"0.0.0.0:8200\n", "0.0.0.0:8202\n", "0.0.0.0:8203\n"}));
    stack_.must({"container", "rm", "-f", "thief"});
}

TEST_F(Life, AnUnchangedStackIsAnEmptyPlanAndNothingChanges) {
    stack_.write("compose.yaml", web_file);
    stack_.must({"up", "-d"});
    const auto before = containers(stack_);
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
    stack_.must({"up", "-d"});
    const auto after = containers(stack_);
    ASSERT_EQ(before.size(), after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
        EXPECT_EQ(before[i]["ID"], after[i]["ID"]);
        EXPECT_EQ(before[i]["CreatedAt"], after[i]["CreatedAt"]);
    }
}

TEST_F(Life, AChangeIsShownWithBothValuesAndRecreatesOnlyItsService) {
    stack_.write("compose.yaml", web_file);
    stack_.must({"up", "-d"});
    const auto worker = container(stack_, "worker")["ID"];
    const auto web = container(stack_, "web")["ID"];
    std::string changed = web_file;
    changed.replace(changed.find("echo serving"), 12, "echo changed");
    stack_.write("compose.yaml", changed);
    const std::string plan = stack_.run({"plan"}).out;
    EXPECT_NE(plan.find("configuration changed"), std::string::npos) << plan;
    EXPECT_NE(plan.find("echo serving"), std::string::npos) << plan;
    EXPECT_NE(plan.find("echo changed"), std::string::npos) << plan;
    stack_.must({"up", "-d", "-t", "1"});
    EXPECT_EQ(container(stack_, "worker")["ID"], worker);
    EXPECT_NE(container(stack_, "web")["ID"], web);
}

TEST_F(Life, AnotherContentOfAFileThatItHasACopyOfMakesItAnew) {
    stack_.write("greeting", "hello\n");
    stack_.write("settings", "one\n");
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sleep 1000
    configs: [greeting]
    volumes: ["./settings:/settings"]
configs: {greeting: {file: ./greeting}}
)");
    const auto id = [&] { return container(stack_, "web")["ID"].get<std::string>(); };
    const auto says = [&](const char* file) {
        return stack_.must({"exec", "-T", "web", "cat", file});
    };
    stack_.must({"up", "-d"});
    const std::string first = id();
    stack_.must({"up", "-d"});
    EXPECT_EQ(id(), first) << "nothing has changed";
    stack_.write("greeting", "good day\n");
    EXPECT_NE(stack_.run({"plan"}).out.find("the content of a config or secret changed"),
              std::string::npos);
    stack_.must({"up", "-d", "-t", "0"});
    const std::string second = id();
    EXPECT_NE(second, first);
    EXPECT_EQ(says("/greeting"), "good day\n");
    std::ofstream(stack_.directory() + "/settings", std::ios::app) << "two\n";
    stack_.must({"up", "-d"});
    EXPECT_EQ(id(), second) << "it sees what is written into the file";
    EXPECT_EQ(says("/settings"), "one\ntwo\n");
    stack_.write("settings.new", "three\n");  // as editors do
    std::filesystem::rename(stack_.directory() + "/settings.new", stack_.directory() + "/settings");
    stack_.must({"up", "-d", "-t", "0"});
    EXPECT_NE(id(), second);
    EXPECT_EQ(says("/settings"), "three\n");
}

TEST_F(Life, AVolumeOutlivesDownAndGoesWhenAsked) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  keeper:
    image: busybox
    command: sh -c 'echo visit >> /data/visits; exec sleep 1000'
    volumes: ["data:/data"]
volumes:
  data:
)");
    for (int i = 0; i < 2; ++i) {
        stack_.must({"up", "-d"});
        EXPECT_TRUE(eventually([&] {
            return stack_.run({"exec", "keeper", "test", "-s", "/data/visits"}).status == 0;
        }));
        if (i == 0)
            stack_.must({"down", "-t", "1"});
    }
    EXPECT_TRUE(eventually([&] {
        return stack_.must({"exec", "keeper", "cat", "/data/visits"}) == "visit\nvisit\n";
    }));
    stack_.must({"down", "-v", "-t", "1"});
    EXPECT_EQ(stack_.must({"volumes", "-q"}), "");
}

TEST_F(Life, StopStartAndRestartKeepTheContainer) {
    stack_.write("compose.yaml", web_file);
    stack_.must({"up", "-d"});
    const auto id = container(stack_, "web")["ID"];
    stack_.must({"stop", "-t", "1", "web"});
    EXPECT_EQ(container(stack_, "web")["State"], "exited");
    stack_.must({"start", "web"});
    EXPECT_EQ(container(stack_, "web")["State"], "running");
    stack_.must({"restart", "-t", "1", "web"});
    EXPECT_EQ(container(stack_, "web")["State"], "running");
    EXPECT_EQ(container(stack_, "web")["ID"], id);
}

/// A container's program fails: nobody asked for its end.
void fail(const StackProgram& stack, const std::string& name) {
    const std::string pid =
        stack.must({"container", "inspect", "--format", "{{.State.Pid}}", name});
    ASSERT_EQ(::kill(std::stoi(pid), SIGKILL), 0);
}

TEST_F(Life, AFailedContainerIsStartedAgain) {
    stack_.write("compose.yaml", web_file);
    stack_.must({"up", "-d"});
    const auto id = container(stack_, "web")["ID"];
    fail(stack_, "shop-web-1");
    EXPECT_TRUE(
        eventually([&] { return fetch("http://127.0.0.1:8080/passwd").starts_with("root:"); }));
    EXPECT_EQ(container(stack_, "web")["ID"], id);
}

TEST_F(Life, AKilledSupervisorComesBackAndNothingIsLost) {
    stack_.write("compose.yaml", web_file);
    stack_.must({"up", "-d"});
    const int before = supervisor_pid(stack_, "shop");
    ASSERT_GT(before, 0);
    const auto id = container(stack_, "web")["ID"];
    ASSERT_EQ(::kill(before, SIGKILL), 0);
    EXPECT_TRUE(eventually([&] {
        const int now = supervisor_pid(stack_, "shop");
        return now > 0 && now != before && ::kill(now, 0) == 0;
    })) << "no shim started another one";
    EXPECT_EQ(container(stack_, "web")["ID"], id);
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
    fail(stack_, "shop-web-1");  // the new one restarts it
    EXPECT_TRUE(eventually([&] { return container(stack_, "web")["State"] == "running"; }));
}

TEST_F(Life, WhatAPersonKillsStaysDownAndOtherSignalsAreTheProgramsAffair) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sh -c 'trap "exit 0" USR1; echo ready; while :; do sleep 0.1; done'
    restart: always
)");
    stack_.must({"up", "-d"});
    const auto starts = [&] {
        const std::string log = stack_.must({"logs", "--no-log-prefix", "web"});
        return std::count(log.begin(), log.end(), '\n');
    };
    ASSERT_TRUE(eventually([&] { return starts() == 1; }));
    stack_.must({"kill", "-s", "USR1", "web"});
    ASSERT_TRUE(eventually([&] { return starts() == 2; }));
    const std::vector<std::vector<std::string>> kills{{"kill", "web"},
                                                      {"container", "kill", "shop-web-1"}};
    for (const auto& kill : kills) {
        stack_.must(kill);
        ASSERT_TRUE(eventually([&] { return container(stack_, "web")["State"] == "exited"; }));
        std::this_thread::sleep_for(std::chrono::seconds(2));
        EXPECT_EQ(container(stack_, "web")["State"], "exited");
        stack_.must({"up", "-d"});
        EXPECT_EQ(container(stack_, "web")["State"], "running");
    }
}

rlimit descriptors_of(int pid) {
    rlimit limit{};
    EXPECT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit), 0);
    return limit;
}

TEST_F(Life, ASupervisorThatWasShortOfDescriptorsHearsAgain) {
    const rlim_t most = descriptors_of(0).rlim_max;
    const rlimit few{most / 2, most};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    stack_.write("compose.yaml", web_file);
    stack_.must({"up", "-d"});
    const int supervisor = supervisor_pid(stack_, "shop");
    EXPECT_EQ(descriptors_of(supervisor).rlim_cur, most);
    const auto shims = shim_pids();  // one that forwards raises its own limit
    EXPECT_TRUE(std::any_of(shims.begin(), shims.end(), [&](const std::string& pid) {
        return descriptors_of(std::stoi(pid)).rlim_cur == few.rlim_cur;
    }));
    const rlimit none{0, most};
    ASSERT_EQ(::prlimit(supervisor, RLIMIT_NOFILE, &none, nullptr), 0);
    const sys::Fd client =
        sys::connect_to(sys::SocketPath(stack_.root() + "/run/projects/shop", "supervisor.sock"));
    EXPECT_TRUE(client);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // it has tried, and failed
    const rlimit enough{most, most};
    ASSERT_EQ(::prlimit(supervisor, RLIMIT_NOFILE, &enough, nullptr), 0);
    stack_.must({"stop", "-t", "1"});
    EXPECT_EQ(supervisor_pid(stack_, "shop"), supervisor);
}

/// The sockets that a process has open, as /proc names them.
std::set<std::string> sockets_of(const std::string& pid) {
    std::set<std::string> sockets;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + pid + "/fd")) {
        std::error_code gone;
        const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
        if (target.starts_with("socket:"))
            sockets.insert(target);
    }
    return sockets;
}

TEST_F(Life, NoSocketOfTheSupervisorOutlivesItInAShim) {
    stack_.write("compose.yaml", web_file);
    stack_.must({"up", "-d"});
    const auto own = sockets_of(std::to_string(supervisor_pid(stack_, "shop")));
    EXPECT_FALSE(own.empty());
    int shims = 0;
    for (const auto& pid : shim_pids()) {
        ++shims;
        for (const auto& socket : sockets_of(pid))
            EXPECT_FALSE(own.contains(socket)) << "shim " << pid << " has " << socket;
    }
    EXPECT_GE(shims, 2);
}

TEST_F(Life, PsAndTopShowAShimByItsName) {
    stack_.write("compose.yaml", web_file);
    stack_.must({"up", "-d"});
    const auto shims = shim_pids();
    EXPECT_GE(shims.size(), 2U);
    for (const auto& pid : shims)
        EXPECT_EQ(sys::read_file("/proc/" + pid + "/comm"), "stack-shim\n");
}

TEST_F(Life, DependentsWaitUntilWhatTheyNeedIsHealthy) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  db:
    image: busybox
    command: sh -c 'sleep 1; touch /ready; exec sleep 1000'
    healthcheck: {test: ["CMD", "test", "-e", "/ready"], interval: 5s, start_period: 30s, start_interval: 100ms}
  migrate:
    image: busybox
    command: "true"
    depends_on: {db: {condition: service_healthy}}
  web:
    image: busybox
    command: sleep 1000
    depends_on: {migrate: {condition: service_completed_successfully}}
)");
    stack_.must({"up", "-d"});
    EXPECT_EQ(container(stack_, "db")["Health"], "healthy");
    EXPECT_EQ(container(stack_, "migrate")["ExitCode"], 0);
    EXPECT_EQ(container(stack_, "web")["State"], "running");
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
}

TEST_F(Life, LimitsHoldAndOutOfMemoryIsTold) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  hog:
    image: busybox
    command: sh -c 'x=a; while true; do x=$$x$$x; done'
    mem_limit: 16m
    memswap_limit: 16m
)");
    stack_.must({"up", "-d"});
    EXPECT_TRUE(eventually([&] { return container(stack_, "hog")["State"] == "exited"; }));
    const auto hog = container(stack_, "hog");
    EXPECT_NE(hog["Status"].get<std::string>().find("out of memory"), std::string::npos)
        << hog["Status"];
}

TEST_F(Life, NothingOfTheSupervisorIsLeftWhenDownHasAnswered) {
    stack_.write("compose.yaml", web_file);
    for (int i = 0; i < 3; ++i) {
        stack_.must({"up", "-d"});
        stack_.must({"down", "-t", "0"});
        EXPECT_EQ(supervisor_pid(stack_, "shop"), 0);
        EXPECT_FALSE(std::filesystem::exists(stack_.root() + "/run/projects/shop"));
    }
}

TEST_F(Life, AContainerOfAServiceThatLeftTheFileStaysUnlessAsked) {
    stack_.write("compose.yaml", web_file);
    stack_.must({"up", "-d"});
    const std::string file = web_file;
    stack_.write("compose.yaml", file.substr(0, file.find("  worker:")));
    const Result down = stack_.run({"down", "-t", "0"});
    EXPECT_EQ(down.status, 0);
    EXPECT_NE(down.err.find("network shop_default is still in use by container shop-worker-1"),
              std::string::npos)
        << down.err;
    const auto left = containers(stack_);
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left.front()["Service"], "worker");
    stack_.must({"down", "-t", "0", "--remove-orphans"});
}

TEST_F(Life, WhatIsPausedIsStoppedRestartedAndTakenDown) {
    stack_.write("compose.yaml", R"(
name: shop
services: {web: {image: busybox, command: sleep 1000, init: true}}
)");
    stack_.must({"up", "-d"});
    const auto pause = [&] {
        stack_.must({"pause"});
        EXPECT_EQ(container(stack_, "web")["State"], "paused");
        EXPECT_EQ(stack_.run({"exec", "-T", "web", "true"}).err,
                  "stack: service \"web\" is paused: unpause it before exec, by `stack unpause "
                  "web`\n");
    };
    pause();
    stack_.must({"stop"});
    EXPECT_EQ(container(stack_, "web")["State"], "exited");
    stack_.must({"start"});
    pause();
    stack_.must({"restart"});
    EXPECT_EQ(container(stack_, "web")["State"], "running");
    pause();
    stack_.must({"down"});
    EXPECT_TRUE(containers(stack_).empty());
}

TEST_F(Life, AHealthCheckThatTakesTooLongLeavesNothingBehind) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  slow:
    image: busybox
    command: sleep 1000
    healthcheck:
      test: echo >> /tmp/checks; sleep 777 & sleep 777
      interval: 100ms
      timeout: 200ms
      retries: 1
  quick:
    image: busybox
    command: sleep 1000
    healthcheck:
      test: sleep 778 & exit 0
      interval: 100ms
)");
    stack_.must({"up", "-d"});
    const auto said_by_slow = [&](const std::string& script) {
        return stack_.run({"exec", "slow", "sh", "-c", script}).out;
    };
    EXPECT_TRUE(eventually([&] { return said_by_slow("wc -l < /tmp/checks").size() > 2; }))
        << "fewer than ten checks";
    EXPECT_EQ(container(stack_, "slow")["Health"], "unhealthy");
    EXPECT_EQ(container(stack_, "quick")["Health"], "healthy") << "its child holds its output open";
    const std::string sleeping = said_by_slow("ps | grep -c '[s]leep 777'");
    EXPECT_LE(std::stoi("0" + sleeping), 3) << "of the check under way";
}

TEST_F(Life, AHealthCheckMayAskWithoutAProcess) {
    stack_.write("compose.yaml", R"(
name: shop
x-check: &check {interval: 100ms, timeout: 300ms, retries: 1, x-stack: {http: "http://localhost/answer"}}
services:
  web:
    image: busybox
    command: sh -c 'echo fine > /tmp/answer; exec httpd -f -p 127.0.0.1:80 -h /tmp'
    network_mode: none
    healthcheck: {interval: 10s, start_period: 30s, start_interval: 100ms, x-stack: {http: "http://localhost/answer"}}
  store:
    image: busybox
    command: httpd -f -p 5432
    healthcheck: {test: exit 1, interval: 100ms, x-stack: {tcp: 5432}}
  lost:
    image: busybox
    command: httpd -f -p 80 -h /tmp
    healthcheck: *check
  mute:
    image: busybox
    command: sh -c 'httpd -f -p 80 & sleep 1; kill -STOP $$!; exec sleep 1000'
    healthcheck: *check
  absent:
    image: busybox
    command: sleep 1000
    healthcheck: *check
)");
    stack_.must({"up", "-d"});
    const auto health = [&](const std::string& service, const std::string& expected) {
        return eventually([&] { return container(stack_, service)["Health"] == expected; });
    };
    EXPECT_TRUE(health("web", "healthy"));
    EXPECT_TRUE(health("store", "healthy")) << "its test is for others";
    EXPECT_TRUE(health("lost", "unhealthy"));
    EXPECT_TRUE(health("mute", "unhealthy"));
    EXPECT_TRUE(health("absent", "unhealthy"));
    const auto said_of = [&](const std::string& service) {
        return stack_.must({"container",
                            "inspect",
                            "-f",
                            "{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}",
                            "shop-" + service + "-1"});
    };
    EXPECT_EQ(said_of("web"), "0 GET http://localhost/answer: 200 OK\nfine\n\n");
    EXPECT_EQ(said_of("store"), "0 connect to 127.0.0.1:5432: connected\n");
    EXPECT_NE(said_of("lost").find("1 GET http://localhost/answer: 404"), std::string::npos);
    EXPECT_TRUE(eventually([&] {
        return said_of("mute").find("-1 Health check exceeded timeout (300ms): GET") == 0;
    }));
    EXPECT_NE(said_of("absent").find("answer: Connection refused"), std::string::npos);
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
}

TEST_F(Life, AContainerOfAServiceIsExportedAndCommitted) {
    stack_.write("compose.yaml",
                 "name: shop\nservices: {web: {image: busybox, command: sleep 1000}}\n");
    stack_.must({"up", "-d"});
    stack_.must({"exec", "-T", "web", "sh", "-c", "echo kept > /made"});
    const std::string archive = stack_.directory() + "/web.tar";
    stack_.must({"export", "-o", archive, "web"});
    EXPECT_EQ(run({"tar", "-xOf", archive, "made"}).out, "kept\n");
    stack_.must({"commit", "-c", "CMD [\"cat\", \"/made\"]", "web", "made:1"});
    EXPECT_EQ(stack_.must({"container", "run", "--rm", "made:1"}), "kept\n");
    EXPECT_EQ(stack_.run({"commit", "nobody", "made:2"}).status, 1);
}

TEST_F(Life, AServiceThatIsNamedNeedsNoProfile) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: sleep 1000}
  tool: {image: busybox, command: sleep 1000, profiles: [extra]}
)");
    for (const char* verb : {"stop", "rm", "kill", "logs", "ps", "images", "top", "pause", "build"})
        EXPECT_EQ(stack_.run({verb, "tool"}).status, 0) << verb;
    EXPECT_EQ(stack_.run({"plan"}).out.find("tool"), std::string::npos);
    EXPECT_NE(stack_.run({"plan", "tool"}).out.find("start container/shop-tool-1"),
              std::string::npos);
    stack_.must({"up", "-d", "tool"});
    const auto up = containers(stack_);
    ASSERT_EQ(up.size(), 1U);
    EXPECT_EQ(up.front()["Service"], "tool");
}

TEST_F(Life, PlanEndsAsItsOutcomeSays) {
    stack_.write("compose.yaml", web_file);
    EXPECT_EQ(stack_.run({"plan"}).status, 2);
    stack_.must({"up", "-d"});
    EXPECT_EQ(stack_.run({"plan"}).status, 0);
    stack_.write("compose.yaml",
                 "name: shop\nservices:\n  web: {image: none, pull_policy: never}\n");
    EXPECT_EQ(stack_.run({"plan"}).status, 1);
}

TEST_F(Life, ADryRunChangesNothingAndEndsAsItsOutcomeSays) {
    stack_.write("compose.yaml", web_file);
    EXPECT_EQ(stack_.run({"--dry-run", "down"}).status, 0);
    const Result up = stack_.run({"--dry-run", "up", "-d"});
    EXPECT_EQ(up.status, 2);
    EXPECT_NE(up.out.find("start container/shop-web-1"), std::string::npos) << up.out;
    EXPECT_TRUE(containers(stack_).empty());
    stack_.must({"up", "-d", "--wait", "--wait-timeout", "30", "--quiet-pull"});
    EXPECT_EQ(stack_.run({"--dry-run", "up", "-d"}).status, 0);
    EXPECT_EQ(stack_.run({"--dry-run", "down"}).status, 2);
    EXPECT_EQ(stack_.run({"--dry-run", "restart", "web"}).status, 2);
    EXPECT_EQ(containers(stack_).size(), 2U);
    stack_.write("compose.yaml",
                 "name: shop\nservices:\n  web: {image: none, pull_policy: never}\n");
    EXPECT_EQ(stack_.run({"--dry-run", "up"}).status, 1);
}

TEST_F(Life, AJobThatEndedWellSatisfiesWaitAndOneThatFailedDoesNot) {
    stack_.write("compose.yaml",
                 "name: shop\nservices:\n  job: {image: busybox, command: 'true'}\n");
    stack_.must({"up", "-d", "--wait"});
    stack_.write("compose.yaml", R"(
name: shop
services:
  slow:
    image: busybox
    command: sleep 1000
    healthcheck: {test: ["CMD", "false"], interval: 1s, retries: 100}
)");
    const Result late = stack_.run({"up", "-d", "--wait", "--wait-timeout", "2"});
    EXPECT_EQ(late.status, 1);
    EXPECT_NE(late.err.find("application not healthy after 2s"), std::string::npos) << late.err;
}

TEST_F(Life, StartWaitsAndDownTakesImagesWithIt) {
    stack_.write("Dockerfile", "FROM busybox\nRUN true > /made\n");
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    build: .
    command: sleep 1000
    healthcheck: {test: ["CMD", "true"], interval: 1s, start_period: 9s, start_interval: 100ms}
)");
    stack_.must({"create"});
    stack_.must({"start", "--wait", "--wait-timeout", "60"});
    EXPECT_EQ(stack_.must({"ps", "--format", "{{.Service}} {{.Health}}"}), "web healthy\n");
    EXPECT_EQ(stack_.must({"container", "inspect", "-f", "{{.State.Status}}", "shop-web-1"}),
              "running\n");
    const Result dry = stack_.run({"--dry-run", "down", "--rmi", "local"});
    EXPECT_EQ(dry.status, 2);
    EXPECT_NE(dry.out.find("remove image/shop-web: down with images"), std::string::npos);
    stack_.must({"down", "-t", "1", "--rmi", "local"});
    EXPECT_EQ(stack_.must({"image", "ls", "--format", "{{.Repository}}"}), "busybox\n");
}

TEST_F(Life, ANameWithoutAFileIsWhatLivesUnderIt) {
    stack_.write("compose.yaml", "name: other\nservices: {web: {image: '${REQUIRED:?}'}}\n");
    stack_.write("shop.yaml",
                 "services: {only: {image: busybox, command: sleep 1000, init: true}}\n");
    stack_.must({"-p", "shop", "-f", "shop.yaml", "up", "-d"});
    EXPECT_EQ(stack_.must({"-p", "shop", "ps", "--services"}), "only\n");
    EXPECT_EQ(stack_.run({"ps", "--services"}, {{"COMPOSE_PROJECT_NAME", "shop"}}).out, "only\n");
    stack_.must({"-p", "shop", "restart", "-t", "0"});
    stack_.must({"-p", "shop", "exec", "-T", "only", "true"});
    stack_.must({"-p", "shop", "down", "-t", "0"});
    EXPECT_EQ(stack_.must({"container", "ls", "-aq"}), "");
    stack_.write("compose.yaml", web_file);
    EXPECT_EQ(stack_.run({"-p", "shop", "ps", "-q", "web"}).status, 0) << "the file has it";
}

TEST_F(Life, WhatIsNotThereIsSaid) {
    const auto said = [&](const std::vector<std::string>& words, int status) {
        const Result result = stack_.run(words);
        EXPECT_EQ(result.status, status) << words.front();
        EXPECT_EQ(result.out, "") << words.front();
        return result.err;
    };
    stack_.write("compose.yaml", web_file);
    EXPECT_EQ(said({"start", "web"}, 1), "stack: service \"web\" has no container to start\n");
    EXPECT_EQ(said({"wait", "web"}, 1), "stack: no containers for project \"shop\"\n");
    EXPECT_EQ(said({"rm", "-f"}, 0), "No stopped containers\n");
    EXPECT_EQ(said({"kill"}, 0), "no container to kill\n");
    EXPECT_EQ(said({"down"}, 0), "Warning: No resource found to remove for project \"shop\".\n");
    stack_.write("compose.yaml",
                 "name: shop\nservices: {tool: {image: busybox, profiles: [extra]}}\n");
    EXPECT_NE(said({"up", "-d"}, 1).find("no service selected"), std::string::npos);
    EXPECT_EQ(said({"create"}, 0), "");
}

TEST_F(Life, TheHashOfAServiceIsTheOneThatItsContainerHas) {
    stack_.write("greeting", "hello\n");
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sleep 1000
    init: true
    volumes: ["data:/data"]
    configs: [greeting]
    secrets: [word]
volumes: {data: {}}
configs: {greeting: {file: ./greeting}}
secrets: {word: {file: ./greeting}}
)");
    stack_.must({"create"});
    EXPECT_EQ(stack_.must({"config", "--hash", "web"}),
              "web " + stack_.must({"container",
                                    "inspect",
                                    "-f",
                                    "{{index .Config.Labels \"com.docker.compose.config-hash\"}}",
                                    "shop-web-1"}));
}

}  // namespace
}  // namespace stack::test
