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
    const auto single = single_stack(options, context());
    EXPECT_EQ(single.stack.name, single_containers);
    EXPECT_EQ(single.warnings, Strings{});
    return single.stack.services.at("mine");
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
    const Stack stack = single_stack(given, context()).stack;
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

TEST(SingleStack, ATargetHasOneMount) {
    auto given = options();
    given.volumes = {"old:/d", "new:/x/../d/"};
    EXPECT_EQ(refusal(given), "two things are to be mounted on /x/../d/: leave one of them away");
    given.volumes = {"old:/d"};
    given.mounts = {"type=tmpfs,target=/d"};
    EXPECT_EQ(refusal(given), "two things are to be mounted on /d: leave one of them away");
    given.mounts = {};
    given.tmpfs = {"/d:size=1m"};
    EXPECT_EQ(refusal(given), "two things are to be mounted on /d: leave one of them away");
    given.tmpfs = {};
    given.volumes = {"old:/d", "/d", "/e", "/e"};
    const auto mounts = service_of(given).volumes;
    ASSERT_EQ(mounts.size(), 2U) << "one without a name gives way";
    EXPECT_EQ(mounts[0].source, "old");
    given.volumes = {"old:/"};
    EXPECT_TRUE(refusal(given).starts_with("--volume has the target /: ")) << refusal(given);
}

TEST(SingleStack, NetworksAreModesOrNames) {
    auto given = options();
    given.networks = {"host"};
    EXPECT_EQ(service_of(given).network_mode, "host");
    given.networks = {"shop_default", "name=other,alias=x"};
    given.aliases = {"y"};
    const Stack stack = single_stack(given, context()).stack;
    EXPECT_TRUE(stack.networks.at("shop_default").external);
    const auto& attached = stack.services.at("mine").networks;
    EXPECT_EQ(attached.at("other").aliases, (Strings{"y", "x"}));
    given.aliases = {};
    given.networks = {"container:web"};
    EXPECT_EQ(service_of(given).network_mode, "container:web");
    for (auto* const list : {&given.ports, &given.expose, &given.dns, &given.extra_hosts}) {
        *list = {"80"};
        EXPECT_NE(refusal(given).find("exclude each other"), std::string::npos) << refusal(given);
        list->clear();
    }
    given.hostname = "other";
    EXPECT_EQ(refusal(given),
              "--hostname and --network container:web exclude each other: say it of that "
              "container");
    given.hostname.clear();
    given.networks = {"none", "other"};
    EXPECT_NE(refusal(given).find("excludes"), std::string::npos);
}

TEST(SingleStack, ANetworkMayBeGivenWithItsFields) {
    auto given = options();
    given.networks = {"first",
                      "name=second,alias=a,alias=b,ip=10.1.0.5,mac-address=02:42:00:00:00:05,"
                      "gw-priority=7,\"driver-opt=key=1,2\""};
    given.ip = "10.0.0.5";
    const auto single = single_stack(given, context());
    EXPECT_EQ(single.warnings.size(), 1U);  // of the key, which is no network's option here
    const auto attached = single.stack.services.at(given.name).networks;
    EXPECT_EQ(attached.at("first").ipv4_address, "10.0.0.5");
    const auto& second = attached.at("second");
    EXPECT_EQ(second.ipv4_address, "10.1.0.5");
    EXPECT_EQ(second.aliases, (Strings{"a", "b"}));
    EXPECT_EQ(second.mac_address, "02:42:00:00:00:05");
    EXPECT_EQ(second.gw_priority, 7);
    EXPECT_EQ(second.driver_opts, (StringMap{{"key", "1,2"}}));
    given.networks = {"name=second,allias=a"};
    EXPECT_NE(refusal(given).find("unknown field allias"), std::string::npos) << refusal(given);
    given.networks = {"alias=a"};
    EXPECT_NE(refusal(given).find("name=NETWORK is missing"), std::string::npos);
}

TEST(SingleStack, AMountMayDescribeItsVolume) {
    auto given = options();
    given.mounts = {
        "type=volume,src=ram,dst=/a,volume-opt=type=tmpfs,\"volume-opt=o=size=1m,uid=5\","
        "volume-label=of=me,volume-subpath=sub",
        "type=volume,src=old,dst=/b,volume-driver=local",
        "type=bind,src=/c,dst=/c,bind-propagation=rslave,bind-create-src",
        "type=tmpfs,dst=/d,tmpfs-mode=1770"};
    const Stack stack = single_stack(given, context()).stack;
    const Volume& ram = stack.volumes.at("ram");
    EXPECT_EQ(ram.driver_opts, (StringMap{{"type", "tmpfs"}, {"o", "size=1m,uid=5"}}));
    EXPECT_EQ(ram.labels.at("of"), "me");
    EXPECT_TRUE(stack.volumes.at("old").external);
    const auto& mounts = stack.services.at("mine").volumes;
    ASSERT_EQ(mounts.size(), 4U);
    EXPECT_EQ(mounts[0].subpath, "sub");
    EXPECT_EQ(mounts[2].propagation, "rslave");
    EXPECT_TRUE(mounts[2].create_host_path);
    EXPECT_EQ(mounts[3].tmpfs_mode, 01770U);
}

TEST(SingleStack, AMountThatContradictsItselfIsRefused) {
    const auto said_of = [](const std::string& mount) {
        auto given = options();
        given.mounts = {mount};
        return refusal(given);
    };
    EXPECT_NE(
        said_of("type=bind,src=/a,dst=/a,volume-nocopy").find("of type=volume, not of type=bind"),
        std::string::npos)
        << said_of("type=bind,src=/a,dst=/a,volume-nocopy");
    EXPECT_NE(said_of("dst=/a,volume-opt=type=tmpfs").find("source=NAME"), std::string::npos);
    EXPECT_NE(said_of("type=bind,src=/a").find("target=PATH is missing"), std::string::npos);
    EXPECT_NE(said_of("dst=/a,ro=perhaps").find("ro is true or false"), std::string::npos);
    EXPECT_NE(said_of("dst=/a,\"src=x").find("a double quote has no end"), std::string::npos);
    EXPECT_NE(said_of("dst=/a,,").find("NAME=VALUE fields"), std::string::npos);
}

TEST(SingleStack, BlockDevicesHaveLimits) {
    auto given = options();
    given.blkio_weight = "300";
    given.blkio_weight_devices = {"/dev/sda:200"};
    given.read_bps = {"/dev/sda:1mb"};
    given.write_iops = {"/dev/sda:50", "/dev/disk/by-path/pci-0000:00:1f.2:60"};
    const Blkio blkio = service_of(given).resources.blkio;
    EXPECT_EQ(blkio.weight, 300);
    EXPECT_EQ(blkio.weight_device, (std::vector<BlkioWeight>{{"/dev/sda", 200}}));
    EXPECT_EQ(blkio.device_read_bps, (std::vector<BlkioRate>{{"/dev/sda", 1 << 20}}));
    EXPECT_EQ(
        blkio.device_write_iops,
        (std::vector<BlkioRate>{{"/dev/sda", 50}, {"/dev/disk/by-path/pci-0000:00:1f.2", 60}}));
    given.read_bps = {"/dev/sda"};
    EXPECT_NE(refusal(given).find("--device-read-bps /dev/sda: "), std::string::npos);
}

TEST(SingleStack, WhatIsWrongIsSaidInTheWordsOfTheOptions) {
    auto given = options();
    given.memory = "much";
    EXPECT_TRUE(refusal(given).starts_with("--memory: \"much\" is malformed")) << refusal(given);
    given = options();
    given.oom_score_adj = "5000";
    EXPECT_TRUE(refusal(given).starts_with("--oom-score-adj must be a whole number"))
        << refusal(given);
    given = options();
    given.env_files = {"/missing"};
    EXPECT_EQ(refusal(given), "--env-file /missing does not exist");
    given = options();
    given.working_dir = "sub";
    EXPECT_TRUE(refusal(given).starts_with("--workdir must be an absolute path")) << refusal(given);
    given = options();
    given.memory = "100m";
    given.memory_reservation = "200m";
    given.memory_swap = "50m";
    EXPECT_TRUE(refusal(given).starts_with("--memory-reservation is more than its --memory: "))
        << refusal(given);
    EXPECT_NE(refusal(given).find("--memory-swap is less than its --memory: "), std::string::npos);
    given = options();
    given.log_options = {"max-size=abc"};
    EXPECT_TRUE(refusal(given).starts_with("--log-opt max-size must be a size")) << refusal(given);
    given = options();
    given.environment = {"=x"};
    EXPECT_TRUE(refusal(given).starts_with("--env has a variable without a name"))
        << refusal(given);
    given = options();
    given.ulimits = {"nofile=1024:512"};
    EXPECT_TRUE(refusal(given).starts_with("ulimit `nofile` has a soft limit above its hard one"))
        << refusal(given);
    given = options();
    given.name = "no name";
    EXPECT_TRUE(refusal(given).starts_with("\"no name\" cannot be the name of a container: "))
        << refusal(given);
}

TEST(SingleStack, WhatHasNoEffectIsSaidSo) {
    auto given = options();
    given.log_driver = "syslog";
    const auto single = single_stack(given, context());
    EXPECT_EQ(single.stack.services.at("mine").image, "busybox");
    EXPECT_EQ(single.warnings,
              Strings{"`--log-driver syslog` has no effect here: its lines go to bounded files, "
                      "which `stack container logs` shows"});
    given = options();
    given.networks = {"host"};
    given.ports = {"80:80"};
    EXPECT_EQ(single_stack(given, context()).warnings,
              Strings{"--publish has no effect: with `--network host` its ports are the host's"});
    given = options();
    given.log_options = {"mode=non-blocking", "tag=it"};
    EXPECT_EQ(single_stack(given, context()).warnings, Strings{"--log-opt tag has no effect here"});
}

TEST(SingleStack, MountsTheImageThatIsCalledAsItIs) {
    auto given = options();
    given.mounts = {"type=image,source=mine,target=/a", "type=image,source=other,target=/b"};
    const Service service = service_of(given);
    ASSERT_EQ(service.volumes.size(), 2U);
    EXPECT_EQ(service.volumes[0].source, "mine:latest") << "it is no service";
    EXPECT_EQ(service.volumes[1].source, "other");
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
    given.stop_timeout = -1;
    EXPECT_GT(service_of(given).stop_grace_period, std::chrono::hours(24 * 365));
}

TEST(SingleStack, GpusAreAllANumberOrThoseThatAreNamed) {
    auto given = options();
    given.gpus = {"all", "2", "\"device=0,1\",capabilities=utility", "driver=nvidia"};
    const Stack stack = single_stack(given, context()).stack;
    const auto& requests = stack.services.at(given.name).device_requests;
    ASSERT_EQ(requests.size(), 4U);
    EXPECT_EQ(requests[0].count, -1);
    EXPECT_EQ(requests[1].count, 2);
    EXPECT_EQ(requests[2].device_ids, (Strings{"0", "1"}));
    EXPECT_EQ(requests[2].capabilities, (Strings{"utility", "gpu"}));
    EXPECT_EQ(requests[3].driver, "nvidia");
    EXPECT_EQ(requests[3].count, 1);
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
    given.gpus = {"all,devices=0"};
    EXPECT_NE(refusal(given).find("--gpus all,devices=0: unknown field devices"), std::string::npos)
        << refusal(given);
    given.gpus = {"all,count=2"};
    EXPECT_NE(refusal(given).find("count is said twice"), std::string::npos) << refusal(given);
    given = options();
    given.refusals = {"--one is not supported", "--two is not supported"};
    EXPECT_EQ(refusal(given), "--one is not supported\nstack: --two is not supported");
}

}  // namespace
}  // namespace stack::cli
