// container run: what docker's options say, as a stack.

#include "cli/single_stack.h"

#include <stack/error.h>
#include <stack/plan.h>

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

SingleOptions options() {
    SingleOptions options;
    options.name = "mine";
    options.image = "busybox";
    return options;
}

SingleContext context() {
    SingleContext context;
    context.directory = "/work";
    context.environment = {{"HERE", "1"}};
    context.volumes = {"old"};
    context.read_file = [](const std::string& path) -> std::optional<std::string> {
        if (path == "/work/vars")
            return "A=1\nB=$x \"y\"\n";
        if (path == "/work/labels")
            return "# no\nA=file\nB=file\n";
        return std::nullopt;
    };
    return context;
}

Service service_of(const SingleOptions& options) {
    const Stack stack = single_stack(options, context());
    EXPECT_EQ(stack.name, single_containers);
    return stack.services.at("mine");
}

std::string refusal(const SingleOptions& options) {
    try {
        static_cast<void>(single_stack(options, context()));
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(SingleStack, SaysNothingThatWasNotSaid) {
    const Service service = service_of(options());
    EXPECT_EQ(service.image, "busybox");
    EXPECT_FALSE(service.command);
    EXPECT_FALSE(service.entrypoint);
    EXPECT_FALSE(service.tty);
    EXPECT_EQ(service.restart.condition, RestartCondition::no);
    EXPECT_TRUE(service.networks.contains("bridge"));
}

TEST(SingleStack, AnEntrypointIsOneProgram) {
    auto given = options();
    given.entrypoint = "/bin/my program";
    given.command = {"a", "$b"};
    const Service service = service_of(given);
    EXPECT_EQ(service.entrypoint, Strings{"/bin/my program"});
    EXPECT_EQ(service.command, (Strings{"a", "$b"}));
    given.entrypoint = "";
    EXPECT_EQ(service_of(given).entrypoint, Strings{});
}

TEST(SingleStack, TheEnvironmentIsFilesThenOptions) {
    auto given = options();
    given.env_files = {"vars"};
    given.environment = {"A=2", "HERE", "MISSING"};
    const auto environment = service_of(given).environment;
    EXPECT_EQ(environment.at("A"), "2");
    EXPECT_EQ(environment.at("B"), "$x \"y\"");
    EXPECT_EQ(environment.at("HERE"), "1");
}

TEST(SingleStack, TheLabelsAreFilesThenOptions) {
    auto given = options();
    given.label_files = {"labels"};
    given.labels = {"B=option", "C"};
    const auto labels = service_of(given).labels;
    EXPECT_EQ(labels, (StringMap{{"A", "file"}, {"B", "option"}, {"C", ""}}));
}

TEST(SingleStack, VolumesAreNamedOrPaths) {
    auto given = options();
    given.volumes = {"old:/a", "new:/b:ro", "./dir:/c", "/anonymous"};
    given.mounts = {"type=volume,src=third,dst=/d",
                    "type=bind,source=/e,target=/e,readonly",
                    "type=tmpfs,target=/f,tmpfs-size=1m",
                    "type=image,source=tools,target=/g,image-subpath=bin"};
    const Stack stack = single_stack(given, context());
    EXPECT_TRUE(stack.volumes.at("old").external);
    EXPECT_FALSE(stack.volumes.at("new").external);
    EXPECT_EQ(stack.volumes.at("new").name, "new");
    EXPECT_TRUE(stack.volumes.contains("third"));
    EXPECT_EQ(stack.volumes.size(), 3U);
    const auto& mounts = stack.services.at("mine").volumes;
    ASSERT_EQ(mounts.size(), 8U);
    EXPECT_EQ(mounts[2].source, "/work/dir");
    EXPECT_EQ(mounts[3].source, "");
    EXPECT_FALSE(mounts[5].create_host_path);
    EXPECT_TRUE(mounts[5].read_only);
    EXPECT_EQ(mounts[6].tmpfs_size, 1 << 20);
    EXPECT_EQ(mounts[7].type, MountType::image);
    EXPECT_EQ(mounts[7].source, "tools");
    EXPECT_EQ(mounts[7].subpath, "bin");
}

TEST(SingleStack, NetworksAreModesOrNames) {
    auto given = options();
    given.networks = {"host"};
    EXPECT_EQ(service_of(given).network_mode, "host");
    given.networks = {"shop_default", "name=other,alias=x"};
    given.aliases = {"y"};
    const Stack stack = single_stack(given, context());
    EXPECT_TRUE(stack.networks.at("shop_default").external);
    const auto& attached = stack.services.at("mine").networks;
    EXPECT_EQ(attached.at("other").aliases, (Strings{"y", "x"}));
    given.aliases = {};
    given.networks = {"none", "other"};
    EXPECT_NE(refusal(given).find("excludes"), std::string::npos);
}

TEST(SingleStack, LimitsAndHealthAreTheStackFiles) {
    auto given = options();
    given.memory = "64m";
    given.cpus = "1.5";
    given.pids = "100";
    given.ulimits = {"nofile=10:20", "core=0"};
    given.stop_timeout = 3;
    given.restart = "on-failure:5";
    given.health_command = "true && true";
    given.health_interval = "2s";
    given.health_retries = "7";
    const Service service = service_of(given);
    EXPECT_EQ(service.resources.memory, 64 << 20);
    EXPECT_EQ(service.resources.cpus, 1.5);
    EXPECT_EQ(service.resources.pids, 100);
    EXPECT_EQ(service.ulimits.at("nofile"), (Ulimit{10, 20}));
    EXPECT_EQ(service.stop_grace_period, std::chrono::seconds(3));
    EXPECT_EQ(service.restart.max_attempts, 5);
    EXPECT_EQ(service.healthcheck->test, (Strings{"CMD-SHELL", "true && true"}));
    EXPECT_EQ(service.healthcheck->retries, 7);
}

TEST(SingleStack, WhatHasNoMeaningIsRefused) {
    auto given = options();
    given.ports = {"1:2:3:4"};
    EXPECT_NE(refusal(given).find("1:2:3:4"), std::string::npos) << refusal(given);
    given = options();
    given.mounts = {"type=bind,sorce=/a,target=/b"};
    EXPECT_NE(refusal(given).find("unknown field sorce"), std::string::npos);
    given = options();
    given.remove = true;
    given.restart = "always";
    EXPECT_NE(refusal(given).find("exclude"), std::string::npos);
    given = options();
    given.gpus = {"all"};
    EXPECT_NE(refusal(given).find("--gpus"), std::string::npos);
}

TEST(SingleStack, ExposedPortsArePublishedAnywhere) {
    const auto ports = ports_to_publish({"80/tcp", "53/udp", "nonsense"});
    ASSERT_EQ(ports.size(), 2U);
    EXPECT_EQ(ports[0].target, 80);
    EXPECT_EQ(ports[0].published, "");
    EXPECT_EQ(ports[1].protocol, Protocol::udp);
}

}  // namespace
}  // namespace stack::cli
