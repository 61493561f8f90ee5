// Pulls from a real registry on the sandbox's loopback, filled by real tools.

#include "tests/integration/world.h"
#include "tests/support/failpoints.h"
#include "tests/support/leaks.h"
#include "tests/support/terminal_client.h"

#include <filesystem>
#include <fstream>

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

    static std::string stack_program() { return std::string(STACK_BINARY_DIR) + "/stack"; }

    [[nodiscard]] std::string program() const {
        return stack_program() + " --root " + stack_.root();
    }

    [[nodiscard]] std::string registry_log() const {
        return run({"cat", stack_.directory() + "/registry.log"}).out;
    }

    /// How often the one blob that is no configuration was sent.
    [[nodiscard]] int count_layer_requests() const {
        return std::stoi(run({"sh",
                              "-c",
                              "grep -c '\"GET /v2/tools/shell/blobs/.* 200 [0-9]\\{6,\\} ' " +
                                  stack_.directory() + "/registry.log || true"})
                             .out);
    }

    /// What a pull works in and takes away at its end.
    [[nodiscard]] std::string leftovers() const {
        return run({"sh",
                    "-c",
                    "cd " + stack_.root() +
                        "/images && ls -A staging partial leases trash "
                        "2> /dev/null | grep -v ':$' | grep ."})
            .out;
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

TEST_F(Registry, GivesAnImageThatAServiceMounts) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  tool:
    image: busybox
    command: sleep 1000
    stop_signal: SIGKILL
    volumes: [{type: image, source: "127.0.0.1:5000/tools/shell:1", target: /shell}]
)");
    stack_.must({"up", "-d"});
    EXPECT_EQ(stack_.must({"exec", "-T", "tool", "ls", "/shell/bin"}), "busybox\nsh\n");
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

TEST_F(Registry, IsAskedOnceForALayerThatTwoWantAtTheSameTime) {
    must("for i in 1 2 3; do " + program() +
         " image pull 127.0.0.1:5000/tools/shell:1 2> pull$i.err & pids=\"$pids $!\"; done; "
         "for pid in $pids; do wait $pid || exit 1; done");
    EXPECT_EQ(count_layer_requests(), 1);
    EXPECT_EQ(leftovers(), "");
}

TEST_F(Registry, IsAskedOneQuestionWhereNothingHasChanged) {
    const auto questions = [&] {
        return std::stoi(run({"sh",
                              "-c",
                              "grep -c '\"[A-Z]* /v2/tools/shell/manifests/.* HTTP/' " +
                                  stack_.directory() + "/registry.log"})
                             .out);
    };
    const std::vector<std::string> pull{"image", "pull", "127.0.0.1:5000/tools/shell:1"};
    stack_.must(pull);
    const int before = questions();
    stack_.must(pull);
    EXPECT_EQ(questions(), before + 1);
}

TEST_F(Registry, ThatDiesInTheMiddleIsAskedForTheRestNextTime) {
    const Failpoints failpoints("resume");
    // The layer comes in pieces; the process dies when some of them are on disk.
    const Result killed = stack_.run({"image", "pull", "127.0.0.1:5000/tools/shell:1"},
                                     failpoints.killing("blob.write", 3));
    EXPECT_NE(killed.status, 0);
    EXPECT_NE(run({"sh", "-c", "ls -A " + stack_.root() + "/images/partial"}).out, "");
    stack_.must({"image", "pull", "127.0.0.1:5000/tools/shell:1"});
    EXPECT_NE(registry_log().find(" 206 "), std::string::npos) << "the rest alone was asked for";
    stack_.must({"image", "rm", "busybox"});  // whose collector sees that a lease's owner is dead
    EXPECT_EQ(leftovers(), "");
}

TEST_F(Registry, IsLeftAtOnceAtCtrlCAndAskedForTheRestNextTime) {
    TerminalClient client({"/usr/bin/env",
                           "STACK_FAILPOINTS=blob.write#3=delay:600000",
                           stack_program(),
                           "--root",
                           stack_.root(),
                           "image",
                           "pull",
                           "127.0.0.1:5000/tools/shell:1"},
                          stack_.directory(),
                          33,
                          101);
    ASSERT_TRUE(eventually([&] {
        return !run({"sh", "-c", "find " + stack_.root() + "/images/partial -type f -size +0"})
                    .out.empty();
    }));
    client.type("\x03");
    EXPECT_EQ(client.wait(), 130);
    EXPECT_TRUE(eventually([] { return pids_of("stack-fetch").empty(); }));
    stack_.must({"image", "pull", "127.0.0.1:5000/tools/shell:1"});
    EXPECT_NE(registry_log().find(" 206 "), std::string::npos) << "the rest alone was asked for";
    stack_.must({"image", "rm", "busybox"});
    EXPECT_EQ(leftovers(), "");
}

TEST_F(Registry, KilledAnywhereLeavesWhatTheNextOneGoesOnFrom) {
    const std::vector<std::string> pull{"image", "pull", "127.0.0.1:5000/tools/shell:1"};
    stack_.must(pull);
    for (const std::string failpoint : {"image.lease",
                                        "manifest.get",
                                        "blob.write",
                                        "blob.verify",
                                        "layer.entry",
                                        "layer.write",
                                        "layer.diffid",
                                        "layer.syncfs",
                                        "layer.publish",
                                        "image.index",
                                        "image.tag"}) {
        SCOPED_TRACE(failpoint);
        const LeaksOverlooked overlooked;  // of the same command each time
        stack_.must({"image", "rm", "127.0.0.1:5000/tools/shell:1"});
        const Failpoints broken("broken");
        EXPECT_NE(stack_.run(pull, broken.killing(failpoint, 1)).status, 0);
        stack_.must(pull);
        stack_.must({"image", "verify"});
        EXPECT_EQ(
            stack_.must({"container", "run", "--rm", pull.back(), "/bin/sh", "-c", "echo ok"}),
            "ok\n");
    }
    stack_.must({"image", "rm", "busybox"});  // whose collector sees that a lease's owner is dead
    EXPECT_EQ(leftovers(), "");
}

TEST_F(Registry, FillsADiskAndLeavesNothing) {
    must("mkdir -p tiny && mount -t tmpfs -o size=1m none tiny");
    const std::map<std::string, std::string> tiny{{"STACK_ROOT", stack_.directory() + "/tiny"}};
    const Result result =
        run({.words = {stack_program(), "image", "pull", "127.0.0.1:5000/tools/shell:1"},
             .environment = tiny});
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("No space left"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("layer sha256:"), std::string::npos) << result.err;
    EXPECT_EQ(run({"sh", "-c", "find " + stack_.directory() + "/tiny/images -type f -size +0"}).out,
              "");
}

TEST_F(Registry, WriteErrorsLeaveNothingAndThenThePullWorks) {
    for (const auto* failpoint : {"layer.entry",
                                  "layer.write",
                                  "blob.write",
                                  "layer.syncfs",
                                  "layer.publish",
                                  "image.tag",
                                  "image.index",
                                  "image.lease"}) {
        const Failpoints failpoints(failpoint);
        const Result result = stack_.run({"image", "pull", "127.0.0.1:5000/tools/shell:1"},
                                         failpoints.failing(failpoint, 1));
        EXPECT_EQ(result.status, 1) << failpoint;
        EXPECT_NE(result.err.find(failpoint), std::string::npos) << result.err;
        EXPECT_EQ(leftovers(), "") << failpoint;
    }
    stack_.must({"image", "pull", "127.0.0.1:5000/tools/shell:1"});
}

}  // namespace
}  // namespace stack::test
