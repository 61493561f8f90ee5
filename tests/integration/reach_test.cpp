// Who reaches what: every asker, way of publishing, protocol and family, with real containers.

#include "sys/fd.h"
#include "tests/integration/world.h"
#include "tests/support/failpoints.h"

#include <array>
#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

namespace stack::test {
namespace {

// The ports of the machine: published everywhere, on loopback, on the machine's second address.
constexpr const char* stack_file = R"(
name: shop
services:
  web:
    image: busybox
    command: httpd -f -p 80 -h /etc
    networks: [core, front]
    ports:
      - 8080:80
      - 8080:80/udp
      - 127.0.0.1:8081:80
      - 127.0.0.1:8081:80/udp
      - "[::1]:8081:80"
      - "[::1]:8081:80/udp"
      - 192.0.2.2:8082:80
      - 192.0.2.2:8082:80/udp
      - "[2001:db8::2]:8082:80"
      - "[2001:db8::2]:8082:80/udp"
  peer: {image: busybox, command: sleep 1000, networks: [front]}
  other: {image: busybox, command: sleep 1000, networks: [back]}
  hidden: {image: busybox, command: sleep 1000, networks: [inside]}
networks:
  core: {enable_ipv6: true, internal: true}  # comes first, and no port may lead into it
  front: {enable_ipv6: INNER6}
  back: {enable_ipv6: true}
  inside: {enable_ipv6: true, internal: true}
)";

/// What is asked: a published port at the address that the asker has for the machine, or the
/// container itself.
enum Way { any, loopback, second, unpublished, direct, ways };

constexpr std::array way_names{
    "published", "published on loopback", "published on .2", "unpublished", "container itself"};
constexpr std::array way_ports{8080, 8081, 8082, 80, 80};

struct Asker {
    const char* name;
    const char* where;  // a service, the neighbour, or the machine
    const char* address4;
    const char* address6;
    std::array<bool, ways> reaches;
};

constexpr std::array askers{
    //                                                               any   loop   .2   unpub  direct
    Asker{"localhost", "machine", "127.0.0.1", "::1", {true, true, false, false, true}},
    Asker{"host address", "machine", "192.0.2.1", "2001:db8::1", {true, false, false, false, true}},
    Asker{
        "second address", "machine", "192.0.2.2", "2001:db8::2", {true, false, true, false, true}},
    Asker{"neighbour", "neighbour", "192.0.2.1", "2001:db8::1", {true, false, false, false, false}},
    Asker{"neighbour at .2",
          "neighbour",
          "192.0.2.2",
          "2001:db8::2",
          {true, false, true, false, false}},
    Asker{"same network", "peer", "192.0.2.1", "2001:db8::1", {true, false, false, false, true}},
    Asker{"other network", "other", "192.0.2.1", "2001:db8::1", {true, false, false, false, false}},
    Asker{"internal network",
          "hidden",
          "192.0.2.1",
          "2001:db8::1",
          {false, false, false, false, false}},
    Asker{"self", "web", "192.0.2.1", "2001:db8::1", {true, false, false, false, true}},
};

/// One cell of the matrix.
struct Cell {
    std::string name;
    std::string command;  // says "here" where something answers
    bool expected = false;
};

/// Sends datagrams to port 80 back, in the network namespace of a process.
class DatagramEcho {
  public:
    DatagramEcho(int pid, int family) {
        std::thread([&] { open(pid, family); }).join();  // which alone goes there
        server_ = std::thread([this] { serve(); });
    }

    ~DatagramEcho() {
        is_over_ = true;
        server_.join();
    }

    DatagramEcho(const DatagramEcho&) = delete;
    DatagramEcho& operator=(const DatagramEcho&) = delete;

  private:
    void open(int pid, int family) {
        const auto place = "/proc/" + std::to_string(pid) + "/ns/net";
        const sys::Fd there(sys::check(::open(place.c_str(), O_RDONLY | O_CLOEXEC), place));
        sys::check(::setns(there.get(), CLONE_NEWNET), "enter " + place);
        socket_ = sys::Fd(sys::check(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
        sockaddr_in6 name{};  // the port lies at the same place in both families
        name.sin6_family = static_cast<sa_family_t>(family);
        name.sin6_port = htons(80);
        const int one = 1;
        if (family == AF_INET6)
            ::setsockopt(socket_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
        const socklen_t length = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
        sys::check(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), length), "bind");
    }

    void serve() const {
        constexpr int moment_ms = 50;
        while (!is_over_) {
            pollfd entry{socket_.get(), POLLIN, 0};
            if (::poll(&entry, 1, moment_ms) < 1)
                continue;
            std::array<char, 512> bytes{};
            sockaddr_storage asker{};
            socklen_t length = sizeof asker;
            auto* name = reinterpret_cast<sockaddr*>(&asker);
            const auto count =
                ::recvfrom(socket_.get(), bytes.data(), bytes.size(), 0, name, &length);
            if (count > 0)
                ::sendto(
                    socket_.get(), bytes.data(), static_cast<std::size_t>(count), 0, name, length);
        }
    }

    sys::Fd socket_;
    std::atomic<bool> is_over_ = false;
    std::thread server_;
};

struct Setting {
    bool inner6;                      // the container has an IPv6 address
    bool hook;                        // br_netfilter shows bridged frames to the rules
    std::vector<const char*> deaths;  // failpoints at which `up` dies before a last look
};

class Matrix : public testing::TestWithParam<Setting> {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        for (const char* family : {"iptables", "ip6tables"})
            std::ofstream(std::string("/proc/sys/net/bridge/bridge-nf-call-") + family)
                << GetParam().hook;
        shell(
            "ip netns add neighbour && ip link add uplink type veth peer name uplink netns "
            "neighbour && ip link set uplink up && ip -n neighbour link set uplink up && ip -n "
            "neighbour link set lo up");
        shell(
            "ip addr add 192.0.2.1/24 dev uplink && ip addr add 192.0.2.2/24 dev uplink && "
            "ip addr add 2001:db8::1/64 dev uplink nodad && ip addr add 2001:db8::2/64 dev "
            "uplink nodad && ip -n neighbour addr add 192.0.2.9/24 dev uplink && ip -n "
            "neighbour addr add 2001:db8::9/64 dev uplink nodad");
        std::string file = stack_file;
        file.replace(file.find("INNER6"), 6, GetParam().inner6 ? "true" : "false");
        stack_.write("compose.yaml", file);
        stack_.must({"up", "-d"});
        find_container();
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "1"}));
        shell("ip link del uplink; ip netns del neighbour");
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    static void shell(const std::string& script) {
        EXPECT_EQ(run({"sh", "-ec", script}).status, 0) << script;
    }

    [[nodiscard]] nlohmann::json inspected(const std::string& service) const {
        return nlohmann::json::parse(
            stack_.must({"container", "inspect", "shop-" + service + "-1"}))[0];
    }

    void find_container() {
        const auto networks = inspected("web")["NetworkSettings"]["Networks"];
        address4_ = networks["shop_front"]["IPAddress"];
        address6_ = networks["shop_front"]["GlobalIPv6Address"];
        // The neighbour knows the way, and is to be kept out all the same.
        shell("ip -n neighbour route replace " + address4_ + " via 192.0.2.1");
        if (!address6_.empty())
            shell("ip -n neighbour route replace " + address6_ + " via 2001:db8::1");
    }

    [[nodiscard]] std::string prefix_for(const std::string& where) const {
        if (where == "machine")
            return "";
        if (where == "neighbour")
            return "ip netns exec neighbour ";
        return "nsenter -n -t " + inspected(where)["State"]["Pid"].dump() + " ";
    }

    /// nullopt-like: an empty command where the cell does not exist.
    [[nodiscard]] Cell cell(
        const Asker& asker, const std::string& prefix, Way way, bool udp, bool v6) const {
        std::string address = v6 ? asker.address6 : asker.address4;
        if (way == direct)
            address = v6 ? address6_ : address4_;
        const bool in_front =
            std::string(asker.where) == "peer" || asker.where == std::string("web");
        if (address.empty() || (v6 && in_front && !GetParam().inner6))
            return {};
        Cell cell;
        cell.expected = asker.reaches[way];
        cell.name = std::string(asker.name) + ", " + way_names[way] + (udp ? ", UDP" : ", TCP") +
                    (v6 ? ", IPv6" : ", IPv4");
        const std::string peer = (udp ? std::string("UDP") : std::string("TCP")) +
                                 (v6 ? "6:[" + address + "]:" : "4:" + address + ":") +
                                 std::to_string(way_ports[way]);
        const std::string question = udp ? "here" : "GET /hostname HTTP/1.0\\r\\n\\r\\n";
        cell.command = "printf '" + question + "' | " + prefix + "timeout 4 socat -t 3 - " + peer +
                       (udp ? "" : ",connect-timeout=3") + " 2>/dev/null | grep -q '" +
                       (udp ? "here" : "200 OK") + "'";
        return cell;
    }

    [[nodiscard]] std::vector<Cell> cells() const {
        std::vector<Cell> all;
        for (const auto& asker : askers) {
            const std::string prefix = prefix_for(asker.where);
            for (int way = any; way < ways; ++way)
                for (const bool udp : {false, true})
                    for (const bool v6 : {false, true})
                        if (auto one = cell(asker, prefix, static_cast<Way>(way), udp, v6);
                            !one.command.empty())
                            all.push_back(std::move(one));
        }
        return all;
    }

    /// Shell text that says `answer` where something answers. What is to be reached is asked again:
    /// a busy machine is no closed port.
    static std::string asking(const Cell& cell, const std::string& answer) {
        const std::string tries = cell.expected ? "1 2 3 4 5 6 7 8" : "1";
        return "for try in " + tries + "; do " + cell.command + " && echo " + answer +
               " && break; sleep 0.5; done";
    }

    static void await_port() {
        EXPECT_TRUE(
            eventually([] { return fetch("http://127.0.0.1:8080/passwd").starts_with("root:"); }));
    }

    /// The stack is brought up anew, by two: the first dies in the middle.
    void die_at(const std::string& failpoint) {
        stack_.must({"down", "-t", "1"});
        const Failpoints broken("broken");
        static_cast<void>(stack_.run({"up", "-d"}, broken.killing(failpoint, 1)));
        EXPECT_GE(broken.hits()[failpoint], 1) << failpoint;
        stack_.must({"up", "-d"});
        find_container();
    }

    void expect_reach(const std::string& when) const {
        const auto all = cells();
        // At once: most of those that are not to be reached wait until they give up. busybox has no
        // server of datagrams, so the container's is lent to it.
        const int web = inspected("web")["State"]["Pid"];
        const DatagramEcho echo4(web, AF_INET);
        const DatagramEcho echo6(web, AF_INET6);
        std::string script = "asked=\n";
        for (std::size_t i = 0; i < all.size(); ++i)
            script += asking(all[i], std::to_string(i)) + " & asked=\"$asked $!\"\n";
        std::vector<bool> reached(all.size());
        std::istringstream answers(run({"sh", "-c", script + "wait $asked"}).out);
        for (std::size_t i = 0; answers >> i;)
            reached[i] = true;
        for (std::size_t i = 0; i < all.size(); ++i)
            EXPECT_EQ(reached[i], all[i].expected) << all[i].name << ", " << when << "\n"
                                                   << all[i].command;
    }

    StackProgram stack_;
    std::string address4_;
    std::string address6_;
};

TEST_P(Matrix, EveryCellReachesWhatItShould) {
    await_port();
    expect_reach("at first");
    for (const std::string failpoint : GetParam().deaths) {
        die_at(failpoint);
        await_port();
        expect_reach("after a death at " + failpoint);
    }
    if (!GetParam().inner6 || !GetParam().hook)
        return;  // what goes wrong in one of the settings does in all
    shell("nft flush ruleset");
    await_port();
    expect_reach("after a flush of all rules");
    const int first = supervisor_pid(stack_, "shop");
    shell("kill -9 " + std::to_string(first));
    EXPECT_TRUE(eventually([&] {
        const int now = supervisor_pid(stack_, "shop");
        return now != 0 && now != first;
    }));
    expect_reach("after the death of the supervisor");
    shell("nft flush ruleset");
    await_port();
    expect_reach("after a flush, by the next supervisor");
}

std::string setting_name(const testing::TestParamInfo<Setting>& setting) {
    return std::string(setting.param.inner6 ? "BothFamilies" : "Ipv4Only") +
           (setting.param.hook ? "OnBridges" : "NotOnBridges");
}

INSTANTIATE_TEST_SUITE_P(Ports,
                         Matrix,
                         testing::Values(Setting{true, true, {}},
                                         Setting{true, false, {"nft.commit", "bridge.create"}},
                                         Setting{
                                             false, true, {"nft.committed", "network.recorded"}},
                                         Setting{false, false, {"nft.published", "bridge.addr"}}),
                         setting_name);

}  // namespace
}  // namespace stack::test
