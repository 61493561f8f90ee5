// What a service has done at the turns of its containers' life.

#include "tests/integration/world.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Hooks : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"kill"}));
        static_cast<void>(stack_.run({"down", "-v", "-t", "1"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    StackProgram stack_;
};

TEST_F(Hooks, RunInsideAsWhomAndWhereTheySay) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sleep 1000
    user: "65534"
    init: true
    volumes: ["data:/data"]
    post_start:
      - command: ["sh", "-c", "{ id -u; pwd; echo $$COLOUR; } > /data/started"]
        user: root
        working_dir: /etc
        environment: {COLOUR: blue}
    pre_stop:
      - command: ["sh", "-c", "echo stopped >> /data/started"]
        user: root
  reader: {image: busybox, profiles: [tools], volumes: ["data:/data"]}
volumes: {data: }
)");
    stack_.must({"up", "-d"});
    EXPECT_EQ(stack_.must({"exec", "web", "cat", "/data/started"}), "0\n/etc\nblue\n");
    stack_.must({"stop", "-t", "1"});
    EXPECT_EQ(stack_.must({"run", "--rm", "reader", "cat", "/data/started"}),
              "0\n/etc\nblue\nstopped\n");
}

TEST_F(Hooks, BeforeTheFirstStartPrepareWhatItNeeds) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sh -c 'cat /data/steps; sleep 1000'
    volumes: ["data:/data"]
    environment: {COLOUR: blue}
    pre_start:
      - command: ["sh", "-c", "echo $$COLOUR >> /data/steps; chmod 666 /data/steps"]
      - {command: ["sh", "-c", "id -u >> /data/steps"], user: "7", working_dir: /}
volumes: {data: }
)");
    stack_.must({"up", "-d"});
    const auto steps = [&] { return stack_.must({"exec", "web", "cat", "/data/steps"}); };
    EXPECT_EQ(steps(), "blue\n7\n");
    stack_.must({"restart", "-t", "1"});
    stack_.must({"stop", "-t", "1"});
    stack_.must({"up", "-d"});
    EXPECT_EQ(steps(), "blue\n7\n") << "once";
}

TEST_F(Hooks, BeforeTheFirstStartThatFailKeepItFromStarting) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sleep 1000
    pre_start: [{command: ["sh", "-c", "echo no database; test -e /tmp/never"]}]
)");
    const Result up = stack_.run({"up", "-d"});
    EXPECT_EQ(up.status, 1);
    EXPECT_NE(up.err.find("hook exited with status 1"), std::string::npos) << up.err;
    EXPECT_EQ(container(stack_, "web")["State"], "created");
    EXPECT_EQ(stack_.must({"container", "logs", "shop-web-pre-start-1"}), "no database\n");
}

TEST_F(Hooks, ThatFailAreNamedAndAFailedPreStopStopsNothing) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sleep 1000
    post_start: [{command: ["sh", "-c", "echo no database; exit 3"]}]
    pre_stop: [{command: "false"}]
)");
    const Result up = stack_.run({"up", "-d"});
    EXPECT_EQ(up.status, 1);
    EXPECT_NE(up.err.find("hook exited with status 3: post_start of container shop-web-1"),
              std::string::npos)
        << up.err;
    EXPECT_NE(up.err.find("no database"), std::string::npos) << up.err;
    const Result stop = stack_.run({"stop", "-t", "1"});
    EXPECT_EQ(stop.status, 1);
    EXPECT_NE(stop.err.find("hook exited with status 1: pre_stop"), std::string::npos) << stop.err;
    EXPECT_EQ(container(stack_, "web")["State"], "running");
}

}  // namespace
}  // namespace stack::test
