// State that somebody took away or damaged: no container runs twice, what is not concerned goes on,
// and the next `up` or `down` puts right what is.

#include "tests/integration/world.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class LostState : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sh -c 'while true; do cat /proc/sys/kernel/random/uuid > /data/run; httpd -f -p 80 -h /data; done'
    stop_signal: SIGKILL
    restart: always
    ports: ["8080:80"]
    volumes: ["data:/data"]
volumes: {data: {}}
)");
        stack_.must({"up", "-d"});
        EXPECT_TRUE(eventually([&] { return leads_to_port(); }));
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    [[nodiscard]] static bool leads_to_port() {
        return fetch("http://127.0.0.1:8080/run").size() > 30;
    }

    [[nodiscard]] std::string id() const {
        return nlohmann::json::parse(stack_.must({"container", "inspect", "shop-web-1"}))[0]["Id"];
    }

    static void damage(const std::string& file) {
        ASSERT_TRUE(std::filesystem::exists(file));
        std::ofstream(file).close();
    }

    StackProgram stack_;
};

TEST_F(LostState, ThatIsOfRunsIsNoReasonToRunTwice) {
    const auto httpds = [] { return pids_of("httpd").size(); };
    ASSERT_EQ(httpds(), 1U);
    const std::set<std::string> before{pids_of("httpd").front()};
    std::filesystem::remove_all(stack_.root() + "/run");
    stack_.must({"up", "-d"});
    EXPECT_TRUE(eventually([&] { return leads_to_port(); }));
    EXPECT_TRUE(eventually([&] { return httpds() == 1; }));
    EXPECT_FALSE(before.contains(pids_of("httpd").front())) << "nobody looks after that one";
    EXPECT_TRUE(eventually([] { return shim_pids().size() == 1; }));
    EXPECT_TRUE(eventually([] { return pids_of("stack-dns").size() == 1; }));
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
}

TEST_F(LostState, ThatIsOfRunsHoldsNoDownUp) {
    std::filesystem::remove_all(stack_.root() + "/run");
    stack_.must({"down", "-t", "1"});
    EXPECT_TRUE(eventually([] { return pids_of("httpd").empty(); }));
}

TEST_F(LostState, ThatIsOfANetworkIsItsOwnStacksTroubleOnly) {
    stack_.must({"container", "run", "-d", "--name", "other", "busybox", "sleep", "1000"});
    const std::string record = stack_.root() + "/networks/shop_default.json";
    damage(record);
    EXPECT_EQ(container(stack_, "web")["State"], "running");
    stack_.must({"container", "run", "--rm", "busybox", "true"});
    EXPECT_NE(stack_.must({"network", "ls"}).find("bridge"), std::string::npos);
    EXPECT_NE(stack_.run({"network", "ls"}).err.find(record + " is damaged"), std::string::npos);
    EXPECT_NE(stack_.run({"doctor"}).out.find(record + " is damaged"), std::string::npos);
    EXPECT_TRUE(leads_to_port());
    std::filesystem::remove(record);
    stack_.must({"up", "-d"});
    EXPECT_TRUE(eventually([&] { return leads_to_port(); }));
    stack_.must({"container", "rm", "-f", "other"});
    stack_.must({"network", "prune", "-f"});
}

TEST_F(LostState, ThatIsOfAContainerIsWrittenAnewByItsSupervisor) {
    const std::string before = id();
    damage(stack_.root() + "/containers/" + before + "/config.json");
    stack_.must({"up", "-d"});
    EXPECT_EQ(id(), before);
    EXPECT_TRUE(leads_to_port());
    EXPECT_EQ(pids_of("httpd").size(), 1U);
}

TEST_F(LostState, ThatIsOfAContainerLeavesItOneThatCanBeRemoved) {
    stack_.must({"container", "run", "-d", "--name", "other", "busybox", "sleep", "1000"});
    const std::string lost =
        nlohmann::json::parse(stack_.must({"container", "inspect", "other"}))[0]["Id"];
    damage(stack_.root() + "/containers/" + lost + "/config.json");
    const auto looked = stack_.run({"container", "ls", "-a"});
    EXPECT_NE(looked.err.find("the record of container " + lost.substr(0, 12) + " is damaged"),
              std::string::npos)
        << looked.err;
    EXPECT_NE(stack_.run({"doctor"}).out.find(lost), std::string::npos);
    ASSERT_EQ(pids_of("sleep").size(), 1U);
    stack_.must({"container", "rm", "-f", lost});
    EXPECT_TRUE(eventually([] { return pids_of("sleep").empty(); }));
    stack_.must({"network", "prune", "-f"});
}

TEST_F(LostState, ThatIsOfImagesHoldsNoDownUp) {
    damage(stack_.root() + "/images/index.json");
    EXPECT_EQ(container(stack_, "web")["State"], "running");
    stack_.must({"down", "-t", "1"});
}

TEST_F(LostState, ThatIsOfThePacketFilterIsThereWhenUpSaysSo) {
    EXPECT_EQ(run({"nft", "flush", "ruleset"}).status, 0);
    EXPECT_NE(stack_.run({"doctor"}).out.find("somebody has taken away what leads to published"),
              std::string::npos);
    stack_.must({"up", "-d"});
    EXPECT_TRUE(leads_to_port()) << "at once";
}

TEST_F(LostState, ThatIsOfALinkIsThereWhenUpSaysSo) {
    EXPECT_EQ(run({"sh",
                   "-c",
                   "ip link del $(ip -o link show type veth | sed -n 's/^[0-9]*: "
                   "\\(stv[^@:]*\\).*/\\1/p')"})
                  .status,
              0);
    EXPECT_FALSE(leads_to_port());
    const std::string before = id();
    stack_.must({"up", "-d"});
    EXPECT_TRUE(leads_to_port());
    EXPECT_EQ(id(), before);
    stack_.must({"exec", "-T", "web", "sh", "-c", "ip route | grep -q '^default via'"});
}

}  // namespace
}  // namespace stack::test
