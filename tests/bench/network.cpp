// What networks cost the engine, beside the same netlink and nft operations done raw, in one run.
// tests/bench/run runs this in namespaces of its own. usage: network_bench DIRECTORY

#include <stack/error.h>

#include "base/ip.h"
#include "engine/network/address_pool.h"
#include "engine/network/elements.h"
#include "engine/network/names.h"
#include "engine/network/networks.h"
#include "engine/network/sets.h"
#include "engine/runtime/description.h"
#include "shim/fault.h"
#include "shim/netlink.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/nft_batch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace stack;

using Clock = std::chrono::steady_clock;

double milliseconds(const std::function<void()>& call) {
    const auto begin = Clock::now();
    call();
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void show(const char* figure, double value, const std::string& versus, double base) {
    const auto rounded = [](double number) { return std::round(number * 1000) / 1000; };
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), " %.3f ms", base);
    std::puts(nlohmann::json{{"figure", figure},
                             {"value", rounded(value)},
                             {"unit", "ms"},
                             {"vs", versus + text.data()},
                             {"ratio", rounded(value / base)}}
                  .dump()
                  .c_str());
    std::fflush(stdout);
}

/// The network namespace of a container, and a process in it that answers connections to port 80.
class Room {
  public:
    Room() {
        sys::Pipe ready = sys::make_pipe();
        pid_ = sys::check(::fork(), "fork");
        if (pid_ == 0)
            live(ready.write);
        ready.write.reset();
        static_cast<void>(sys::read_all(ready.read));
        inside_ = sys::open_file("/proc/" + std::to_string(pid_) + "/ns/net", O_RDONLY);
    }

    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;

    ~Room() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    /// As a shim and the set-up stage do.
    void connect(const shim::InterfaceSpec& spec) const {
        static const sys::Fd outside = sys::open_file("/proc/self/ns/net", O_RDONLY);
        static const sys::Fd proc = sys::open_directory("/proc");
        shim::make_interfaces({spec}, pid_);
        sys::check(::setns(inside_.get(), CLONE_NEWNET), "enter a network namespace");
        shim::configure_interfaces({spec}, proc.get());
        sys::check(::setns(outside.get(), CLONE_NEWNET), "leave a network namespace");
    }

  private:
    [[noreturn]] static void live(sys::Fd& ready) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        sys::check(::unshare(CLONE_NEWNET), "make a network namespace");
        const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(80);
        sys::check(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
        sys::check(::listen(listener, 128), "listen");
        ready.reset();
        for (;;)
            ::close(::accept(listener, nullptr, nullptr));
    }

    int pid_ = 0;
    sys::Fd inside_;
};

std::string container_id(const std::string& seed) {
    return std::string(64 - seed.size(), '0') + seed;
}

std::vector<network::PublishedPort> ports_from(int first, int count) {
    std::vector<network::PublishedPort> ports;
    for (int i = 0; i < count; ++i)
        ports.push_back({"", static_cast<std::uint16_t>(first + i), 80, Protocol::tcp});
    return ports;
}

/// One network, with its name service, and containers in it.
class Bench {
  public:
    explicit Bench(const std::string& directory)
        : paths_{directory + "/state", directory + "/run", "bench"}, networks_(paths_) {
        Network network;
        network.name = "bench";
        const auto record = networks_.ensure("bench", network, "digest");
        gateway_ = record.gateway4;
        names_.gateways[gateway_] = record.subnet4;
        network::publish_names(paths_, "bench", names_);
    }

    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    ~Bench() { network::stop_names(paths_, "bench"); }

    network::Endpoint attach(const Room& room,
                             const std::string& seed,
                             const std::vector<network::PublishedPort>& ports = {}) {
        auto endpoint =
            networks_.attach("bench", container_id(seed), "bench/" + seed, {}, 0, {}, ports);
        room.connect(runtime::interface_spec(endpoint));
        return endpoint;
    }

    void name(const network::Endpoint& endpoint, const std::string& seed) {
        const auto address = endpoint.address4.substr(0, endpoint.address4.find('/'));
        names_.entries.push_back({gateway_, "", seed, {address}});
        network::publish_names(paths_, "bench", names_);
    }

    network::Networks& networks() { return networks_; }

  private:
    Paths paths_;
    network::Networks networks_;
    std::string gateway_;
    network::NameTable names_;
};

/// The operations that an attach comes down to, and nothing else.
class Raw {
  public:
    Raw() {
        sys::RouteSocket routes;
        routes.make_bridge({.name = "raw0", .alias = "raw", .mac = "02:42:0a:09:00:01"});
        bridge_ = ::if_nametoindex("raw0");
        sys::NftBatch batch(table_);
        batch.ensure_table();
        batch.ensure_table(sys::NftFamily::bridge);
        for (const auto& set : network::table_sets())
            batch.add_set(set);
        commit(batch);
    }

    void attach(const Room& room, int number) {
        shim::InterfaceSpec spec;
        const std::string address = "10.9.0." + std::to_string(number + 2);
        spec.bridge = bridge_;
        spec.group = 77;
        spec.host_name = "raw" + std::to_string(number + 1);
        spec.name = "eth0";
        spec.alias = "raw";
        spec.address4 = address + "/24";
        spec.gateway4 = "10.9.0.1";
        room.connect(spec);
        network::Elements elements =
            network::elements_for(std::vector<network::Wire>{{"raw",
                                                              spec.group,
                                                              spec.host_name,
                                                              network::mac_for(*parse_ip(address)),
                                                              address,
                                                              ""}});
        elements["pub4_any"].insert("tcp . " + std::to_string(30000 + number) + " : " + address +
                                    " . 80");
        sys::NftBatch batch(table_);
        for (const auto& set : network::table_sets())
            if (const auto found = elements.find(set.name); found != elements.end())
                batch.add_elements(set, network::encode_elements(set.name, found->second));
        commit(batch);
    }

  private:
    void commit(sys::NftBatch& batch) {
        if (const auto refusal = batch.try_commit(filter_); !refusal.empty())
            throw Error(refusal);
    }

    const std::string table_ = "raw_bench";
    std::uint32_t bridge_ = 0;
    sys::NetlinkSocket filter_{NETLINK_NETFILTER};
};

void measure_attach(Bench& bench) {
    constexpr int runs = 100;
    Raw raw;
    // All before anything is measured: whoever comes first after a fork pays for the copies of the
    // pages that both write to.
    std::vector<std::unique_ptr<Room>> rooms;
    for (int i = 0; i < 2 * runs; ++i)
        rooms.push_back(std::make_unique<Room>());
    std::vector<double> own;
    std::vector<double> floor;
    for (int i = 0; i < runs; ++i) {
        const std::string seed = "a" + std::to_string(i);
        own.push_back(milliseconds([&] {
            const auto endpoint = bench.attach(
                *rooms.at(2 * static_cast<std::size_t>(i)), seed, ports_from(10000 + i, 1));
            bench.name(endpoint, seed);
        }));
        floor.push_back(
            milliseconds([&] { raw.attach(*rooms.at(2 * static_cast<std::size_t>(i) + 1), i); }));
    }
    for (int i = 0; i < runs; ++i)
        bench.networks().release(container_id("a" + std::to_string(i)));
    show("attach.one", median(own), "the same operations done raw", median(floor));
}

/// Of a connection to a published port; the median of many.
double connect_time(std::uint16_t port) {
    constexpr int runs = 2000;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::vector<double> times;
    for (int i = 0; i < runs; ++i) {
        const sys::Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        times.push_back(milliseconds([&] {
            sys::check(
                ::connect(
                    client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
                "connect to a published port");
        }));
    }
    return median(times);
}

void measure_ports(Bench& bench) {
    constexpr double promised = 200;
    const Room room;
    auto& networks = bench.networks();
    const auto endpoint = bench.attach(room, "b");
    const std::string one = container_id("b");
    std::vector<double> times;
    for (int i = 0; i < 7; ++i) {
        times.push_back(
            milliseconds([&] { networks.publish(one, endpoint, ports_from(20000, 1000)); }));
        networks.unpublish(one);
    }
    show("ports.1000_added", median(times), "promised", promised);

    const std::string many = container_id("c");
    networks.publish(one, endpoint, ports_from(19999, 1));
    std::vector<double> alone;
    std::vector<double> beside;
    for (int i = 0; i < 5; ++i) {
        alone.push_back(connect_time(19999));
        networks.publish(many, endpoint, ports_from(20000, 5000));
        beside.push_back(connect_time(19999));
        networks.unpublish(many);
    }
    show("ports.connect_beside_5000", median(beside), "beside none", median(alone));
    networks.release(one);
}

void measure_removal(Bench& bench) {
    constexpr double promised = 800;
    constexpr int count = 300;
    auto& networks = bench.networks();
    std::vector<std::unique_ptr<Room>> rooms;
    for (int i = 0; i < count; ++i) {
        const std::string seed = "d" + std::to_string(i);
        rooms.push_back(std::make_unique<Room>());
        bench.attach(*rooms.back(), seed, ports_from(20000 + i, 1));
    }
    const double time = milliseconds([&] {
        for (int i = 0; i < count; ++i)
            networks.release(container_id("d" + std::to_string(i)));
        networks.remove("bench");
    });
    show("removal.300", time, "promised", promised);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: network_bench DIRECTORY\n", stderr);
        return 2;
    }
    shim::tell_faults_to(STDERR_FILENO, shim::FaultForm::line);
    Bench bench(arguments[1]);
    measure_attach(bench);
    measure_ports(bench);
    measure_removal(bench);
    return 0;
}
