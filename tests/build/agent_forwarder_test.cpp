#include "engine/build/agent_forwarder.h"

#include "sys/file.h"
#include "sys/poll.h"
#include "sys/socket_path.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stack::build {
namespace {

void await(const sys::Fd& fd) {
    std::vector<sys::Wait> waits{{fd.get(), true, false}};
    sys::wait_ready(waits);
}

std::string received(const sys::Fd& fd) {
    await(fd);
    std::array<char, 100> text{};
    const auto count = ::recv(fd.get(), text.data(), text.size(), 0);
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
}

class Forwarder : public ::testing::Test {
  protected:
    void SetUp() override {
        place = ::testing::TempDir() + "agent-" + std::to_string(::getpid());
        sys::ensure_directory(place);
        agent = sys::listen_at(sys::SocketPath(place, "agent"));
        forwarder.emplace(place, "step", place + "/agent", 0600, Owner{::getuid(), ::getgid()});
    }

    void TearDown() override {
        forwarder.reset();
        std::filesystem::remove_all(place);
    }

    [[nodiscard]] sys::Fd connect() const {
        return sys::connect_to(sys::SocketPath(place, "step"));
    }

    [[nodiscard]] sys::Fd accept() const {
        await(agent);
        return sys::Fd(::accept(agent.get(), nullptr, nullptr));
    }

    std::string place;
    sys::Fd agent;
    std::optional<AgentForwarder> forwarder;
};

TEST_F(Forwarder, PassesOnWhatBothSay) {
    const sys::Fd first = connect();
    const sys::Fd first_agent = accept();
    const sys::Fd second = connect();
    const sys::Fd second_agent = accept();
    EXPECT_EQ(::send(second.get(), "question", 8, 0), 8);
    EXPECT_EQ(received(second_agent), "question");
    EXPECT_EQ(::send(second_agent.get(), "answer", 6, 0), 6);
    EXPECT_EQ(received(second), "answer");
    EXPECT_EQ(::send(first.get(), "other", 5, 0), 5);
    EXPECT_EQ(received(first_agent), "other");
}

TEST_F(Forwarder, EndsAConnectionWithItsOtherSide) {
    const sys::Fd step = connect();
    accept().reset();
    EXPECT_EQ(received(step), "");
}

TEST_F(Forwarder, GoesAlsoWhileNobodyReads) {
    const sys::Fd step = connect();
    const sys::Fd silent = accept();
    const std::string much(100000, 'x');
    while (::send(step.get(), much.data(), much.size(), MSG_DONTWAIT) > 0)
        sys::pause(std::chrono::milliseconds(1));
    forwarder.reset();
    EXPECT_TRUE(silent);
}

}  // namespace
}  // namespace stack::build
