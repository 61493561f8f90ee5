// develop.watch: what is edited on this machine comes into the containers.

#include "tests/integration/world.h"
#include "tests/support/terminal_client.h"

#include <filesystem>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

class Watch : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        fs::create_directories(stack_.directory() + "/src/lib");
        stack_.write("Dockerfile", "FROM busybox\nCOPY version /version\n");
        stack_.write(".dockerignore", "src/secret\n");
        stack_.write("version", "1");
        stack_.write("src/page", "one");
        stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    build: .
    command: sh -c "cat /proc/sys/kernel/random/uuid > /began; sleep 1000"
    init: true
    develop:
      watch:
        - {path: src, action: sync, target: /app, ignore: ["*.tmp"], initial_sync: true}
        - {path: version, action: rebuild}
        - {path: conf, action: sync+restart, target: /etc/conf}
        - path: hooked
          action: sync+exec
          target: /hooked
          exec: {command: ["sh", "-c", "cat /hooked > /ran"]}
)");
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"kill"}));
        static_cast<void>(stack_.run({"down", "-v", "-t", "1"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    [[nodiscard]] TerminalClient start(std::vector<std::string> words) const {
        words.insert(words.begin(), {STACK_BINARY_DIR "/stack", "--root", stack_.root()});
        return {words, stack_.directory(), 33, 101};
    }

    [[nodiscard]] std::string inside(const std::string& file) const {
        return stack_.run({"exec", "-T", "web", "cat", file}).out;
    }

    StackProgram stack_;
};

TEST_F(Watch, SyncsRestartsRunsAndRebuilds) {
    TerminalClient client = start({"watch"});
    ASSERT_TRUE(client.shows("Watch enabled")) << client.screen();
    EXPECT_EQ(inside("/app/page"), "one");

    stack_.write("src/page", "two");
    stack_.write("src/lib/new", "deep");
    stack_.write("src/x.tmp", "");
    stack_.write("src/secret", "");
    EXPECT_TRUE(eventually([&] { return inside("/app/page") == "two"; })) << client.screen();
    EXPECT_TRUE(eventually([&] { return inside("/app/lib/new") == "deep"; }));
    EXPECT_EQ(stack_.must({"exec", "-T", "web", "ls", "/app"}), "lib\npage\n");
    fs::remove_all(stack_.directory() + "/src/lib");
    EXPECT_TRUE(eventually([&] {
        return stack_.run({"exec", "-T", "web", "ls", "/app"}).out == "page\n";
    }));

    const std::string began = inside("/began");
    stack_.write("conf", "c");
    EXPECT_TRUE(eventually([&] { return inside("/began") != began && inside("/began") != ""; }));
    EXPECT_EQ(inside("/etc/conf"), "c");

    stack_.write("hooked", "h");
    EXPECT_TRUE(eventually([&] { return inside("/ran") == "h"; }));

    stack_.must({"scale", "web=2"});
    stack_.write("version", "2");
    EXPECT_TRUE(eventually([&] { return inside("/version") == "2"; })) << client.screen();
    EXPECT_TRUE(eventually([&] { return containers(stack_).size() == 2; }));  // as many as before
    EXPECT_EQ(stack_.must({"image", "ls", "-q", "--filter", "dangling=true"}), "");

    client.type("\x03");
    EXPECT_EQ(client.wait(), 130);
    EXPECT_EQ(container(stack_, "web")["State"], "running");
}

TEST_F(Watch, UpDoesItBesideTheOutput) {
    TerminalClient client = start({"up", "--watch", "-t", "1"});
    ASSERT_TRUE(client.shows("Watch enabled")) << client.screen();
    stack_.write("version", "2");
    EXPECT_TRUE(eventually([&] { return inside("/version") == "2"; })) << client.screen();
    client.type("\x03");
    EXPECT_EQ(client.wait(), 130);
    EXPECT_EQ(container(stack_, "web")["State"], "exited");
}

TEST_F(Watch, WithNothingToWatchSaysSo) {
    stack_.write("compose.yaml", "name: shop\nservices: {web: {image: busybox}}\n");
    const Result result = stack_.run({"watch"});
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("nothing to watch"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace stack::test
