// kill -9 of whichever process passes a failpoint of `up` and of `down`, one failpoint after
// another: the same command again converges, and in the end nothing is lost and nothing is left.

#include "tests/integration/world.h"
#include "tests/support/failpoints.h"
#include "tests/support/sandbox.h"

#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

/// A stack in which every part of the engine has something to do.
constexpr const char* shop_file = R"(
name: shop
services:
  web:
    build: .
    command: httpd -f -p 80 -h /data
    ports: ["8080:80"]
    volumes: ["data:/data"]
    stop_signal: SIGKILL
    mem_limit: 64m
    depends_on: {store: {condition: service_healthy}}
  store:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    networks: [back, default]
    healthcheck: {test: "true", interval: 100ms}
volumes: {data: {}}
networks: {back: {}}
)";

class Crash : public testing::Test {
  protected:
    /// A store with nothing but the base image.
    void begin() {
        std::filesystem::remove_all(stack_.root());
        std::filesystem::create_directories(stack_.root());
        std::filesystem::remove_all(sandbox_directory() + "/busybox");
        import_busybox(stack_);
        stack_.write("compose.yaml", shop_file);
        stack_.write("Dockerfile",
                     "FROM busybox\nRUN mkdir /data && echo hello > /data/index.html\n"
                     "COPY page /data/page\n");
        stack_.write("page", "page");
    }

    void up(const Failpoints& failpoints) {
        const Result result = stack_.run({"up", "-d"}, failpoints.counting());
        ASSERT_EQ(result.status, 0) << result.out << result.err;
    }

    void expect_that_it_runs() {
        EXPECT_TRUE(eventually([] { return fetch("http://127.0.0.1:8080/page") == "page"; }));
        EXPECT_EQ(fetch("http://127.0.0.1:8080/index.html"), "hello\n");
        EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
    }

    void end() {
        stack_.must({"down", "-v", "-t", "1"});
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    StackProgram stack_;
};

TEST_F(Crash, OfUpAtEveryFailpoint) {
    begin();
    const Failpoints whole("whole");
    up(whole);
    const auto passed = whole.hits();
    expect_that_it_runs();
    end();
    ASSERT_FALSE(passed.empty());
    for (const auto& [failpoint, hits] : passed) {
        SCOPED_TRACE(failpoint);
        begin();
        const Failpoints broken("broken");
        static_cast<void>(stack_.run({"up", "-d"}, broken.killing(failpoint, 1)));
        EXPECT_GE(broken.hits()[failpoint], 1) << "it was not passed";
        stack_.must({"up", "-d"});
        expect_that_it_runs();
        end();
        if (HasFailure())
            return;
    }
}

TEST_F(Crash, OfDownAtEveryFailpoint) {
    begin();
    const Failpoints whole("whole");
    up(whole);
    expect_that_it_runs();
    const auto before = whole.hits();
    stack_.must({"down", "-v"});
    expect_nothing_left(stack_);
    for (const auto& [failpoint, hits] : whole.hits()) {
        const int passed = before.contains(failpoint) ? before.at(failpoint) : 0;
        if (hits == passed)
            continue;
        SCOPED_TRACE(failpoint);
        begin();
        const Failpoints broken("broken");
        const auto environment = broken.killing(failpoint, passed + 1);
        ASSERT_EQ(stack_.run({"up", "-d"}, environment).status, 0);
        static_cast<void>(stack_.run({"down", "-v"}, environment));
        EXPECT_GT(broken.hits()[failpoint], passed) << "it was not passed";
        end();
        if (HasFailure())
            return;
    }
}

}  // namespace
}  // namespace stack::test
