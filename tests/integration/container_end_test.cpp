// container: whose end is the last one, and who sees to what is left (--rm).

#include "tests/integration/containers.h"
#include "tests/support/terminal_client.h"

#include <csignal>

namespace stack::test {
namespace {

class ContainerEnd : public Containers {};

TEST_F(ContainerEnd, ADetachedOneIsRemovedAtItsEnd) {
    must({"run", "-d", "--rm", "busybox", "sleep", "1"});
    EXPECT_TRUE(eventually([&] { return must({"ls", "-aq"}).empty(); }));
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "_single") == 0; }));
}

TEST_F(ContainerEnd, OneThatIsRemovedAtItsEndOutlivesARestart) {
    must({"run", "-d", "--rm", "--name", "mine", "busybox", "sleep", "1000"});
    const std::string id = seen("mine")["ID"];
    // Whoever removes it has time to see that it has stopped.
    const auto slow = stack_.run({"container", "restart", "-t", "0", "mine"},
                                 {{"STACK_FAILPOINTS", "container.start.volumes=delay:1000"}});
    EXPECT_EQ(slow.status, 0) << slow.err;
    EXPECT_EQ(slow.out, "mine\n");
    EXPECT_EQ(seen("mine")["State"], "running");
    EXPECT_EQ(seen("mine")["ID"], id);
    EXPECT_EQ(con({"update", "--restart", "always", "mine"}).status, 1);
    must({"stop", "-t", "0", "mine"});
    EXPECT_TRUE(eventually([&] { return must({"ls", "-aq"}).empty(); }));
}

TEST_F(ContainerEnd, OneWhoseRestartIsKilledIsRemovedAllTheSame) {
    must({"run", "-d", "--rm", "--name", "mine", "busybox", "sleep", "1000"});
    const auto killed = stack_.run({"container", "restart", "-t", "0", "mine"},
                                   {{"STACK_FAILPOINTS", "container.start.volumes=kill"}});
    EXPECT_EQ(killed.status, 128 + SIGKILL);
    EXPECT_TRUE(eventually([&] { return must({"ls", "-aq"}).empty(); }));
}

TEST_F(ContainerEnd, OneThatWasMadeToBeRemovedIsWhoeverStartsIt) {
    must({"create", "--rm", "--name", "mine", "busybox", "sleep", "1"});
    must({"start", "mine"});
    EXPECT_TRUE(eventually([&] { return must({"ls", "-aq"}).empty(); }));
    must({"create", "--rm", "--name", "mine", "busybox", "echo", "said"});
    EXPECT_EQ(must({"start", "-a", "mine"}), "said\n");
    EXPECT_EQ(must({"ls", "-aq"}), "");
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "_single") == 0; }));
}

/// In a pid namespace of its own nobody would be left.
TEST_F(ContainerEnd, OneThatLeavesBehindWhoGoesOnPrintingHasEnded) {
    must({"run",
          "-d",
          "--name",
          "mine",
          "--pid",
          "host",
          "busybox",
          "sh",
          "-c",
          "yes & sleep 0.2; exit 3"});
    EXPECT_TRUE(eventually([&] { return seen("mine")["State"] == "exited"; }));
    must({"rm", "-f", "mine"});
}

TEST_F(ContainerEnd, OneThatItsClientLeftIsRemovedAtItsEnd) {
    TerminalClient client({STACK_BINARY_DIR "/stack",
                           "--root",
                           stack_.root(),
                           "container",
                           "run",
                           "-it",
                           "--rm",
                           "--name",
                           "mine",
                           "busybox"},
                          stack_.directory(),
                          33,
                          101);
    client.type("echo re''ady\r");
    ASSERT_TRUE(client.shows("ready")) << client.screen();
    client.type("\x10\x11");
    EXPECT_EQ(client.wait(), 0);
    EXPECT_EQ(seen("mine")["State"], "running");
    must({"kill", "mine"});
    EXPECT_TRUE(eventually([&] { return must({"ls", "-aq"}).empty(); }));
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "_single") == 0; }));
}

}  // namespace
}  // namespace stack::test
