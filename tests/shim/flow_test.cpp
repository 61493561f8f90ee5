// Bytes between pipes and files, by whoever stands between a command and its caller.

#include "shim/flow.h"

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace stack::shim {
namespace {

struct Pipe {
    Pipe() { make_pipe(reader, writer); }

    int reader = -1;
    int writer = -1;
};

void put(int fd, const std::string& text) {
    ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string take(int fd) {
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    std::string text;
    std::array<char, 65536> bytes{};
    for (ssize_t count = 0; (count = ::read(fd, bytes.data(), bytes.size())) > 0;)
        text.append(bytes.data(), static_cast<std::size_t>(count));
    return text;
}

TEST(Flow, CarriesWhatThereIsToItsEnd) {
    const Pipe from;
    const Pipe to;
    Flow flow(from.reader, to.writer);
    put(from.writer, "one");
    flow.move();
    EXPECT_EQ(take(to.reader), "one");
    EXPECT_TRUE(flow.is_open());
    ::close(from.writer);
    flow.move();
    EXPECT_FALSE(flow.is_open());
    std::array<char, 1> byte{};
    EXPECT_EQ(::read(to.reader, byte.data(), 1), 0);  // its end is passed on
    ::close(to.reader);
}

TEST(Flow, AppendsToAFile) {
    std::string name = "/tmp/stack-flow-XXXXXX";
    const int file = ::mkstemp(name.data());
    ASSERT_GE(file, 0);
    ::unlink(name.c_str());
    ::fcntl(file, F_SETFL, O_APPEND);
    const Pipe from;
    put(from.writer, std::string(10000, 'x'));
    ::close(from.writer);
    Flow flow(from.reader, ::dup(file));
    while (flow.is_open())
        flow.move();
    EXPECT_EQ(::lseek(file, 0, SEEK_END), 10000);
    ::close(file);
}

TEST(Flow, WaitsForWhoeverReadsIt) {
    const Pipe from;
    const Pipe to;
    Flow flow(from.reader, to.writer);
    std::string expected;
    std::string got;
    for (int i = 0; i < 40; ++i) {
        put(from.writer, std::string(4096, static_cast<char>('a' + i % 26)));
        expected += std::string(4096, static_cast<char>('a' + i % 26));
        flow.move();
        if (flow.is_held()) {
            EXPECT_EQ(flow.awaited().events, POLLOUT);
            got += take(to.reader);
            flow.move();
        }
    }
    EXPECT_FALSE(got.empty());  // it was held at least once
    while (got.size() < expected.size()) {
        got += take(to.reader);
        flow.move();
    }
    EXPECT_EQ(got, expected);
    ::close(from.writer);
    ::close(to.reader);
}

/// `exec -i < file` is as fast as the pipe is wide.
TEST(Flow, FillsAPipeOfOursAtOnce) {
    constexpr std::size_t pipe = 65536;
    std::string name = "/tmp/stack-flow-XXXXXX";
    const int file = ::mkstemp(name.data());
    ASSERT_GE(file, 0);
    ::unlink(name.c_str());
    std::string content;
    for (std::size_t i = 0; content.size() < 3 * pipe; ++i)
        content += std::to_string(i);
    put(file, content);
    ::lseek(file, 0, SEEK_SET);
    const Pipe to;
    ::fcntl(to.writer, F_SETFL, O_NONBLOCK);
    put(to.writer, "before");
    Flow flow(file, to.writer);
    flow.move();
    EXPECT_TRUE(flow.is_held()) << "what has no room yet";
    std::string got = take(to.reader);
    EXPECT_GT(got.size(), pipe - 4096) << "a pipe counts its room in pages";
    while (flow.is_open()) {
        flow.move();
        got += take(to.reader);
    }
    EXPECT_EQ(got, "before" + content);
    ::close(to.reader);
}

TEST(Flow, EndsWhereNobodyReadsIt) {
    ::signal(SIGPIPE, SIG_IGN);
    const Pipe from;
    const Pipe to;
    Flow flow(from.reader, to.writer);
    ::close(to.reader);
    put(from.writer, "lost");
    flow.move();
    EXPECT_FALSE(flow.is_open());
    EXPECT_LT(::write(from.writer, "x", 1), 0);  // whoever writes is told
    ::close(from.writer);
}

TEST(Flow, EndsWithWhatWasThere) {
    const Pipe from;
    const Pipe to;
    Flow flow(from.reader, to.writer);
    put(from.writer, "before");
    flow.limit_to_present();
    ::signal(SIGPIPE, SIG_IGN);
    put(from.writer, " after");
    while (flow.is_open())
        flow.move();
    EXPECT_EQ(take(to.reader), "before");
    ::close(from.writer);
    ::close(to.reader);
}

TEST(Flow, OfNothingIsNotOpen) {
    EXPECT_FALSE(Flow(STDIN_FILENO, -1).is_open());
    EXPECT_FALSE(Flow(-1, STDOUT_FILENO).is_open());
}

}  // namespace
}  // namespace stack::shim
