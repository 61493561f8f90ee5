// Connections through the process that forwards, between sockets of this test on loopback.

#include "shim/forward.h"

#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::shim {
namespace {

constexpr int patience_ms = 20'000;

class Forwarding : public testing::Test {
  protected:
    void SetUp() override {
        target_ = listener();
        entrance_ = listener();
        const Entrance entrance{
            entrance_, IPPROTO_TCP, address_of(target_), sizeof(sockaddr_in), file_};
        worker_ = ::fork();
        if (worker_ == 0)
            forward({entrance});
        client_ = connect_to_entrance();
        server_ = ::accept4(target_, nullptr, nullptr, SOCK_CLOEXEC);
        ASSERT_GE(server_, 0);
    }

    void TearDown() override {
        ::unlink(file_.c_str());
        ::kill(worker_, SIGKILL);
        ::waitpid(worker_, nullptr, 0);
        for (const int fd : {target_, entrance_, client_, server_})
            if (fd >= 0)
                ::close(fd);
    }

    /// Into the file of the entrance's target.
    void say(const std::string& address) const { std::ofstream(file_) << address; }

    [[nodiscard]] int connect_to_entrance() const {
        const auto address = address_of(entrance_);
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(sockaddr_in)),
                  0);
        return fd;
    }

    static int listener() {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(fd, 1), 0);
        return fd;
    }

    static sockaddr_storage address_of(int fd) {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
        return address;
    }

    /// What arrives next: text, "end" or "reset".
    static std::string next(int fd) {
        pollfd entry{fd, POLLIN, 0};
        if (::poll(&entry, 1, patience_ms) != 1)
            return "nothing";
        std::array<char, 100> buffer{};
        const auto count = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (count < 0)
            return "reset";
        return count == 0 ? "end" : std::string(buffer.data(), static_cast<std::size_t>(count));
    }

    static void send(int fd, const std::string& text) {
        EXPECT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }

    const std::string file_ = testing::TempDir() + "forward-" + std::to_string(::getpid());
    int target_ = -1;
    int entrance_ = -1;
    int client_ = -1;
    int server_ = -1;
    int worker_ = -1;
};

TEST_F(Forwarding, EndsEachDirectionByItself) {
    send(client_, "question");
    EXPECT_EQ(next(server_), "question");
    ::shutdown(client_, SHUT_WR);
    EXPECT_EQ(next(server_), "end");
    send(server_, "answer");
    EXPECT_EQ(next(client_), "answer");
    ::close(std::exchange(server_, -1));
    EXPECT_EQ(next(client_), "end");
}

/// As when the container loses the network that its ports led to.
TEST_F(Forwarding, LeadsToWhereTheFileSaysMeanwhile) {
    const int other = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in place{};
    const auto target = address_of(target_);
    std::memcpy(&place, &target, sizeof place);
    ASSERT_EQ(::inet_pton(AF_INET, "127.0.0.2", &place.sin_addr), 1);
    ASSERT_EQ(::bind(other, reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
    ASSERT_EQ(::listen(other, 1), 0);
    say("127.0.0.2");
    const int client = connect_to_entrance();
    pollfd entry{other, POLLIN, 0};
    ASSERT_EQ(::poll(&entry, 1, patience_ms), 1);
    const int server = ::accept4(other, nullptr, nullptr, SOCK_CLOEXEC);
    send(client, "question");
    EXPECT_EQ(next(server), "question");
    send(client_, "still");
    EXPECT_EQ(next(server_), "still") << "what began before goes on";
    say("");
    const int refused = connect_to_entrance();
    EXPECT_NE(next(refused), "nothing") << "nowhere";
    for (const int fd : {other, client, server, refused})
        ::close(fd);
}

int udp_socket(const char* address, in_port_t port) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = port;
    EXPECT_EQ(::inet_pton(AF_INET, address, &place.sin_addr), 1);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
    return fd;
}

TEST_F(Forwarding, OfDatagramsFollowsTheFileFromOneToTheNext) {
    const int entrance = udp_socket("127.0.0.1", 0);
    const int target = udp_socket("127.0.0.1", 0);
    const auto place = address_of(target);
    sockaddr_in at{};
    std::memcpy(&at, &place, sizeof at);
    const int other = udp_socket("127.0.0.2", at.sin_port);
    const int worker = ::fork();
    if (worker == 0)
        forward({{entrance, IPPROTO_UDP, place, sizeof(sockaddr_in), file_}});
    const int client = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto way_in = address_of(entrance);
    ASSERT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&way_in), sizeof(sockaddr_in)),
              0);
    send(client, "one");
    EXPECT_EQ(next(target), "one");
    send(client, "two");
    EXPECT_EQ(next(target), "two");
    say("127.0.0.2");
    send(client, "three");
    EXPECT_EQ(next(other), "three");
    ::unlink(file_.c_str());
    send(client, "four");
    EXPECT_EQ(next(target), "four");
    ::kill(worker, SIGKILL);
    ::waitpid(worker, nullptr, 0);
    for (const int fd : {entrance, target, other, client})
        ::close(fd);
}

TEST_F(Forwarding, OfWhoAskedNoMoreAndThenLeftIsBrokenOff) {
    ::shutdown(client_, SHUT_WR);
    EXPECT_EQ(next(server_), "end");
    const linger at_once{1, 0};
    ::setsockopt(client_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(client_, -1));
    pollfd entry{server_, 0, 0};
    EXPECT_EQ(::poll(&entry, 1, patience_ms), 1);
    EXPECT_NE(entry.revents & (POLLHUP | POLLERR), 0);
}

}  // namespace
}  // namespace stack::shim
