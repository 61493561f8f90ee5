// Commands beside one another, and many one after another: each finds the world as the one before
// left it, and nothing grows.

#include "tests/integration/world.h"

#include <algorithm>
#include <filesystem>
#include <future>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

class Beside : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: httpd -f -p 80 -h /etc
    stop_signal: SIGKILL
    ports: ["8080:80"]
    volumes: ["data:/data"]
    depends_on: [db]
  db: {image: busybox, command: sleep 1000, stop_signal: SIGKILL, scale: 2}
volumes: {data: {}}
)");
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    /// Statuses, each command begun before the others are done.
    std::vector<int> at_once(const std::vector<std::vector<std::string>>& commands) const {
        std::vector<std::future<int>> under_way;
        for (const auto& words : commands)
            under_way.push_back(
                std::async(std::launch::async, [this, words] { return stack_.run(words).status; }));
        std::vector<int> statuses;
        for (auto& one : under_way)
            statuses.push_back(one.get());
        return statuses;
    }

    void expect_up() const {
        stack_.must({"up", "-d"});
        const auto all = containers(stack_);
        EXPECT_EQ(all.size(), 3U);
        EXPECT_TRUE(std::all_of(
            all.begin(), all.end(), [](const auto& one) { return one.at("State") == "running"; }));
        EXPECT_TRUE(eventually([] { return !fetch("http://127.0.0.1:8080/passwd").empty(); }));
        EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
    }

    StackProgram stack_;
};

TEST_F(Beside, TwoUpsMakeOneStack) {
    EXPECT_EQ(at_once({{"up", "-d"}, {"up", "-d"}, {"up", "-d"}}), (std::vector<int>{0, 0, 0}));
    const auto all = containers(stack_);
    EXPECT_EQ(all.size(), 3U);
    expect_up();
}

TEST_F(Beside, WhateverCameBesideWhatUpPutsRight) {
    for (int i = 0; i < 3; ++i) {
        static_cast<void>(at_once({{"up", "-d"}, {"down"}, {"restart"}}));
        static_cast<void>(at_once({{"up", "-d", "--force-recreate"}, {"stop"}, {"rm", "-sf"}}));
        static_cast<void>(at_once({{"scale", "db=3"}, {"kill"}, {"up", "-d"}}));
        expect_up();
    }
}

TEST_F(Beside, StacksShareNoSubnetAndNoPort) {
    constexpr int stacks = 8;
    const auto all_at_once = [&](const std::vector<std::string>& words) {
        std::vector<std::vector<std::string>> commands;
        for (int i = 0; i < stacks; ++i) {
            commands.push_back({"-p", "s" + std::to_string(i), "-f", "many.yaml"});
            commands.back().insert(commands.back().end(), words.begin(), words.end());
        }
        EXPECT_EQ(at_once(commands), std::vector<int>(stacks, 0)) << words.front();
    };
    stack_.write("many.yaml", R"(
services:
  web: {image: busybox, command: httpd -f -p 80 -h /etc, stop_signal: SIGKILL, ports: ["80"]}
)");
    all_at_once({"up", "-d"});
    std::set<std::string> subnets;
    for (int i = 0; i < stacks; ++i) {
        const std::string name = "s" + std::to_string(i);
        subnets.insert(stack_.must(
            {"network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", name + "_default"}));
        const std::string port = stack_.must({"-p", name, "-f", "many.yaml", "port", "web", "80"});
        EXPECT_NE(fetch("http://127.0.0.1:" + port.substr(port.find(':') + 1, 5) + "/passwd"), "")
            << name << " at " << port;
    }
    EXPECT_EQ(subnets.size(), std::size_t{stacks});
    all_at_once({"down"});
}

TEST_F(Beside, AnEditMeanwhileIsForTheNextUp) {
    const auto write = [&](const std::string& argument) {
        stack_.write("compose.yaml",
                     R"(
name: shop
services:
  web: {image: busybox, command: sleep )" +
                         argument +
                         R"(, stop_signal: SIGKILL, depends_on: {db: {condition: service_healthy}}}
  db:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    healthcheck: {test: test -e /ready, start_period: 60s, start_interval: 100ms}
)");
    };
    write("1111");
    auto up = std::async(std::launch::async, [&] { return stack_.run({"up", "-d"}).status; });
    EXPECT_TRUE(eventually([&] { return stack_.run({"exec", "db", "true"}).status == 0; }));
    write("2222");
    stack_.must({"exec", "db", "touch", "/ready"});
    EXPECT_EQ(up.get(), 0);
    EXPECT_NE(std::string(container(stack_, "web")["Command"]).find("sleep 1111"),
              std::string::npos);
    stack_.must({"up", "-d"});
    EXPECT_NE(std::string(container(stack_, "web")["Command"]).find("sleep 2222"),
              std::string::npos);
}

TEST_F(Beside, NothingGrowsFromRoundToRound) {
    stack_.must({"up", "-d"});
    const auto descriptors = [&] {
        const auto directory = fs::directory_iterator(
            "/proc/" + std::to_string(supervisor_pid(stack_, "shop")) + "/fd");
        return std::distance(fs::begin(directory), fs::end(directory));
    };
    const auto round = [&] {
        stack_.must({"up", "-d", "--force-recreate"});
        stack_.must({"scale", "db=4"});
        stack_.must({"restart", "web"});
        stack_.must({"scale", "db=2"});
    };
    round();
    const auto processes = pids_of("stack-shim").size();
    const auto before = descriptors();
    constexpr int rounds = 10;
    for (int i = 0; i < rounds; ++i)
        round();
    EXPECT_TRUE(eventually([&] { return descriptors() <= before; }))
        << before << " descriptors before, " << descriptors() << " after";
    EXPECT_TRUE(eventually([&] { return pids_of("stack-shim").size() == processes; }));
}

}  // namespace
}  // namespace stack::test
