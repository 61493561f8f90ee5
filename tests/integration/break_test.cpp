// kill -9 of whichever process passes a failpoint of `up` and of `down`, one failpoint after
// another, and the same with an error instead of a death: the same command again converges, and in
// the end nothing is lost and nothing is left.

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

using Arm = std::map<std::string, std::string> (Failpoints::*)(const std::string&, int) const;

class Break : public testing::Test {
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

    /// What runs beside what is a matter of the moment, and decides about a few: which of two
    /// networks makes the table.
    static void expect_most_passed(std::size_t tried, std::size_t missed) {
        EXPECT_GT(tried, 10U);
        EXPECT_LT(missed * 5, tried);
    }

    void break_up_everywhere(Arm arm) {
        begin();
        const Failpoints whole("whole");
        up(whole);
        const auto passed = whole.hits();
        expect_that_it_runs();
        end();
        std::size_t missed = 0;
        for (const auto& [failpoint, hits] : passed) {
            SCOPED_TRACE(failpoint);
            begin();
            const Failpoints broken("broken");
            static_cast<void>(stack_.run({"up", "-d"}, (broken.*arm)(failpoint, 1)));
            missed += broken.hits()[failpoint] == 0 ? 1U : 0U;
            stack_.must({"up", "-d"});
            expect_that_it_runs();
            end();
            if (HasFailure())
                return;
        }
        expect_most_passed(passed.size(), missed);
    }

    /// The supervisor that `up` starts carries the failpoints of `down`.
    void break_down_everywhere(Arm arm) {
        begin();
        const Failpoints whole("whole");
        up(whole);
        expect_that_it_runs();
        const auto before = whole.hits();
        stack_.must({"down", "-v"});
        expect_nothing_left(stack_);
        std::size_t tried = 0;
        std::size_t missed = 0;
        for (const auto& [failpoint, hits] : whole.hits()) {
            const int passed = before.contains(failpoint) ? before.at(failpoint) : 0;
            if (hits == passed)
                continue;
            ++tried;
            SCOPED_TRACE(failpoint);
            begin();
            const Failpoints broken("broken");
            const auto environment = (broken.*arm)(failpoint, passed + 1);
            const Result up = stack_.run({"up", "-d"}, environment);
            const int before_down = broken.hits()[failpoint];
            if (before_down <= passed) {
                ASSERT_EQ(up.status, 0) << up.err;
            }
            static_cast<void>(stack_.run({"down", "-v"}, environment));
            // An `up` may come by more often than the one that was counted.
            missed += before_down > passed || broken.hits()[failpoint] == passed ? 1U : 0U;
            end();
            if (HasFailure())
                return;
        }
        expect_most_passed(tried, missed);
    }

    StackProgram stack_;
};

TEST_F(Break, KillsAChangeOfNetworksInTheMiddle) {
    for (const std::string failpoint :
         {"container.rewire.detached", "container.rewire.connected"}) {
        SCOPED_TRACE(failpoint);
        begin();
        const Failpoints broken("broken");
        ASSERT_EQ(stack_.run({"up", "-d"}, broken.killing(failpoint, 1)).status, 0);
        const auto before = container(stack_, "store")["ID"];
        std::string changed = shop_file;
        changed.replace(changed.find("[back,"), 6, "[side,");
        changed.replace(changed.find("{back: {}}"), 10, "{back: {}, side: {}}");
        stack_.write("compose.yaml", changed);
        static_cast<void>(stack_.run({"up", "-d"}));
        EXPECT_EQ(broken.hits()[failpoint], 1);
        stack_.must({"up", "-d"});
        expect_that_it_runs();
        EXPECT_EQ(container(stack_, "store")["ID"], before);
        const auto networks = stack_.must({"container", "inspect", "shop-store-1"});
        EXPECT_NE(networks.find("shop_side"), std::string::npos);
        EXPECT_EQ(networks.find("shop_back"), std::string::npos);
        stack_.write("compose.yaml", shop_file);
        end();
    }
}

TEST_F(Break, KillsUpAtEveryFailpoint) {
    break_up_everywhere(&Failpoints::killing);
}

TEST_F(Break, KillsDownAtEveryFailpoint) {
    break_down_everywhere(&Failpoints::killing);
}

TEST_F(Break, FailsUpAtEveryFailpoint) {
    break_up_everywhere(&Failpoints::failing);
}

TEST_F(Break, FailsDownAtEveryFailpoint) {
    break_down_everywhere(&Failpoints::failing);
}

}  // namespace
}  // namespace stack::test
