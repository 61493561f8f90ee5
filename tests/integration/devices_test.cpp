// Which of the machine's devices a container reaches.

#include "sys/file.h"
#include "tests/integration/world.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace stack::test {
namespace {

class Devices : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "1"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    /// How a script in a container of the service ends.
    [[nodiscard]] int status(const std::string& service, const std::string& script) const {
        return stack_.run({"run", "--rm", "-T", service, "sh", "-c", script}).status;
    }

    StackProgram stack_;
};

// 10:229 is /dev/fuse, which is not among the harmless ones and does nothing by being opened.
TEST_F(Devices, AreTheHarmlessOnesAndWhatTheRulesAllow) {
    if (!std::filesystem::exists("/dev/fuse"))
        GTEST_SKIP() << "this machine has no /dev/fuse";
    stack_.write("compose.yaml", R"(
name: shop
services:
  plain: {image: busybox}
  ruled: {image: busybox, device_cgroup_rules: ["c 10:229 rm"]}
  given: {image: busybox, devices: ["/dev/fuse:/dev/log:r"]}
  all: {image: busybox, privileged: true}
)");
    const std::string make = "mknod /dev/it c 10 229";
    const std::string read = "exec 3< /dev/it";
    EXPECT_NE(status("plain", make), 0);
    EXPECT_EQ(status("ruled", make + " && " + read), 0);
    EXPECT_NE(status("ruled", make + " && exec 3> /dev/it"), 0);
    EXPECT_EQ(status("given", "exec 3< /dev/log"), 0);
    EXPECT_NE(status("given", "exec 3> /dev/log"), 0);
    EXPECT_EQ(status("all", make + " && " + read), 0);
    EXPECT_EQ(status("plain", "head -c 9 /dev/urandom > /dev/null && mknod /tmp/n c 1 3"), 0);
}

TEST_F(Devices, OfADirectoryAreAllBelowIt) {
    const std::string directory = stack_.directory() + "/dev";
    std::filesystem::create_directories(directory + "/below");
    for (const auto* name : {"/one", "/below/two"})
        ASSERT_EQ(::mknod((directory + name).c_str(), S_IFCHR | 0600, makedev(1, 5)), 0);
    std::filesystem::create_symlink("/dev", directory + "/link");
    std::filesystem::create_directories(directory + "/empty");
    stack_.write("compose.yaml",
                 "name: shop\nservices:\n"
                 "  given: {image: busybox, devices: ['" +
                     directory +
                     ":/dev/given']}\n"
                     "  none: {image: busybox, devices: ['" +
                     directory +
                     "/empty:/dev/given']}\n"
                     "  gone: {image: busybox, devices: [/dev/no-such-device]}\n");
    EXPECT_EQ(status("given",
                     "head -c 9 /dev/given/one > /dev/null && "
                     "head -c 9 /dev/given/below/two > /dev/null && test ! -e /dev/given/link"),
              0);
    EXPECT_NE(status("none", "true"), 0);
    EXPECT_NE(status("gone", "true"), 0);
}

// Their files lie in /run here, which is the test's own.
TEST_F(Devices, OfVendorsFilesComeWithAllThatTheyNeed) {
    const std::string seen = stack_.directory() + "/hook-saw";
    std::filesystem::create_directories("/run/cdi");
    sys::replace_file("/run/cdi/example.json",
                      R"({
      "cdiVersion": "0.6.0", "kind": "nvidia.com/gpu",
      "containerEdits": {
        "env": ["DRIVER=this"],
        "hooks": [{"hookName": "createContainer", "path": "/bin/sh",
                   "args": ["sh", "-c", "cat > )" +
                          seen + R"("]}]},
      "devices": [{"name": "all", "containerEdits": {
        "deviceNodes": [{"path": "/dev/nvidia0", "hostPath": "/dev/zero", "permissions": "r"}],
        "mounts": [{"hostPath": "/run/cdi", "containerPath": "/opt/cdi",
                    "options": ["ro", "bind"]}]}}]})");
    stack_.write("compose.yaml", R"(
name: shop
services:
  all: {image: busybox, gpus: all}
  named: {image: busybox, devices: ["nvidia.com/gpu=all"]}
  other: {image: busybox, devices: ["nvidia.com/gpu=7"]}
)");
    const std::string script =
        "test $DRIVER = this && head -c 9 /dev/nvidia0 > /dev/null && test -e "
        "/opt/cdi/example.json && ! touch /opt/cdi/mine";
    EXPECT_EQ(status("all", script), 0);
    EXPECT_NE(sys::read_file(seen).value_or("").find("\"pid\""), std::string::npos);
    EXPECT_EQ(status("named", script), 0);
    EXPECT_EQ(
        stack_.run({"container", "run", "--rm", "--gpus", "all", "busybox", "sh", "-c", script})
            .status,
        0);
    const Result refused = stack_.run({"run", "--rm", "-T", "other", "true"});
    EXPECT_NE(refused.status, 0);
    EXPECT_NE(refused.err.find("nvidia.com/gpu=7"), std::string::npos) << refused.err;
    std::filesystem::remove_all("/run/cdi");
}

}  // namespace
}  // namespace stack::test
