// Published ports: which of the host's they are, and who is named where one is taken.

#include "sys/fd.h"
#include "tests/integration/world.h"

#include <cstring>
#include <set>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stack::test {
namespace {

class Ports : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-t", "1"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    /// Brings up a service `web` of these ports, which serves /etc on 80, 81 and 82.
    [[nodiscard]] Result up(const std::string& ports, int scale = 1) const {
        stack_.write("compose.yaml",
                     "name: shop\nservices:\n  web:\n    image: busybox\n    command: sh -c "
                     "'httpd -p 80 -h /etc; httpd -p 81 -h /etc; exec httpd -f -p 82 -h /etc'\n"
                     "    scale: " +
                         std::to_string(scale) + "\n    ports: " + ports + "\n");
        return stack_.run({"up", "-d"});
    }

    static bool serves(const std::string& place) {
        return eventually([&] { return fetch("http://" + place + "/group").starts_with("root:"); });
    }

    StackProgram stack_;
};

/// A socket of this process that keeps a port.
sys::Fd holder(int type, const char* address, std::uint16_t port) {
    const int family = std::strchr(address, ':') == nullptr ? AF_INET : AF_INET6;
    sys::Fd socket(sys::check(::socket(family, type | SOCK_CLOEXEC, 0), "socket"));
    sockaddr_in6 v6{};
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    v4.sin_port = v6.sin6_port = htons(port);
    void* place = family == AF_INET ? static_cast<void*>(&v4.sin_addr) : &v6.sin6_addr;
    EXPECT_EQ(::inet_pton(family, address, place), 1);
    const auto* name = family == AF_INET ? reinterpret_cast<const sockaddr*>(&v4)
                                         : reinterpret_cast<const sockaddr*>(&v6);
    sys::check(::bind(socket.get(), name, family == AF_INET ? sizeof v4 : sizeof v6), "bind");
    if (type == SOCK_STREAM)
        sys::check(::listen(socket.get(), 1), "listen");
    return socket;
}

TEST_F(Ports, ThatAProcessHasAreAllNamedBeforeAnythingStarts) {
    const auto tcp = holder(SOCK_STREAM, "127.0.0.1", 8090);
    const auto udp = holder(SOCK_DGRAM, "0.0.0.0", 8091);
    const auto ip6 = holder(SOCK_STREAM, "::1", 8092);
    const Result refused =
        up(R"(["8090:80", "8091:80/udp", "8092:80", "8089:80", "8093-8094:81-82"])");
    EXPECT_EQ(refused.status, 1);
    const std::string self = "(pid " + std::to_string(::getpid()) + ")";
    for (const std::string port : {"8090/tcp", "8091/udp", "8092/tcp"}) {
        const auto at = refused.err.find(port + " is in use by ");
        ASSERT_NE(at, std::string::npos) << port << ": " << refused.err;
        EXPECT_NE(refused.err.substr(at, refused.err.find('\n', at) - at).find(self),
                  std::string::npos)
            << refused.err;
    }
    for (const std::string port : {"8089/", "8093/", "8094/"})
        EXPECT_EQ(refused.err.find(port), std::string::npos) << refused.err;
    EXPECT_TRUE(containers(stack_).empty());
}

TEST_F(Ports, OfARangeLeadToTheirCounterparts) {
    const Result result = up(R"(["8200-8202:80-82"])");
    EXPECT_EQ(result.status, 0) << result.err;
    for (const std::string port : {"8200", "8201", "8202"})
        EXPECT_TRUE(serves("127.0.0.1:" + port)) << port;
    EXPECT_EQ(stack_.must({"port", "web", "81"}), "0.0.0.0:8201\n");
}

TEST_F(Ports, ThatNobodyChoseAreFreeOnesAndEachReplicasOwn) {
    const Result result = up(R"(["80", "81", "127.0.0.1::82"])", 2);
    EXPECT_EQ(result.status, 0) << result.err;
    std::set<std::string> places;
    for (const std::string index : {"1", "2"})
        for (const std::string port : {"80", "81", "82"}) {
            std::string place = stack_.must({"port", "--index", index, "web", port});
            place.pop_back();
            EXPECT_EQ(place.starts_with("127.0.0.1:"), port == "82") << place;
            EXPECT_TRUE(serves(place)) << place;
            places.insert(place);
        }
    EXPECT_EQ(places.size(), 6U);
}

TEST_F(Ports, ShowTheContainerWhoAsks) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: ["nc", "-ll", "-p", "80", "-e", "sh", "-c", "cat /proc/net/tcp /proc/net/tcp6"]
    ports: ["8080:80"]
)");
    stack_.must({"up", "-d"});
    ASSERT_EQ(
        run({"sh",
             "-ec",
             "ip netns add neighbour; ip link add up0 type veth peer name up0 netns neighbour; "
             "ip addr add 192.0.2.1/24 dev up0; ip link set up0 up; "
             "ip -n neighbour addr add 192.0.2.9/24 dev up0; ip -n neighbour link set up0 up"})
            .status,
        0);
    std::string seen;
    EXPECT_TRUE(eventually([&] {
        seen = run({"sh", "-c", "sleep 1 | ip netns exec neighbour socat -t1 - TCP:192.0.2.1:8080"})
                   .out;
        return !seen.empty();
    }));
    EXPECT_NE(seen.find("090200C0:"), std::string::npos)
        << "192.0.2.9, as the kernel writes it: " << seen;
    EXPECT_EQ(run({"sh", "-c", "ip link del up0; ip netns del neighbour"}).status, 0);
}

/// Whether this kernel has SCTP or not, the rule is what leads there.
TEST_F(Ports, OfSctpAreLedToTheContainer) {
    const Result result = up(R"(["8084:80/sctp"])");
    EXPECT_EQ(result.status, 0) << result.err;
    const auto settings = nlohmann::json::parse(
        stack_.must({"container", "inspect", "shop-web-1"}))[0]["NetworkSettings"];
    const std::string address = settings["Networks"]["shop_default"]["IPAddress"];
    const std::string rules = run({"nft", "list", "ruleset"}).out;
    EXPECT_NE(rules.find("sctp . 8084 : " + address + " . 80"), std::string::npos) << rules;
    stack_.must({"down", "-t", "0"});
    EXPECT_EQ(run({"nft", "list", "ruleset"}).out.find("8084"), std::string::npos);
}

}  // namespace
}  // namespace stack::test
