// What the machine gives too little of, or at the wrong time: things are said, or take longer, and
// nothing else becomes of them.

#include "tests/integration/world.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Hardship : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.write("compose.yaml", R"(
name: shop
services:
  db:
    image: busybox
    command: ["sh", "-c", "touch /ready; exec sleep 1000"]
    stop_signal: SIGKILL
    healthcheck: {test: ["CMD", "test", "-e", "/ready"], interval: 1s, start_interval: 100ms, start_period: 30s}
  web:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    depends_on: {db: {condition: service_healthy}}
)");
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "0"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    /// `stack WORDS`, by way of `way` (a program and its arguments that runs another).
    [[nodiscard]] Result by(std::vector<std::string> way, const std::string& words) const {
        way.insert(way.end(),
                   {"sh", "-c", "exec " STACK_BINARY_DIR "/stack --root \"$0\" " + words});
        way.push_back(stack_.root());
        return test::run({.words = std::move(way), .directory = stack_.directory()});
    }

    void expect_up() const {
        for (const auto* service : {"db", "web"})
            EXPECT_EQ(container(stack_, service)["State"], "running") << service;
        EXPECT_EQ(container(stack_, "db")["Health"], "healthy");
    }

    StackProgram stack_;
};

TEST_F(Hardship, AFileThatMayNotGrowIsSaidAndKillsNobody) {
    const Result up = by({"prlimit", "--fsize=512"}, "up -d");
    EXPECT_EQ(up.status, 1) << up.err;
    EXPECT_NE(up.err.find("File too large"), std::string::npos) << up.err;
    static_cast<void>(stack_.run({"down"}));
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
    stack_.must({"up", "-d", "--wait"});
    expect_up();
}

TEST_F(Hardship, OfOneProcessorTheLeastOnlyTakesLonger) {
    const std::vector<std::string> least{"taskset", "-c", "0", "nice", "-n", "19"};
    const Result up = by(least, "up -d --wait");
    EXPECT_EQ(up.status, 0) << up.err;
    expect_up();
    const Result down = by(least, "down");
    EXPECT_EQ(down.status, 0) << down.err;
    EXPECT_TRUE(containers(stack_).empty());
}

/// The search for leaks at the end of a program stops it by ptrace(2), and waits for ever where
/// somebody else continues it meanwhile: whoever does that has it left out.
class NoSearchForLeaks {
  public:
    NoSearchForLeaks() { ::setenv(name, (before_ + ":detect_leaks=0").c_str(), 1); }

    NoSearchForLeaks(const NoSearchForLeaks&) = delete;
    NoSearchForLeaks& operator=(const NoSearchForLeaks&) = delete;

    ~NoSearchForLeaks() { ::setenv(name, before_.c_str(), 1); }

  private:
    static constexpr const char* name = "ASAN_OPTIONS";
    const std::string before_ = std::getenv(name) == nullptr ? "" : std::getenv(name);
};

/// Stops and continues all processes of ours, over and over: calls are interrupted, and none of
/// them is in time.
class Interruptions {
  public:
    Interruptions()
        : thread_([this] {
              constexpr std::chrono::milliseconds pause{1};
              while (!over_) {
                  for (const auto* name : {"stack", "stack-shim", "stack-dns"})
                      for (const auto& pid : pids_of(name)) {
                          ::kill(std::stoi(pid), SIGSTOP);
                          ::kill(std::stoi(pid), SIGCONT);
                      }
                  std::this_thread::sleep_for(pause);
              }
          }) {}

    Interruptions(const Interruptions&) = delete;
    Interruptions& operator=(const Interruptions&) = delete;

    ~Interruptions() {
        over_ = true;
        thread_.join();
    }

  private:
    const NoSearchForLeaks no_search_;  // also not by a supervisor that ends after the last command
    std::atomic<bool> over_ = false;
    std::thread thread_;  // last: it reads the other
};

TEST_F(Hardship, InterruptedCallsChangeNothing) {
    const Interruptions interruptions;
    for (int i = 0; i < 2; ++i) {
        const Result up = stack_.run({"up", "-d", "--wait"});
        EXPECT_EQ(up.status, 0) << up.err;
        expect_up();
        EXPECT_EQ(stack_.must({"exec", "-T", "web", "echo", "heard"}), "heard\n");
        const Result down = stack_.run({"down"});
        EXPECT_EQ(down.status, 0) << down.err;
        EXPECT_TRUE(containers(stack_).empty());
    }
}

TEST_F(Hardship, ARequestForWhichThereIsNoMemoryIsDroppedAndNothingElse) {
    ASSERT_EQ(stack_.run({"up", "-d"}, {{"STACK_FAILPOINTS", "plan.computed#2=memory"}}).status, 0);
    const auto before = container(stack_, "web")["ID"];
    const int supervisor = supervisor_pid(stack_, "shop");
    const Result refused = stack_.run({"up", "-d"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.err.find("not enough memory"), std::string::npos) << refused.err;
    stack_.must({"up", "-d", "--wait"});
    EXPECT_EQ(supervisor_pid(stack_, "shop"), supervisor);
    EXPECT_EQ(container(stack_, "web")["ID"], before);
}

}  // namespace
}  // namespace stack::test
