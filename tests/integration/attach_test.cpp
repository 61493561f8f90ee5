// attach: what is typed reaches the container, what it prints reaches everyone, and nobody who does
// not listen holds it up.

#include "shim/frame.h"
#include "sys/file.h"
#include "sys/socket_path.h"
#include "tests/integration/world.h"
#include "tests/support/terminal_client.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace stack::test {
namespace {

class Attach : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "1"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    /// A stack of one service, running.
    void up(const std::string& keys) const {
        stack_.write("compose.yaml",
                     "name: shop\nservices:\n  app:\n    image: busybox\n" + keys + "\n");
        stack_.must({"up", "-d"});
    }

    [[nodiscard]] TerminalClient attach_at_terminal() const {
        return {{STACK_BINARY_DIR "/stack", "--root", stack_.root(), "attach", "app"},
                stack_.directory(),
                33,
                101};
    }

    /// A client of the shim's, without the program.
    [[nodiscard]] sys::Fd connect() const {
        const std::string id = container(stack_, "app")["ID"];
        const sys::SocketPath path(stack_.root() + "/run/containers/" + id, "attach.sock");
        sys::Fd shim = sys::connect_to(path);
        std::string hello;
        shim::append_frame(hello, shim::FrameKind::size, shim::encode(shim::TerminalSize{}));
        sys::write_all(shim, hello);
        return shim;
    }

    StackProgram stack_;
};

/// What the shim sends until it has sent `text`, or half a minute has passed.
std::string read_until(const sys::Fd& shim, const std::string& text) {
    shim::FrameReader reader;
    std::string output;
    static_cast<void>(eventually([&] {
        pollfd entry{shim.get(), POLLIN, 0};
        if (::poll(&entry, 1, 0) > 0)
            reader.add(sys::read_some(shim, 65536));
        while (const auto frame = reader.next())
            output += frame->payload;
        return output.find(text) != std::string::npos;
    }));
    return output;
}

TEST_F(Attach, InputReachesTheContainerAndItsStatusComesBack) {
    up("    stdin_open: true\n"
       "    command: sh -c 'read line; echo got $$line; echo loud >&2; exit 7'");
    const auto result = stack_.run({"attach", "app"}, {}, "hello\n");
    EXPECT_EQ(result.out, "got hello\n");
    EXPECT_EQ(result.err, "loud\n");
    EXPECT_EQ(result.status, 7);
    EXPECT_EQ(container(stack_, "app")["State"], "exited");
    EXPECT_NE(stack_.must({"logs", "app"}).find("got hello"), std::string::npos);
}

TEST_F(Attach, ATerminalHasItsClientsSizeAndIsLogged) {
    up("    stdin_open: true\n    tty: true\n"
       "    command: sh -c 'read x; tty; stty size; read x; stty size; exit 3'");
    TerminalClient client = attach_at_terminal();
    client.type("\r");
    EXPECT_TRUE(client.shows("/dev/pts/")) << client.screen();
    EXPECT_TRUE(client.shows("33 101")) << client.screen();
    client.resize(20, 60);
    client.type("\r");
    EXPECT_TRUE(client.shows("20 60")) << client.screen();
    EXPECT_EQ(client.wait(), 3);
    EXPECT_TRUE(client.is_cooked());
    EXPECT_NE(stack_.must({"logs", "app"}).find("33 101"), std::string::npos);
}

TEST_F(Attach, TheDetachKeysLeaveItRunning) {
    up("    stdin_open: true\n    tty: true\n    command: sh -c 'read x; echo ready; cat'");
    {
        TerminalClient client = attach_at_terminal();
        client.type("\r");
        ASSERT_TRUE(client.shows("ready")) << client.screen();
        EXPECT_FALSE(client.is_cooked());
        client.type("\x10\x11");
        EXPECT_EQ(client.wait(), 0);
        EXPECT_TRUE(client.is_cooked());
    }
    EXPECT_EQ(container(stack_, "app")["State"], "running");
    TerminalClient again = attach_at_terminal();
    again.type("still here\r");
    EXPECT_TRUE(again.shows("still here\r\nstill here")) << again.screen();
    again.type("\x10\x11");
    EXPECT_EQ(again.wait(), 0);
}

TEST_F(Attach, EveryClientSeesTheSame) {
    up("    stdin_open: true\n    command: cat");
    const sys::Fd one = connect();
    const sys::Fd other = connect();
    std::string typed;
    shim::append_frames(typed, shim::FrameKind::input, "both\n");
    shim::append_frames(typed, shim::FrameKind::end, "");
    sys::write_all(one, typed);
    EXPECT_EQ(read_until(one, "\n"), "both\n");
    EXPECT_EQ(read_until(other, "\n"), "both\n");
}

TEST_F(Attach, AClientThatDoesNotReadHoldsNothingUp) {
    up("    stdin_open: true\n"
       "    command: sh -c 'read x; dd if=/dev/zero bs=1M count=16; echo over'\n"
       "    logging: {driver: none}");
    const sys::Fd deaf = connect();
    std::string typed;
    shim::append_frames(typed, shim::FrameKind::input, "\n");
    sys::write_all(deaf, typed);
    EXPECT_TRUE(eventually([&] { return container(stack_, "app")["State"] == "exited"; }));
    EXPECT_EQ(container(stack_, "app")["ExitCode"], 0);
}

TEST_F(Attach, SignalsOfTheClientAreTheContainers) {
    up("    command: sh -c 'trap \"echo heard; exit 5\" USR1; while true; do sleep 0.1; done'");
    const sys::Fd shim = connect();
    const char signal = 10;
    std::string sent;
    shim::append_frame(sent, shim::FrameKind::signal, {&signal, 1});
    EXPECT_TRUE(eventually([&] {
        if (container(stack_, "app")["State"] == "exited")
            return true;
        sys::write_all(shim, sent);
        return false;
    }));
    EXPECT_EQ(container(stack_, "app")["ExitCode"], 5);
}

}  // namespace
}  // namespace stack::test
