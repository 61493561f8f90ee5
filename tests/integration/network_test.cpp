// `stack network`: networks by their own names, and who meets whom in them.

#include "sys/fd.h"
#include "tests/integration/world.h"
#include "tests/support/sandbox.h"

#include <algorithm>
#include <fstream>
#include <future>
#include <iterator>
#include <sstream>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace stack::test {
namespace {

class NetworkCommand : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-t", "1"}));
        static_cast<void>(stack_.run({"container", "rm", "-f", "one", "two"}));
        static_cast<void>(stack_.run({"network", "prune", "-f"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    [[nodiscard]] nlohmann::json inspected(const std::string& network) const {
        return nlohmann::json::parse(stack_.must({"network", "inspect", network}))[0];
    }

    [[nodiscard]] bool resolves(const std::vector<std::string>& exec,
                                const std::string& name) const {
        auto words = exec;
        words.insert(words.end(), {"nslookup", name});
        return eventually([&] { return stack_.run(words).status == 0; });
    }

    StackProgram stack_;
};

TEST_F(NetworkCommand, MakesWhatItsOptionsSay) {
    const std::string id = stack_.must({"network",
                                        "create",
                                        "--subnet",
                                        "10.77.0.0/24",
                                        "--subnet",
                                        "fd77::/64",
                                        "--gateway",
                                        "10.77.0.5",
                                        "--ip-range",
                                        "10.77.0.128/25",
                                        "--aux-address",
                                        "router=10.77.0.1",
                                        "--label",
                                        "team=a",
                                        "--label",
                                        "env=test",
                                        "-o",
                                        "com.docker.network.driver.mtu=1400",
                                        "mine"});
    const auto network = inspected("mine");
    EXPECT_EQ(network["Id"].get<std::string>() + "\n", id);
    EXPECT_EQ(network["IPAM"]["Config"],
              nlohmann::json::parse(R"([{"Subnet": "10.77.0.0/24", "Gateway": "10.77.0.5",
                  "IPRange": "10.77.0.128/25", "AuxiliaryAddresses": {"router": "10.77.0.1"}},
                  {"Subnet": "fd77::/64", "Gateway": "fd77::1"}])"));
    EXPECT_EQ(network["Options"]["com.docker.network.driver.mtu"], "1400");
    EXPECT_EQ(network["Labels"]["team"], "a");
    EXPECT_EQ(stack_.must({"network", "ls", "-q", "--no-trunc", "--filter", "label=team=a"}), id);
    EXPECT_EQ(stack_.must({"network", "ls", "-q", "--filter", "label=team=b"}), "");
    EXPECT_EQ(
        stack_.must(
            {"network", "prune", "-f", "--filter", "label=env=test", "--filter", "label=team=b"}),
        "");
    EXPECT_EQ(stack_.run({"network", "create", "mine"}).status, 1);
    EXPECT_EQ(stack_.must({"network", "rm", "-f", "other"}), "");
    EXPECT_EQ(stack_.must({"network", "rm", "-f", id.substr(0, 12)}), id.substr(0, 12) + "\n");
    EXPECT_EQ(stack_.must({"network", "ls", "-q", "-f", "type=custom"}), "");
}

TEST_F(NetworkCommand, MakesNoneOfANameThatMeansSomethingElse) {
    for (const std::string name : {"host", "none", "bridge", "default"}) {
        const Result refused = stack_.run({"network", "create", name});
        EXPECT_EQ(refused.status, 1) << name;
        EXPECT_NE(refused.err.find("--network " + name + " is "), std::string::npos) << refused.err;
    }
    EXPECT_EQ(stack_.must({"network", "ls", "-q", "-f", "type=custom"}), "");
}

TEST_F(NetworkCommand, DockersOwnAreThereAlways) {
    const std::string all = "bridge bridge local\nhost host local\nnone null local\n";
    const auto listed = [&] {
        return stack_.must({"network", "ls", "--format", "{{.Name}} {{.Driver}} {{.Scope}}"});
    };
    EXPECT_EQ(listed(), all);
    EXPECT_EQ(inspected("host")["Driver"], "host");
    EXPECT_EQ(inspected("bridge")["Containers"], nlohmann::json::object());
    for (const std::string name : {"bridge", "host", "none"}) {
        const Result refused = stack_.run({"network", "rm", name});
        EXPECT_EQ(refused.status, 1);
        EXPECT_EQ(refused.err,
                  "stack: " + name + " is a pre-defined network and cannot be removed\n");
    }
    stack_.must({"network", "create", "mine"});
    stack_.must({"container",
                 "run",
                 "-d",
                 "--name",
                 "one",
                 "--network",
                 "mine",
                 "busybox",
                 "sleep",
                 "1000"});
    EXPECT_EQ(stack_.run({"network", "connect", "host", "one"}).status, 1);
    stack_.must({"network", "connect", "bridge", "one"});
    stack_.must({"container", "run", "-d", "--name", "two", "busybox", "sleep", "1000"});
    EXPECT_EQ(inspected("bridge")["Containers"].size(), 2U);
    stack_.must({"network", "prune", "-f"});
    EXPECT_EQ(listed(),
              "bridge bridge local\nhost host local\nmine bridge local\nnone null local\n");
    stack_.must({"container", "rm", "-f", "one", "two"});
    stack_.must({"network", "rm", "mine"});
    EXPECT_EQ(listed(), all);
}

TEST_F(NetworkCommand, OfSeveralThatMakeOneAtOnceOneDoes) {
    std::vector<std::future<Result>> makers;
    for (int i = 0; i < 6; ++i)
        makers.push_back(std::async(std::launch::async, [&, i] {
            const std::string subnet = "10.77." + std::to_string(i) + ".0/24";
            return stack_.run({"network", "create", "--subnet", subnet, "mine"});
        }));
    std::string made;
    int failures = 0;
    for (auto& maker : makers) {
        const Result result = maker.get();
        made += result.out;
        failures += result.status;
        EXPECT_EQ(result.err,
                  result.status == 0 ? "" : "stack: network with name mine already exists\n");
    }
    EXPECT_EQ(failures, 5);
    EXPECT_EQ(stack_.must({"network", "ls", "-q", "--no-trunc", "-f", "type=custom"}), made);
}

TEST_F(NetworkCommand, AStackAndASingleContainerMeetInOne) {
    stack_.must({"network", "create", "mine"});
    stack_.must({"container",
                 "run",
                 "-d",
                 "--name",
                 "one",
                 "--network",
                 "mine",
                 "busybox",
                 "sleep",
                 "1000"});
    stack_.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: sleep 1000, networks: [default, outer]}
networks:
  outer: {name: mine, external: true}
)");
    stack_.must({"up", "-d"});
    EXPECT_TRUE(resolves({"exec", "web"}, "one"));
    EXPECT_TRUE(resolves({"container", "exec", "one"}, "web"));
    const auto refused = stack_.run({"network", "rm", "mine"});
    EXPECT_EQ(refused.status, 1);
    EXPECT_EQ(
        refused.err,
        "stack: network mine is in use by one, shop-web-1: remove or disconnect these first\n");
    stack_.must({"down", "-t", "1"});
    EXPECT_EQ(inspected("mine")["Containers"].size(), 1U);
    EXPECT_NE(stack_.run({"container", "exec", "one", "nslookup", "web"}).status, 0);
}

TEST_F(NetworkCommand, ARunningContainerIsConnectedAndDisconnected) {
    stack_.must({"network", "create", "--subnet", "10.77.0.0/24", "mine"});
    stack_.must({"container", "run", "-d", "--name", "one", "busybox", "sleep", "1000"});
    stack_.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: httpd -f -p 80 -h /etc, ports: ["8080:80"]}
)");
    stack_.must({"up", "-d"});
    const std::string before = container(stack_, "web")["ID"];
    stack_.must({"network", "connect", "--alias", "shown", "mine", "shop-web-1"});
    stack_.must({"network", "connect", "--ip", "10.77.0.99", "mine", "one"});
    EXPECT_EQ(inspected("mine")["Containers"].size(), 2U);
    EXPECT_TRUE(eventually([&] {
        return stack_.run({"container", "exec", "one", "wget", "-qO-", "http://shown/group"})
            .out.starts_with("root:");
    }));
    EXPECT_NE(stack_.must({"container", "exec", "one", "ip", "addr"}).find("10.77.0.99/24"),
              std::string::npos);
    EXPECT_TRUE(fetch("http://127.0.0.1:8080/group").starts_with("root:"));
    EXPECT_TRUE(fetch("http://[::1]:8080/group").starts_with("root:"));
    EXPECT_EQ(stack_.run({"network", "connect", "mine", "one"}).status, 1);

    stack_.must({"network", "disconnect", "mine", "one"});
    EXPECT_EQ(stack_.must({"container", "exec", "one", "ip", "addr"}).find("10.77.0"),
              std::string::npos);
    stack_.must({"network", "disconnect", "shop_default", "shop-web-1"});
    EXPECT_TRUE(fetch("http://127.0.0.1:8080/group").starts_with("root:"))
        << "by its other network";
    EXPECT_TRUE(fetch("http://[::1]:8080/group").starts_with("root:"))
        << "which the shim forwards there, too";
    EXPECT_EQ(container(stack_, "web")["ID"], before);
}

TEST_F(NetworkCommand, UpChangesTheNetworksOfARunningServiceInPlace) {
    const auto file = [](const std::string& web, const std::string& networks) {
        return "name: shop\nservices:\n"
               "  web: {image: busybox, command: httpd -f -p 80 -h /etc, ports: [\"8080:80\"], "
               "networks: " +
               web +
               "}\n  asker: {image: busybox, command: sleep 1000, networks: [back, default]}\n"
               "networks: " +
               networks + "\n";
    };
    stack_.write("compose.yaml", file("{default: }", "{back: }"));
    stack_.must({"up", "-d"});
    const auto before = container(stack_, "web");
    const auto started = [&] {
        const std::string text = stack_.must({"container", "inspect", "shop-web-1"});
        return nlohmann::json::parse(text)[0]["State"]["StartedAt"];
    };
    const auto first_start = started();

    stack_.write("compose.yaml",
                 file("{default: , back: {aliases: [shown]}, side: }", "{back: , side: }"));
    EXPECT_NE(stack_.run({"plan"}).out.find("networks.shop_back: (none) -> connected"),
              std::string::npos);
    stack_.must({"up", "-d"});
    EXPECT_TRUE(resolves({"exec", "asker"}, "shown"));
    EXPECT_TRUE(fetch("http://127.0.0.1:8080/group").starts_with("root:"));
    EXPECT_TRUE(fetch("http://[::1]:8080/group").starts_with("root:"));
    EXPECT_EQ(inspected("shop_side")["Containers"].size(), 1U);

    stack_.write(
        "compose.yaml",
        file("{default: {aliases: [front]}, back: {aliases: [again]}}", "{back: , side: }"));
    stack_.must({"up", "-d"});
    EXPECT_TRUE(resolves({"exec", "asker"}, "again"));
    EXPECT_TRUE(eventually([&] {
        return stack_.run({"exec", "asker", "wget", "-qO-", "http://front/group"})
            .out.starts_with("root:");
    }));
    EXPECT_TRUE(eventually([&] {
        return stack_.run({"exec", "asker", "nslookup", "shown"}).status != 0;
    }));
    EXPECT_EQ(inspected("shop_side")["Containers"].size(), 0U);
    EXPECT_TRUE(fetch("http://127.0.0.1:8080/group").starts_with("root:"));
    const std::string hosts = stack_.must({"exec", "web", "cat", "/etc/hosts"});
    EXPECT_NE(hosts.find("localhost"), std::string::npos);
    const std::string own = "\t" + stack_.must({"exec", "web", "hostname"});
    EXPECT_NE(hosts.find(own), hosts.rfind(own)) << "an address in each network: " << hosts;
    EXPECT_EQ(std::count(hosts.begin(), hosts.end(), '\n'), 8) << hosts;

    EXPECT_EQ(container(stack_, "web")["ID"], before["ID"]);
    EXPECT_EQ(started(), first_start);
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
}

TEST_F(NetworkCommand, AStaticAddressIsFreeWhenItsContainerStarts) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  early: {image: busybox, command: sleep 1000, scale: 2}
  late:
    image: busybox
    command: sleep 1000
    depends_on: [early]
    networks: {default: {ipv4_address: 10.77.0.2}}
networks:
  default: {ipam: {config: [{subnet: 10.77.0.0/24}]}}
)");
    stack_.must({"up", "-d"});
    std::map<std::string, std::string> addresses;
    const auto network = inspected("shop_default");
    for (const auto& one : network["Containers"])
        addresses[one["Name"]] = one["IPv4Address"];
    EXPECT_EQ(addresses["shop-late-1"], "10.77.0.2/24");
    EXPECT_EQ(addresses.size(), 3U);
}

TEST_F(NetworkCommand, AnInterfaceIsAsTheServiceWantsIt) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sleep 1000
    networks:
      a: {interface_name: eth1, mac_address: "02:00:00:00:00:07"}
      b: {link_local_ips: [169.254.8.8], priority: 1}
      c: {gw_priority: 1, interface_name: lan}
  peer:
    image: busybox
    command: httpd -f -p 80 -h /etc
    networks: {b: {link_local_ips: [169.254.8.9]}}
networks:
  a: {ipam: {config: [{subnet: 10.77.1.0/24}]}}
  b: {ipam: {config: [{subnet: 10.77.2.0/24}]}}
  c: {ipam: {config: [{subnet: 10.77.3.0/24}]}}
)");
    stack_.must({"up", "-d"});
    const auto shown = [&](const std::string& interface) {
        return stack_.must({"exec", "-T", "web", "ip", "addr", "show", interface});
    };
    EXPECT_NE(shown("eth0").find("10.77.2."), std::string::npos) << "the highest priority first";
    EXPECT_NE(shown("eth0").find("169.254.8.8/16"), std::string::npos);
    EXPECT_NE(shown("eth1").find("10.77.1."), std::string::npos);
    EXPECT_NE(shown("eth1").find("02:00:00:00:00:07"), std::string::npos);
    EXPECT_NE(shown("lan").find("10.77.3."), std::string::npos);
    const std::string routes = stack_.must({"exec", "-T", "web", "ip", "route"});
    EXPECT_NE(routes.find("default via 10.77.3.1 dev lan"), std::string::npos) << routes;
    EXPECT_EQ(routes.find("default"), routes.rfind("default")) << routes;
    EXPECT_TRUE(eventually([&] {
        return stack_.run({"exec", "-T", "web", "wget", "-qO-", "http://169.254.8.9/group"})
            .out.starts_with("root:");
    }));
}

/// CVE-2024-32473: else they have addresses that nobody gave them, and listen to every router.
TEST_F(NetworkCommand, InterfacesWithoutAnAddressOfIpv6HaveNoIpv6) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sleep 1000
    sysctls: {net.ipv6.conf.eth3.disable_ipv6: 0}
    networks:
      four: {priority: 9}
      six: {priority: 8}
      local: {priority: 7, link_local_ips: ["fe80::77"]}
      other: {priority: 6}
networks: {four: {}, six: {enable_ipv6: true}, local: {}, other: {}}
)");
    stack_.must({"up", "-d"});
    stack_.must({"network", "create", "mine"});
    stack_.must({"network", "connect", "mine", "shop-web-1"});
    const std::string off =
        stack_.must({"exec",
                     "-T",
                     "web",
                     "sh",
                     "-c",
                     "for i in lo eth0 eth1 eth2 eth3 eth4; do "
                     "echo $i $(cat /proc/sys/net/ipv6/conf/$i/disable_ipv6); done"});
    EXPECT_EQ(off, "lo 0\neth0 1\neth1 0\neth2 0\neth3 0\neth4 1\n");
    EXPECT_EQ(stack_.must({"exec", "-T", "web", "ip", "addr", "show", "eth0"}).find("inet6"),
              std::string::npos);
}

/// A wire whose one end, `lan0`, is an interface of the machine; the other has 10.99.0.1.
void lay_wire() {
    EXPECT_EQ(run({"sh",
                   "-ec",
                   "ip link add lan0 type veth peer name lan1; ip addr add 10.99.0.1/24 dev lan1; "
                   "ip link set lan0 up; ip link set lan1 up"})
                  .status,
              0);
}

bool has_driver(const std::string& driver) {
    const bool has =
        run({"ip", "link", "add", "probe0", "link", "lan0", "type", driver}).status == 0;
    static_cast<void>(run({"ip", "link", "del", "probe0"}));
    return has;
}

TEST_F(NetworkCommand, ContainersLieOnAnInterfaceOfTheHost) {
    lay_wire();
    for (const std::string driver : {"macvlan", "ipvlan"}) {
        if (!has_driver(driver))
            continue;
        const auto file = [&](const std::string& of_asker) {
            return "name: shop\nservices:\n"
                   "  web:\n    image: busybox\n    command: httpd -f -p 80 -h /etc\n"
                   "    networks: {lan: {ipv4_address: 10.99.0.10}}\n"
                   "  asker: {image: busybox, command: sleep 1000, networks: " +
                   of_asker +
                   "}\n"
                   "networks:\n  lan:\n    driver: " +
                   driver +
                   "\n    driver_opts: {parent: lan0}\n"
                   "    ipam: {config: [{subnet: 10.99.0.0/24}]}\n";
        };
        stack_.write("compose.yaml", file("[lan, default]"));
        stack_.must({"up", "-d"});
        EXPECT_EQ(inspected("shop_lan")["Driver"], driver);
        EXPECT_TRUE(fetch("http://10.99.0.10/group").starts_with("root:"))
            << "from the other end of the wire";
        EXPECT_TRUE(stack_.must({"exec", "asker", "wget", "-qO-", "http://10.99.0.10/group"})
                        .starts_with("root:"));
        const auto before = container(stack_, "asker")["ID"];
        for (const std::string networks : {"[default]", "[lan, default]"}) {
            stack_.write("compose.yaml", file(networks));
            stack_.must({"up", "-d"});
            const bool is_there =
                stack_.must({"exec", "asker", "ip", "addr"}).find("10.99.0.") != std::string::npos;
            EXPECT_EQ(is_there, networks != "[default]") << networks;
        }
        EXPECT_EQ(container(stack_, "asker")["ID"], before);
        stack_.must({"down", "-t", "0"});
    }
    static_cast<void>(run({"ip", "link", "del", "lan0"}));
}

TEST_F(NetworkCommand, AnInterfaceThatIsNotThereIsNamed) {
    EXPECT_EQ(stack_.run({"network", "create", "-d", "macvlan", "lan"}).err,
              "stack: network lan: driver macvlan needs an interface of the host: driver_opts: "
              "{parent: eth0}\n");
    EXPECT_EQ(
        stack_.run({"network", "create", "-d", "macvlan", "-o", "parent=none0", "lan"}).err,
        "stack: network lan: there is no interface none0 for its `parent` to be (see `ip link`)\n");
}

TEST_F(NetworkCommand, ANameLeadsToTheBestOfThoseThatHaveIt) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sleep 1000
    scale: 2
    healthcheck:
      test: test -e /tmp/well && ! test -e /tmp/sick
      interval: 300ms
      start_interval: 300ms
      start_period: 1h
      retries: 1
  asker: {image: busybox, command: sleep 1000}
)");
    stack_.must({"up", "-d"});
    const auto address = [&](const std::string& name) {
        const auto inspected_one =
            nlohmann::json::parse(stack_.must({"container", "inspect", name}))[0];
        return inspected_one["NetworkSettings"]["Networks"]["shop_default"]["IPAddress"]
            .get<std::string>();
    };
    const std::string first = address("shop-web-1");
    const std::string second = address("shop-web-2");
    const auto leads_to = [&](bool to_first, bool to_second) {
        return eventually([&] {
            const std::string answer = stack_.run({"exec", "-T", "asker", "nslookup", "web."}).out;
            return (answer.find(first + "\n") != std::string::npos) == to_first &&
                   (answer.find(second + "\n") != std::string::npos) == to_second;
        });
    };
    const auto mark = [&](const std::string& replica, const std::string& file) {
        stack_.must({"exec", "-T", "--index", replica, "web", "touch", file});
    };
    EXPECT_TRUE(leads_to(true, true)) << "both start";
    mark("1", "/tmp/well");
    EXPECT_TRUE(leads_to(true, false)) << "one is healthy";
    mark("1", "/tmp/sick");
    EXPECT_TRUE(leads_to(false, true)) << "better one that starts than one that is unhealthy";
    stack_.must({"exec", "-T", "--index", "1", "web", "rm", "/tmp/sick"});
    EXPECT_TRUE(leads_to(true, false)) << "healthy again";
}

/// A program of musl's resolver that says, as `getent hosts` does, what a name or an address leads
/// to, and by its status whether to anything.
std::string musl_lookup() {
    const std::string program = sandbox_directory() + "/musl-lookup";
    std::ofstream(program + ".c") << R"(
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
int main(int count, char** words) {
    struct addrinfo* found;
    char text[256];
    struct in_addr address;
    const int back = inet_pton(AF_INET, words[1], &address) == 1;
    if (getaddrinfo(words[1], 0, 0, &found) != 0)
        return 2;
    if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, 0, 0,
                    back ? NI_NAMEREQD : NI_NUMERICHOST) != 0)
        return 2;
    printf(back ? "%s %s\n" : "%2$s %1$s\n", words[1], text);
    return 0;
}
)";
    EXPECT_EQ(run({"musl-gcc", "-static", "-o", program, program + ".c"}).status, 0);
    return program;
}

/// A container's place in its networks.
class Places {
  public:
    Places(const StackProgram& stack, const std::string& container)
        : inspected_(
              nlohmann::json::parse(stack.must({"container", "inspect", container})).front()) {}

    /// Its address there.
    [[nodiscard]] std::string in(const std::string& network) const {
        return inspected_["NetworkSettings"]["Networks"][network]["IPAddress"];
    }

    /// What a program of the host's says where the container asks for names; one empty word where
    /// that is nothing.
    [[nodiscard]] std::vector<std::string> words(const std::string& command) const {
        const std::string pid = inspected_["State"]["Pid"].dump();
        std::istringstream out(run({"unshare",
                                    "-m",
                                    "sh",
                                    "-c",
                                    "cp /proc/" + pid +
                                        "/root/etc/resolv.conf $TMPDIR/resolv.conf && mount --bind "
                                        "$TMPDIR/resolv.conf /etc/resolv.conf && nsenter -n -t " +
                                        pid + " " + command})
                                   .out);
        std::vector<std::string> all{std::istream_iterator<std::string>(out), {}};
        return all.empty() ? std::vector<std::string>{""} : all;
    }

  private:
    nlohmann::json inspected_;
};

TEST_F(NetworkCommand, WhoIsInSeveralFindsTheNamesOfAll) {
    // The C library asks no further when one server says that there is no such name (musl asks all
    // at once), and three servers at most.
    stack_.write("compose.yaml", R"(
name: shop
services:
  both: {image: busybox, command: sleep 1000, networks: [a, b, c, d, inside]}
  in-a: {image: busybox, command: sleep 1000, networks: [a]}
  in-b: {image: busybox, command: sleep 1000, networks: [b]}
  in-c: {image: busybox, command: sleep 1000, networks: [c]}
  in-d: {image: busybox, command: sleep 1000, networks: [d]}
  hidden: {image: busybox, command: sleep 1000, networks: [inside]}
networks: {a: {}, b: {}, c: {}, d: {}, inside: {internal: true}}
)");
    stack_.must({"up", "-d"});
    const Places both(stack_, "shop-both-1");
    for (const auto& lookup : {std::string("getent hosts "), musl_lookup() + " "})
        for (const std::string network : {"a", "b", "c", "d", "inside"}) {
            const std::string name = network == "inside" ? "hidden" : "in-" + network;
            const std::string address = Places(stack_, "shop-" + name + "-1").in("shop_" + network);
            EXPECT_EQ(both.words(lookup + name).front(), address) << lookup << name;
            EXPECT_EQ(both.words(lookup + name + ".shop_" + network).front(), address) << lookup;
            EXPECT_EQ(both.words(lookup + address).back(), "shop-" + name + "-1") << lookup;
        }
}

TEST_F(NetworkCommand, AnswersDigInEveryWayItAsks) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  asker: {image: busybox, command: sleep 1000}
  web: {image: busybox, command: sleep 1000}
)");
    stack_.must({"up", "-d"});
    const Places asker(stack_, "shop-asker-1");
    const std::string address = Places(stack_, "shop-web-1").in("shop_default");
    using Words = std::vector<std::string>;
    for (const std::string way :
         {"+notcp", "+tcp", "+noedns", "+bufsize=512", "+dnssec +nocookie", "+norecurse"})
        EXPECT_EQ(asker.words("dig +short " + way + " web"), Words{address}) << way;
    EXPECT_EQ(asker.words("dig +short +tcp +keepopen web shop-web-1"), (Words{address, address}));
    EXPECT_EQ(asker.words("dig +short -x " + address), Words{"shop-web-1."});
    const auto says = [&](const std::string& question, const std::string& word) {
        const Words words = asker.words("dig " + question);
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    EXPECT_TRUE(says("web AAAA", "NOERROR,"))
        << "a name that has none of these is one all the same";
    EXPECT_TRUE(says("web TYPE65", "NOERROR,"));
    EXPECT_TRUE(says("+opcode=notify web", "NOTIMP,"));
}

TEST_F(NetworkCommand, NamesAreSearchedForAsTheServiceSays) {
    // A name with fewer dots than ndots is tried with the search domains first: there is nobody to
    // ask for these, and the name is ours all the same.
    stack_.write("compose.yaml", R"(
name: shop
services:
  asker:
    image: busybox
    command: sleep 1000
    networks: [a, b]
    dns_search: [example.test, other.test]
    dns_opt: ["ndots:5"]
  in-a: {image: busybox, command: sleep 1000, networks: {a: {aliases: [long.alias.in.a]}}}
  in-b: {image: busybox, command: sleep 1000, networks: [b]}
networks: {a: {internal: true}, b: {internal: true}}
)");
    stack_.must({"up", "-d"});
    const Places asker(stack_, "shop-asker-1");
    for (const auto& lookup : {std::string("getent hosts "), musl_lookup() + " "})
        for (const auto& [name, network] : std::map<std::string, std::string>{
                 {"in-a", "a"}, {"in-a.", "a"}, {"long.alias.in.a", "a"}, {"in-b", "b"}})
            EXPECT_EQ(asker.words(lookup + name).front(),
                      Places(stack_, "shop-in-" + network + "-1").in("shop_" + network))
                << lookup << name;
}

TEST_F(NetworkCommand, EachServerKnowsTheNamesOfAllNetworksOfWhoAsks) {
    // musl's resolver asks all of its servers at once, and believes the first that answers: none
    // may say that there is no such name, nor that it has no address because it has none of the
    // other family.
    stack_.write("compose.yaml", R"(
name: shop
services:
  both: {image: busybox, command: sleep 1000, networks: [a, b, inside], links: ["in-a:nick"]}
  in-a: {image: busybox, command: sleep 1000, networks: {a: {aliases: [shown]}}}
  in-b: {image: busybox, command: sleep 1000, networks: [b]}
  hidden: {image: busybox, command: sleep 1000, networks: [inside]}
networks: {a: {}, b: {enable_ipv6: true}, inside: {internal: true}}
)");
    stack_.must({"up", "-d"});
    const auto asked = [&](const std::string& type, const std::string& name) {
        return stack_.must({"exec",
                            "-T",
                            "both",
                            "sh",
                            "-c",
                            "for server in $(sed -n 's/nameserver //p' /etc/resolv.conf); do "
                            "nslookup -type=" +
                                type + " " + name + ". $server; done 2>&1; true"});
    };
    const auto found = [](const std::string& answers) {
        std::size_t count = 0;
        for (auto at = answers.find("Name:"); at != std::string::npos;
             at = answers.find("Name:", at + 1))
            ++count;
        return count;
    };
    for (const std::string name : {"in-a", "shown", "nick", "in-b", "hidden", "shop-in-a-1"}) {
        EXPECT_TRUE(eventually([&] { return found(asked("a", name)) == 3; })) << asked("a", name);
        const std::string of_ipv6 = asked("aaaa", name);
        EXPECT_EQ(of_ipv6.find("NXDOMAIN"), std::string::npos) << of_ipv6;
        EXPECT_EQ(of_ipv6.find("REFUSED"), std::string::npos) << of_ipv6;
    }
    const auto apart = stack_.run({"exec", "-T", "in-a", "nslookup", "in-b."});
    EXPECT_EQ(apart.out.find("Name:"), std::string::npos) << apart.out;
}

TEST_F(NetworkCommand, AServiceHasNameServersOfItsOwn) {
    // The name service of a network that belongs to no stack is an outsider to those of a stack.
    stack_.must(
        {"network", "create", "--subnet", "10.77.0.0/24", "--gateway", "10.77.0.5", "mine"});
    stack_.must({"container",
                 "run",
                 "-d",
                 "--name",
                 "one",
                 "--network",
                 "mine",
                 "busybox",
                 "sleep",
                 "1000"});
    stack_.write("compose.yaml", R"(
name: shop
services:
  asker: {image: busybox, command: sleep 1000, dns: 10.77.0.5, dns_search: shop.example}
  plain: {image: busybox, command: sleep 1000}
  server: {image: busybox, command: sleep 1000, dns: [127.0.0.1, 9.9.9.9]}
  host: {image: busybox, command: sleep 1000, network_mode: host, dns: 9.9.9.9, dns_opt: [rotate]}
)");
    stack_.must({"up", "-d"});
    EXPECT_TRUE(resolves({"exec", "-T", "asker"}, "one."));
    EXPECT_TRUE(resolves({"exec", "-T", "asker"}, "plain."));
    EXPECT_NE(stack_.run({"exec", "-T", "plain", "nslookup", "one."}).status, 0);
    const auto resolver = [&](const std::string& service) {
        return stack_.must({"exec", "-T", service, "cat", "/etc/resolv.conf"});
    };
    EXPECT_EQ(resolver("asker").find("10.77.0.5"), std::string::npos);
    EXPECT_NE(resolver("asker").find("\nsearch shop.example\n"), std::string::npos);
    EXPECT_NE(resolver("server").find("\nnameserver 127.0.0.1\nnameserver 9.9.9.9\n"),
              std::string::npos);
    EXPECT_EQ(resolver("host"), "nameserver 9.9.9.9\noptions rotate\n");
}

/// As a server of the host that listens on every address does.
sys::Fd occupied_port_53(int type) {
    sys::Fd socket(sys::check(::socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket"));
    const sockaddr_in name{AF_INET, htons(53), {}, {}};
    sys::check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), "bind");
    if (type == SOCK_STREAM)
        sys::check(::listen(socket.get(), 1), "listen");
    return socket;
}

TEST_F(NetworkCommand, NamesResolveWherePort53IsAnothers) {
    const auto udp = occupied_port_53(SOCK_DGRAM);
    const auto tcp = occupied_port_53(SOCK_STREAM);
    stack_.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: sleep 1000}
  asker: {image: busybox, command: sleep 1000}
)");
    stack_.must({"up", "-d"});
    EXPECT_TRUE(resolves({"exec", "-T", "asker"}, "web."));
}

TEST_F(NetworkCommand, NamesResolveWherePort53IsPublished) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  server: {image: busybox, command: sleep 1000, ports: ["53:53/udp", "53:53"]}
  asker: {image: busybox, command: sleep 1000}
)");
    for (int i = 0; i < 2; ++i) {  // the second time beside a name service that is there already
        stack_.must({"up", "-d", "--force-recreate", "-t", "0"});
        EXPECT_EQ(container(stack_, "server")["State"], "running");
        EXPECT_TRUE(resolves({"exec", "-T", "asker"}, "server."));
    }
}

}  // namespace
}  // namespace stack::test
