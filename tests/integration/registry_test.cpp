// Pulls from a real registry on the sandbox's loopback, filled by real tools.

#include "tests/integration/world.h"

#include <filesystem>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Registry : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);  // its root file system is the layer that is pushed
        stack_.write("registry.yml",
                     "version: 0.1\nstorage: {filesystem: {rootdirectory: " + stack_.directory() +
                         "/registry}}\nhttp: {addr: '127.0.0.1:5000'}\n");
        must("docker-registry serve registry.yml > registry.log 2>&1 &");
        EXPECT_TRUE(
            eventually([] { return fetch("http://127.0.0.1:5000/v2/").starts_with("{}"); }));
        must(
            "mkdir -p root/bin && cp /bin/busybox root/bin/ && ln -s busybox root/bin/sh && "
            "umoci init --layout image && umoci new --image image:one && "
            "umoci insert --image image:one root/bin /bin && "
            "umoci config --image image:one --config.cmd /bin/sh --config.env PATH=/bin && "
            "skopeo copy --quiet --insecure-policy --dest-tls-verify=false oci:image:one "
            "docker://127.0.0.1:5000/tools/shell:1");
    }

    void must(const std::string& script) {
        const Result result = run({.words = {"sh", "-c", script}, .directory = stack_.directory()});
        ASSERT_EQ(result.status, 0) << script << "\n" << result.out << result.err;
    }

    StackProgram stack_;
};

TEST_F(Registry, GivesAnImageThatAStackRuns) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  tool: {image: "127.0.0.1:5000/tools/shell:1", command: "sh -c 'echo pulled; exec busybox sleep 1000'"}
)");
    stack_.must({"up", "-d"});
    EXPECT_TRUE(eventually([&] {
        return stack_.must({"logs", "--no-log-prefix", "tool"}).find("pulled") != std::string::npos;
    }));
    stack_.must({"down", "-t", "0"});
}

TEST_F(Registry, WhichAnswersThatThereIsNoSuchTagIsBelieved) {
    const Result result = stack_.run({"image", "pull", "127.0.0.1:5000/tools/shell:none"});
    EXPECT_NE(result.status, 0);
    EXPECT_NE(result.err.find("not found"), std::string::npos) << result.err;
    EXPECT_EQ(result.err.find("cannot be reached"), std::string::npos) << result.err;
}

TEST_F(Registry, ThatSendsOtherBytesThanItsDigestSaysIsRefused) {
    must(
        "for blob in registry/docker/registry/v2/blobs/sha256/*/*/data; do "
        "  [ $(stat -c %s $blob) -gt 100000 ] && printf x | dd of=$blob bs=1 seek=50000 "
        "conv=notrunc status=none; done; true");
    const Result result = stack_.run({"image", "pull", "127.0.0.1:5000/tools/shell:1"});
    EXPECT_NE(result.status, 0);
    EXPECT_EQ(stack_.must({"image", "ls"}).find("tools/shell"), std::string::npos);
}

}  // namespace
}  // namespace stack::test
