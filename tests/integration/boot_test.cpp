// A reboot, as far as a sandbox can have one: nothing of ours lives, nothing is left of the run
// directory and of the network, and the boot id is another.

#include "tests/integration/world.h"

#include <csignal>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Boot : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: "httpd -f -p 80 -h /etc", init: true, restart: always}
  client: {image: busybox, command: sleep 1000, init: true, restart: unless-stopped}
  stopped: {image: busybox, command: sleep 1000, init: true, restart: unless-stopped}
  always: {image: busybox, command: sleep 1000, init: true, restart: always}
  once: {image: busybox, command: sleep 1000, init: true}
)");
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "0"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        static_cast<void>(test::run({"umount", boot_id}));
        expect_nothing_left(stack_);
    }

    /// Shims first: they would bring the supervisor back, which would restart containers.
    void end_processes() const {
        auto pids = shim_pids();
        for (const std::string project : {"shop", "_single"})
            if (const int supervisor = supervisor_pid(stack_, project); supervisor > 0)
                pids.push_back(std::to_string(supervisor));
        for (const auto& one : containers(stack_))
            if (one["State"] == "running")
                pids.push_back(first_process(one["Name"]));
        if (stack_.run({"container", "inspect", "single"}).status == 0)
            pids.push_back(first_process("single"));
        const auto name_service = pids_of("stack-dns");
        pids.insert(pids.end(), name_service.begin(), name_service.end());
        for (const auto& pid : pids)
            ::kill(std::stoi(pid), SIGKILL);
        EXPECT_TRUE(eventually([] { return shim_pids().empty(); }));
    }

    [[nodiscard]] std::string first_process(const std::string& name) const {
        return nlohmann::json::parse(stack_.must({"container", "inspect", name}))
            .at(0)["State"]["Pid"]
            .dump();
    }

    /// The run directory is kept where --root puts it on a disk, gone where it is in memory.
    void reboot(bool run_is_kept) const {
        end_processes();
        const std::string script =
            (run_is_kept ? "true" : "rm -rf " + stack_.root() + "/run") +
            " && for link in $(ip -o link | grep -o 'stk[0-9a-f]*:' | tr -d :); do "
            "ip link del $link; done; nft flush ruleset && cat /proc/sys/kernel/random/uuid > " +
            stack_.root() + "/boot_id && mount --bind " + stack_.root() + "/boot_id " + boot_id;
        const Result result = test::run({"sh", "-c", script});
        ASSERT_EQ(result.status, 0) << result.err;
    }

    [[nodiscard]] std::string state(const std::string& service) const {
        return container(stack_, service)["State"];
    }

    static constexpr const char* boot_id = "/proc/sys/kernel/random/boot_id";
    StackProgram stack_;
};

/// Whether the run directory is kept.
class EachBoot : public Boot, public testing::WithParamInterface<bool> {};

TEST_P(EachBoot, AnEnabledStackComesBackByItsPolicies) {
    stack_.must({"up", "-d"});
    stack_.must({"stop", "stopped", "always", "-t", "1"});
    stack_.must({"container",
                 "run",
                 "-d",
                 "--name",
                 "single",
                 "--init",
                 "--restart",
                 "unless-stopped",
                 "busybox",
                 "sleep",
                 "1000"});
    const Result enabled = stack_.run({"enable"});
    EXPECT_EQ(enabled.status, 0);
    EXPECT_NE(enabled.err.find("`stack resume`"), std::string::npos) << enabled.err;
    reboot(GetParam());
    EXPECT_EQ(state("web"), "exited");

    EXPECT_EQ(stack_.must({"resume"}), "shop\nsingle containers\n");
    EXPECT_TRUE(eventually([&] {
        return state("web") == "running" && state("client") == "running" &&
               state("always") == "running";
    })) << state("web")
        << state("client") << state("always");
    EXPECT_TRUE(eventually([&] {
        return stack_.must({"container", "ps", "--format", "json"}).find("\"single\"") !=
               std::string::npos;
    })) << stack_.must({"container", "ps", "-a"})
        << test::run({"sh", "-c", "cat " + stack_.root() + "/run/projects/_single/*log*"}).out;
    stack_.must({"container", "rm", "-f", "single"});
    EXPECT_EQ(state("stopped"), "exited");
    EXPECT_EQ(state("once"), "exited");
    EXPECT_TRUE(eventually([&] {
        return stack_.run({"exec", "-T", "client", "wget", "-qO-", "http://web/passwd"})
            .out.starts_with("root:");
    }));
}

INSTANTIATE_TEST_SUITE_P(Boot, EachBoot, testing::Bool());

TEST_F(Boot, OneThatIsNotEnabledStaysDown) {
    stack_.must({"up", "-d"});
    stack_.must({"enable"});
    stack_.must({"disable"});
    EXPECT_EQ(stack_.run({"disable", "shop"}).status, 1);
    reboot(false);
    EXPECT_EQ(stack_.must({"resume"}), "");
    EXPECT_EQ(state("web"), "exited");
}

}  // namespace
}  // namespace stack::test
