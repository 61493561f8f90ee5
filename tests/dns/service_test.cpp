// The name service as a process: real questions over UDP and TCP in a network namespace of the
// test's own.

#include "base/name_service.h"
#include "base/text.h"
#include "dns/packet.h"
#include "engine/network/names.h"
#include "sys/file.h"
#include "sys/process.h"
#include "tests/dns/message.h"
#include "tests/network/bed.h"

#include <array>
#include <csignal>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stack::test {
namespace {

using network::NameEntry;
using network::NameTable;
using network::publish_names;
using network::stop_names;

constexpr int patience = 5000;  // milliseconds

sockaddr_in place_of(const std::string& address, std::uint16_t port) {
    sockaddr_in name{AF_INET, htons(port), {}, {}};
    const auto parsed = *parse_ip(address);
    std::memcpy(&name.sin_addr, parsed.bytes.data(), 4);
    return name;
}

sys::Fd connected(const std::string& address, int type, std::uint16_t port = dns_port) {
    const sockaddr_in name = place_of(address, port);
    sys::Fd socket(sys::check(::socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket"));
    sys::check(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name),
               "connect");
    return socket;
}

sys::Fd bound(const std::string& address, int type, std::uint16_t port = dns_port) {
    const sockaddr_in name = place_of(address, port);
    sys::Fd socket(sys::check(::socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket"));
    sys::check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), "bind");
    if (type == SOCK_STREAM)
        sys::check(::listen(socket.get(), 8), "listen");
    return socket;
}

std::string receive(const sys::Fd& socket) {
    pollfd entry{socket.get(), POLLIN, 0};
    std::array<char, 65535> buffer{};
    if (::poll(&entry, 1, patience) != 1)
        return {};
    const auto length = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    return length <= 0 ? std::string()
                       : std::string(buffer.data(), static_cast<std::size_t>(length));
}

std::string receive_frame(const sys::Fd& socket) {
    std::string bytes;
    for (std::string more = receive(socket); !more.empty(); more = receive(socket)) {
        bytes += more;
        const auto high = static_cast<unsigned char>(bytes[0]);
        if (bytes.size() >= 2 && bytes.size() - 2 >= static_cast<std::size_t>(high << 8) +
                                                         static_cast<unsigned char>(bytes[1]))
            return bytes.substr(2);
    }
    return {};
}

std::string framed(const std::string& message) {
    return std::string{static_cast<char>(message.size() >> 8U),
                       static_cast<char>(message.size() & 0xffU)} +
           message;
}

void send_bytes(const sys::Fd& socket, const std::string& bytes) {
    ASSERT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
}

std::string by_udp(const std::string& gateway,
                   const std::string& name,
                   const QuestionOptions& options = {}) {
    const auto socket = connected(gateway, SOCK_DGRAM);
    send_bytes(socket, question(name, options));
    return response_text(receive(socket));
}

std::string by_tcp(const std::string& gateway,
                   const std::string& name,
                   const QuestionOptions& options = {}) {
    const auto socket = connected(gateway, SOCK_STREAM);
    send_bytes(socket, framed(question(name, options)));
    return response_text(receive_frame(socket));
}

/// Asks until the answer is the expected one: the table is taken over when the service sees it.
std::string eventually(const std::string& expected,
                       const std::string& gateway,
                       const std::string& name) {
    std::string answer;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience);
    do {
        answer = by_udp(gateway, name);
    } while (answer != expected && std::chrono::steady_clock::now() < end);
    return answer;
}

class NameService : public testing::Test {
  protected:
    NameService() : inside_(machine_) {
        for (const auto* address : {"10.9.1.1/32", "10.9.2.1/32"})
            add_address("lo", address);
    }

    ~NameService() override { stop_names(root_.paths(), "shop"); }

    void publish(const Strings& gateways, const std::vector<NameEntry>& entries) {
        ::setenv("STACK_LIBEXEC", STACK_BINARY_DIR, 1);
        NameTable table{.entries = entries};
        for (const auto& text : gateways) {
            const auto [gateway, servers] = split_once(text, ' ');
            table.gateways[gateway] = gateway + "/32";  // who asks from here has this address
            if (!servers.empty())
                table.upstreams.push_back({gateway, gateway, split(servers, ' ')});
        }
        publish_names(root_.paths(), "shop", table);
    }

    std::string directory() const { return root_.path() + "/run/projects/shop/dns"; }

    int pid() const {
        return parse_number<int>(
                   split_once(sys::read_file(directory() + "/pid").value_or(""), ' ').first)
            .value_or(0);
    }

    TemporaryRoot root_;
    Namespace machine_;
    Inside inside_;
};

TEST_F(NameService, AnswersAtEachGatewayTheNamesOfItsNetwork) {
    publish(
        {"10.9.1.1", "10.9.2.1"},
        {{"10.9.1.1", "", "web", {"10.9.1.2", "fd00::2"}}, {"10.9.2.1", "", "db", {"10.9.2.2"}}});
    EXPECT_EQ(by_udp("10.9.1.1", "web"), "NOERROR aa A 10.9.1.2");
    EXPECT_EQ(by_udp("10.9.1.1", "web", {.type = dns::type_aaaa}), "NOERROR aa AAAA fd00::2");
    EXPECT_EQ(by_tcp("10.9.1.1", "WEB"), "NOERROR aa A 10.9.1.2");
    EXPECT_EQ(by_udp("10.9.2.1", "db"), "NOERROR aa A 10.9.2.2");
    EXPECT_EQ(by_udp("10.9.2.1", "2.2.9.10.in-addr.arpa", {.type = dns::type_ptr}),
              "NOERROR aa PTR db");
}

TEST_F(NameService, TakesANewTableWithoutRestarting) {
    publish({"10.9.1.1"}, {{"10.9.1.1", "", "web", {"10.9.1.2"}}});
    const int first = pid();
    publish({"10.9.1.1", "10.9.2.1"},
            {{"10.9.1.1", "", "web", {"10.9.1.3"}}, {"10.9.2.1", "", "db", {"10.9.2.2"}}});
    EXPECT_EQ(eventually("NOERROR aa A 10.9.1.3", "10.9.1.1", "web"), "NOERROR aa A 10.9.1.3");
    EXPECT_EQ(eventually("NOERROR aa A 10.9.2.2", "10.9.2.1", "db"), "NOERROR aa A 10.9.2.2");
    publish({"10.9.2.1"}, {{"10.9.2.1", "", "db", {"10.9.2.2"}}});
    EXPECT_EQ(eventually("", "10.9.1.1", "web"), "") << "a gateway that is gone";
    EXPECT_EQ(pid(), first);
}

TEST_F(NameService, AsksItsServersForOtherNames) {
    const auto udp = bound("127.0.0.9", SOCK_DGRAM);
    const auto tcp = bound("127.0.0.9", SOCK_STREAM);
    publish({"10.9.1.1 127.0.0.9"}, {});
    std::thread server([&] {
        std::array<char, 512> buffer{};
        sockaddr_in peer{};
        socklen_t length = sizeof peer;
        auto* name = reinterpret_cast<sockaddr*>(&peer);
        const auto size = ::recvfrom(udp.get(), buffer.data(), buffer.size(), 0, name, &length);
        const auto reply =
            upstream_response({buffer.data(), static_cast<std::size_t>(size)}, "192.0.2.80");
        ::sendto(udp.get(), reply.data(), reply.size(), 0, name, length);
        const sys::Fd connection(::accept(tcp.get(), nullptr, nullptr));
        const auto framed_reply =
            framed(upstream_response(receive_frame(connection), "192.0.2.81"));
        ::send(connection.get(), framed_reply.data(), framed_reply.size(), MSG_NOSIGNAL);
    });
    EXPECT_EQ(by_udp("10.9.1.1", "example.org"), "NOERROR A 192.0.2.80");
    EXPECT_EQ(by_tcp("10.9.1.1", "example.org"), "NOERROR A 192.0.2.81");
    server.join();
}

TEST_F(NameService, SaysThatNobodyAnswers) {
    publish({"10.9.1.1 127.0.0.9 127.0.0.8"}, {});
    EXPECT_EQ(by_udp("10.9.1.1", "example.org"), "SERVFAIL aa");
    EXPECT_EQ(by_tcp("10.9.1.1", "example.org"), "SERVFAIL aa");
}

TEST_F(NameService, TruncatesByUdpAndNotByTcp) {
    NameEntry entry{"10.9.1.1", "", "web", {}};
    for (std::uint64_t i = 0; i < 1000; ++i)
        entry.addresses.push_back(to_text(advance(*parse_ip("10.100.0.0"), i)));
    publish({"10.9.1.1"}, {entry});
    EXPECT_NE(by_udp("10.9.1.1", "web").find(" tc "), std::string::npos);
    const std::string whole = by_tcp("10.9.1.1", "web");
    EXPECT_EQ(whole.find(" tc "), std::string::npos);
    EXPECT_NE(whole.find("A 10.100.3.231"), std::string::npos);
}

TEST_F(NameService, IgnoresGarbageAndSlowAskers) {
    publish({"10.9.1.1"}, {{"10.9.1.1", "", "web", {"10.9.1.2"}}});
    std::vector<sys::Fd> idle;
    for (int i = 0; i < 1000; ++i) {
        idle.push_back(connected("10.9.1.1", SOCK_STREAM));
        send_bytes(idle.back(), std::string(1, '\0'));
    }
    const auto garbage = connected("10.9.1.1", SOCK_DGRAM);
    for (int i = 0; i < 100; ++i)
        send_bytes(garbage, std::string(static_cast<std::size_t>(i), '\xff'));
    EXPECT_EQ(by_udp("10.9.1.1", "web"), "NOERROR aa A 10.9.1.2");
    EXPECT_EQ(by_tcp("10.9.1.1", "web"), "NOERROR aa A 10.9.1.2");
}

TEST_F(NameService, AnswersWhereTheRulesLeadWhenPort53IsAnothers) {
    const auto everywhere = bound("0.0.0.0", SOCK_DGRAM);
    publish({"10.9.1.1"}, {{"10.9.1.1", "", "web", {"10.9.1.2"}}});
    const auto socket = connected("10.9.1.1", SOCK_DGRAM, name_service_port);
    send_bytes(socket, question("web", {}));
    EXPECT_EQ(response_text(receive(socket)), "NOERROR aa A 10.9.1.2");
}

TEST_F(NameService, LosesNoQuestionOfHundredsAtOnce) {
    publish({"10.9.1.1"}, {{"10.9.1.1", "", "web", {"10.9.1.2"}}});
    const sys::Fd process = sys::open_process(pid(), sys::start_time(pid()).value_or(0));
    sys::send_signal(process, SIGSTOP);
    std::vector<sys::Fd> askers;
    for (int i = 0; i < 600; ++i) {  // musl and glibc ask for both families
        askers.push_back(connected("10.9.1.1", SOCK_DGRAM));
        send_bytes(askers.back(), question("web", {}));
    }
    sys::send_signal(process, SIGCONT);
    for (const auto& asker : askers)
        ASSERT_EQ(response_text(receive(asker)), "NOERROR aa A 10.9.1.2");
}

TEST_F(NameService, WaitsForAPortThatSomebodyElseHas) {
    auto other = bound("10.9.1.1", SOCK_DGRAM, name_service_port);
    auto common = bound("10.9.1.1", SOCK_DGRAM);
    publish({"10.9.1.1"}, {{"10.9.1.1", "", "web", {"10.9.1.2"}}});
    EXPECT_NE(sys::read_file(directory() + "/log")
                  .value_or("")
                  .find("port 15353 of 10.9.1.1 cannot be had"),
              std::string::npos);
    other.reset();
    common.reset();
    EXPECT_EQ(eventually("NOERROR aa A 10.9.1.2", "10.9.1.1", "web"), "NOERROR aa A 10.9.1.2");
}

TEST_F(NameService, ComesBackWhenItWasKilled) {
    publish({"10.9.1.1"}, {{"10.9.1.1", "", "web", {"10.9.1.2"}}});
    const int first = pid();
    const sys::Fd process = sys::open_process(first, sys::start_time(first).value_or(0));
    sys::send_signal(process, SIGKILL);
    pollfd entry{process.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&entry, 1, patience), 1);
    publish({"10.9.1.1"}, {{"10.9.1.1", "", "web", {"10.9.1.2"}}});
    EXPECT_NE(pid(), first);
    EXPECT_EQ(by_udp("10.9.1.1", "web"), "NOERROR aa A 10.9.1.2");
}

TEST_F(NameService, LeavesNothing) {
    publish({"10.9.1.1"}, {});
    const int first = pid();
    const sys::Fd process = sys::open_process(first, sys::start_time(first).value_or(0));
    stop_names(root_.paths(), "shop");
    pollfd entry{process.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&entry, 1, patience), 1);
    EXPECT_FALSE(sys::exists(directory()));
    stop_names(root_.paths(), "shop");
}

}  // namespace
}  // namespace stack::test
