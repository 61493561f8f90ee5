// Containers in the namespaces of others, when those go and come.

#include "tests/integration/world.h"

#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Sharing : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: sleep 1000, scale: 2, stop_signal: SIGKILL}
  side: {image: busybox, command: sleep 1000, network_mode: "service:web", stop_signal: SIGKILL}
)");
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    [[nodiscard]] std::string pid_of(const std::string& name) const {
        std::string pid = stack_.must({"container", "inspect", "--format", "{{.State.Pid}}", name});
        return pid.substr(0, pid.find('\n'));
    }

    [[nodiscard]] bool side_shares_with(const std::string& name) const {
        const auto network = [&](const std::string& container) {
            std::error_code ended;
            return std::filesystem::read_symlink("/proc/" + pid_of(container) + "/ns/net", ended);
        };
        const auto own = network("shop-side-1");
        return !own.empty() && own == network(name);
    }

    StackProgram stack_;
};

TEST_F(Sharing, IsWithAnotherReplicaWhereItsOwnIsLost) {
    stack_.must({"up", "-d"});
    EXPECT_TRUE(side_shares_with("shop-web-1"));
    ASSERT_EQ(::kill(std::stoi(pid_of("shop-web-1")), SIGKILL), 0);
    EXPECT_TRUE(eventually([&] { return side_shares_with("shop-web-2"); }));
    const std::string before = pid_of("shop-side-1");
    stack_.must({"up", "-d"});
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
    EXPECT_EQ(pid_of("shop-side-1"), before) << "its replica has not gone";
    stack_.must({"scale", "web=1"});  // the one that it shares with goes
    EXPECT_TRUE(side_shares_with("shop-web-1"));
}

}  // namespace
}  // namespace stack::test
