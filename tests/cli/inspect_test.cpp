// container inspect: the keys that scripts read.

#include "cli/inspect.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

ObservedContainer container() {
    ObservedContainer seen;
    seen.id = std::string(64, 'a');
    seen.name = "web";
    seen.state = ContainerState::running;
    seen.pid = 7;
    seen.restarts = 2;
    seen.command = {"httpd", "-f"};
    Service service;
    service.networks["net"].aliases = {"www"};
    service.volumes = {
        {.type = MountType::bind, .source = "/srv", .target = "/srv", .read_only = true},
        {.source = "data", .target = "/data"},
        {.source = "", .target = "/anonymous"}};
    service.expose = {"53/udp", "90"};
    seen.service_config = std::move(service);
    seen.mounts = {{.source = "data", .target = "/data"}};
    seen.addresses = {{"net", "10.1.0.2", "", true}};
    return seen;
}

InspectDetails details() {
    InspectDetails details;
    details.log_path = "/log";
    auto& network = details.networks["net"];
    network.record.subnet4 = "10.1.0.0/24";
    network.record.gateway4 = "10.1.0.1";
    network.id = "abc";
    details.volumes = {{"data", "/volumes/data"}};
    return details;
}

nlohmann::json inspected(const ObservedContainer& seen, const InspectDetails& details) {
    return inspect_json({}, seen, details);
}

TEST(Inspect, TellsOfItsNetworks) {
    const auto networks = inspected(container(), details())["NetworkSettings"];
    EXPECT_EQ(networks["IPAddress"], "10.1.0.2");
    EXPECT_EQ(networks["Gateway"], "10.1.0.1");
    EXPECT_EQ(networks["IPPrefixLen"], 24);
    const auto& network = networks["Networks"]["net"];
    EXPECT_EQ(network["IPAddress"], "10.1.0.2");
    EXPECT_EQ(network["Gateway"], "10.1.0.1");
    EXPECT_EQ(network["NetworkID"], "abc");
    EXPECT_EQ(network["Aliases"], nlohmann::json({"www"}));
    EXPECT_EQ(network["MacAddress"], networks["MacAddress"]);
    EXPECT_EQ(network["MacAddress"].get<std::string>().size(), 17U);
}

TEST(Inspect, OneThatDoesNotRunHasNetworksWithoutAddresses) {
    auto seen = container();
    seen.state = ContainerState::exited;
    seen.addresses.clear();
    const auto networks = inspected(seen, {})["NetworkSettings"];
    EXPECT_EQ(networks["IPAddress"], "");
    EXPECT_EQ(networks["Networks"]["net"]["IPAddress"], "");
    EXPECT_EQ(networks["Networks"]["net"]["Gateway"], "");
    EXPECT_EQ(networks["Networks"]["net"]["IPPrefixLen"], 0);
    EXPECT_EQ(networks["Networks"]["net"]["Aliases"], nlohmann::json({"www"}));
}

TEST(Inspect, TellsOfItsFiles) {
    const auto json = inspected(container(), details());
    EXPECT_EQ(json["HostConfig"]["Binds"], nlohmann::json({"/srv:/srv:ro", "data:/data"}));
    EXPECT_EQ(json["Mounts"][0]["Name"], "data");
    EXPECT_EQ(json["Mounts"][0]["Source"], "/volumes/data");
    EXPECT_EQ(json["LogPath"], "/log");
    EXPECT_FALSE(json.contains("SizeRw"));
    auto sized = details();
    sized.size = ContainerSize{5, 100};
    EXPECT_EQ(inspected(container(), sized)["SizeRw"], 5);
    EXPECT_EQ(inspected(container(), sized)["SizeRootFs"], 105);
}

TEST(Inspect, TellsOfItsPorts) {
    auto seen = container();
    Service service = seen.service_config;
    service.ports = {{.published = "8080", .target = 80}, {.target = 81}};
    seen.service_config = std::move(service);
    seen.ports = {
        {"", 8080, 80, Protocol::tcp}, {"", 40000, 81, Protocol::tcp}, {"", 0, 53, Protocol::udp}};
    const nlohmann::json asked = nlohmann::json::parse(
        R"({"80/tcp": [{"HostIp": "", "HostPort": "8080"}],
            "81/tcp": [{"HostIp": "", "HostPort": ""}]})");
    auto json = inspected(seen, details());
    EXPECT_EQ(json["HostConfig"]["PortBindings"], asked);
    EXPECT_EQ(json["NetworkSettings"]["Ports"], nlohmann::json::parse(R"({
        "53/udp": null,
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
        "81/tcp": [{"HostIp": "0.0.0.0", "HostPort": "40000"},
                   {"HostIp": "::", "HostPort": "40000"}]})"));
    seen.state = ContainerState::exited;
    json = inspected(seen, details());
    EXPECT_EQ(json["HostConfig"]["PortBindings"], asked);
    EXPECT_EQ(json["NetworkSettings"]["Ports"], nlohmann::json::object());
    EXPECT_TRUE(json["Config"]["ExposedPorts"].contains("81/tcp"));
}

TEST(Inspect, TellsHowItIs) {
    auto json = inspected(container(), details());
    EXPECT_EQ(json["State"]["Status"], "running");
    EXPECT_EQ(json["State"]["Error"], "");
    EXPECT_FALSE(json["State"].contains("Health"));
    EXPECT_EQ(json["RestartCount"], 2);
    EXPECT_EQ(json["Path"], "httpd");
    EXPECT_EQ(json["Args"], nlohmann::json({"-f"}));
    EXPECT_TRUE(json["Config"]["ExposedPorts"].contains("53/udp"));
    EXPECT_TRUE(json["Config"]["ExposedPorts"].contains("90/tcp"));
    auto again = container();
    again.state = ContainerState::exited;
    again.restarting = true;
    again.exit.code = 3;
    json = inspected(again, {});
    EXPECT_EQ(json["State"]["Status"], "restarting");
    EXPECT_EQ(json["State"]["Restarting"], true);
    EXPECT_EQ(json["State"]["Running"], true);
    EXPECT_EQ(json["State"]["Pid"], 0);
    EXPECT_EQ(json["State"]["ExitCode"], 3);
}

TEST(Inspect, TellsHowItsCheckWent) {
    auto ill = container();
    ill.health = Health::unhealthy;
    auto known = details();
    known.health = {Health::unhealthy, 3, {{Time{}, Time{}, 1, "no answer"}}};
    const auto health = inspected(ill, known)["State"]["Health"];
    EXPECT_EQ(health["Status"], "unhealthy");
    EXPECT_EQ(health["FailingStreak"], 3);
    EXPECT_EQ(health["Log"][0]["ExitCode"], 1);
    EXPECT_EQ(health["Log"][0]["Output"], "no answer");
    ill.state = ContainerState::exited;
    ill.health = Health::none;
    EXPECT_EQ(inspected(ill, known)["State"]["Health"]["Status"], "unhealthy");
    EXPECT_EQ(inspected(ill, known)["State"]["Health"]["Log"].size(), 1U);
}

TEST(Inspect, TellsWhatItWasAskedFor) {
    auto seen = container();
    Service service = seen.service_config;
    service.healthcheck = Healthcheck{.test = {"CMD", "true"}, .interval = std::chrono::seconds(2)};
    service.stop_grace_period = std::chrono::seconds(7);
    service.devices = {{"/dev/fuse", "", "rw"}, {"vendor.com/gpu=all", "", ""}};
    service.resources.memory_swappiness = 10;
    service.resources.blkio.weight = 300;
    service.volumes.push_back({.type = MountType::tmpfs, .target = "/t"});
    seen.service_config = std::move(service);
    const auto json = inspected(seen, details());
    const auto& config = json["Config"];
    EXPECT_EQ(config["Healthcheck"]["Test"], nlohmann::json({"CMD", "true"}));
    EXPECT_EQ(config["Healthcheck"]["Interval"], 2'000'000'000);
    EXPECT_EQ(config["StopTimeout"], 7);
    EXPECT_EQ(config["AttachStdout"], false);
    EXPECT_EQ(config["StdinOnce"], false);
    EXPECT_TRUE(config.contains("OnBuild"));
    const auto& host = json["HostConfig"];
    ASSERT_EQ(host["Devices"].size(), 1U);
    EXPECT_EQ(host["Devices"][0]["PathInContainer"], "/dev/fuse");
    EXPECT_EQ(host["CgroupnsMode"], "private");
    EXPECT_EQ(host["MemorySwappiness"], 10);
    EXPECT_EQ(host["BlkioWeight"], 300);
    ASSERT_EQ(host["Mounts"].size(), 1U);
    EXPECT_EQ(host["Mounts"][0]["Target"], "/t");
    const auto without = inspected(container(), details())["Config"];
    EXPECT_FALSE(without.contains("Healthcheck"));
    EXPECT_FALSE(without.contains("StopTimeout"));
}

TEST(Inspect, TellsWhereItsPartsAre) {
    auto seen = container();
    seen.mounts.push_back({.type = MountType::bind, .source = "/s", .target = "/s"});
    auto known = details();
    known.files = {{"hosts", "/c/hosts"}, {"upper", "/c/upper"}};
    runtime::ContainerRecord record;
    record.image.lowers = {"/top", "/base"};
    auto json = inspect_json(record, seen, known);
    EXPECT_EQ(json["HostsPath"], "/c/hosts");
    EXPECT_EQ(json["ResolvConfPath"], "");
    EXPECT_EQ(json["GraphDriver"]["Data"]["LowerDir"], "/top:/base");
    EXPECT_EQ(json["GraphDriver"]["Data"]["UpperDir"], "/c/upper");
    EXPECT_EQ(json["GraphDriver"]["Data"]["MergedDir"], "/proc/7/root");
    EXPECT_EQ(json["NetworkSettings"]["SandboxKey"], "/proc/7/ns/net");
    EXPECT_EQ(json["NetworkSettings"]["Networks"]["net"]["EndpointID"].get<std::string>().size(),
              64U);
    EXPECT_EQ(json["Mounts"][0]["Mode"], "");
    EXPECT_EQ(json["Mounts"][0]["Propagation"], "");
    EXPECT_EQ(json["Mounts"][1]["Propagation"], "rprivate");
    seen.state = ContainerState::exited;
    seen.addresses.clear();
    known.start_error = "no such program";
    json = inspect_json(record, seen, known);
    EXPECT_EQ(json["State"]["Error"], "no such program");
    EXPECT_EQ(json["NetworkSettings"]["SandboxKey"], "");
    EXPECT_EQ(json["NetworkSettings"]["Networks"]["net"]["EndpointID"], "");
    EXPECT_FALSE(json["GraphDriver"]["Data"].contains("MergedDir"));
}

}  // namespace
}  // namespace stack::cli
