// What files mean where the prose of the specification leaves it open: as the reference
// implementation (compose-go) has it.

#include "loader/command_line.h"
#include "loader/scalar.h"
#include "tests/loader/project.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

Service web(const std::string& attribute, const std::string& over = "") {
    Project project("services:\n  web:\n    image: x\n    " + attribute + "\n");
    if (!over.empty()) {
        project.file("/p/over.yaml", "services:\n  web:\n    " + over + "\n");
        project.input.files.emplace_back("/p/over.yaml");
    }
    return project.stack().services.at("web");
}

TEST(Scalar, NumbersAreDecimal) {
    using loader::number_text;
    const std::vector<std::pair<std::string, std::string>> numbers{
        {"022", "18"},
        {"0o22", "18"},
        {"0x1F", "31"},
        {"0b11", "3"},
        {"1_000", "1000"},
        {"-07", "-7"},
        {"+5", "5"},
        {"1.10", "1.1"},
        {"1e3", "1000"},
        {"099", "99"},
        {".5", "0.5"},
        {"1.", "1"},
        {"1e21", "1e+21"},
        {"0.00001", "1e-05"},
        {"18446744073709551615", "18446744073709551615"}};
    for (const auto& [plain, text] : numbers)
        EXPECT_EQ(number_text(plain), text) << plain;
    for (const auto* text : {"", "-", ".", "1.2.3", "12:30", "0x", "1e", "a1", "8080:80", "1-2"})
        EXPECT_EQ(number_text(text), std::nullopt) << text;
}

TEST(ImageMount, OfADirectoryLiesByTheFile) {
    const auto service = web("volumes: [{type: image, source: 'rootfs:./tools', target: /t}]");
    EXPECT_EQ(service.volumes.at(0).source, "rootfs:/p/tools");
}

TEST(Scalar, PlainOnesAreTakenForWhatTheyAre) {
    const auto service =
        web("environment: {A: True, B: 022, C: 1.10, D: '022', E: !!str 022, F: yes, G: "
            "'${UNSET:-022}'}");
    const auto value = [&](const char* name) { return *service.environment.at(name); };
    EXPECT_EQ(value("A"), "true");
    EXPECT_EQ(value("B"), "18");
    EXPECT_EQ(value("C"), "1.1");
    EXPECT_EQ(value("D"), "022");
    EXPECT_EQ(value("E"), "022");
    EXPECT_EQ(value("F"), "yes");
    EXPECT_EQ(value("G"), "022");
    EXPECT_EQ(web("pids_limit: 010").resources.pids, 8);
    EXPECT_EQ(web("scale: 0x2").scale, 2);
    EXPECT_EQ(web("configs: [{source: c, mode: 0440}]\nconfigs: {c: {content: x}}").configs[0].mode,
              0440U);
    EXPECT_EQ(
        web("configs: [{source: c, mode: '0440'}]\nconfigs: {c: {content: x}}").configs[0].mode,
        0440U);
}

TEST(Override, NothingIsSomethingForACommandAndForALabel) {
    EXPECT_EQ(web("command: [a]", "command:").command, std::nullopt);
    EXPECT_EQ(web("entrypoint: [a]", "entrypoint: null").entrypoint, std::nullopt);
    EXPECT_EQ(web("labels: {a: b}", "labels: [a]").labels.at("a"), "");
    EXPECT_EQ(web("annotations: {a: b}", "annotations: {a: }").annotations.at("a"), "");
}

TEST(Override, AShortDependencyIsAWholeOne) {
    const std::string db = "\n  db: {image: x}";
    const auto service =
        web("depends_on: {db: {condition: service_healthy}}" + db, "depends_on: [db]");
    EXPECT_EQ(service.depends_on.at("db").condition, DependencyCondition::started);
}

TEST(Override, HostsGatherAddressesAndMountsAreKnownByCleanPaths) {
    EXPECT_EQ(web("extra_hosts: [a=1.1.1.1]", "extra_hosts: [a=2.2.2.2]").extra_hosts.at("a"),
              (Strings{"1.1.1.1", "2.2.2.2"}));
    const auto service = web("volumes: ['./a:/d/']\n    tmpfs: '/t:size=1m'",
                             "volumes: ['./b:/d']\n    tmpfs: '/t:size=2m'");
    ASSERT_EQ(service.volumes.size(), 1U);
    EXPECT_EQ(service.volumes[0].source, "/p/b");
    EXPECT_EQ(service.tmpfs, Strings{"/t:size=2m"});
}

TEST(Override, PoolsOfOneSubnetAreOne) {
    Project project(
        "services: {web: {image: x, networks: [n]}}\n"
        "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/24, gateway: 10.1.0.9}]}}}\n");
    project.file(
        "/p/over.yaml",
        "networks: {n: {ipam: {config: [{subnet: 10.1.0.0/24, ip_range: 10.1.0.64/26}]}}}\n");
    project.input.files.emplace_back("/p/over.yaml");
    const auto pools = project.stack().networks.at("n").ipam;
    ASSERT_EQ(pools.size(), 1U);
    EXPECT_EQ(pools[0].gateway, "10.1.0.9");
    EXPECT_EQ(pools[0].ip_range, "10.1.0.64/26");
}

TEST(CommandLine, IsReadAsTheReferenceDoes) {
    const std::vector<std::pair<std::string, Strings>> lines{
        {"npm start", {"npm", "start"}},
        {R"(sh -c "grep '\.log' x")", {"sh", "-c", "grep '.log' x"}},
        {R"(a 'b\c' d\ e)", {"a", "b\\c", "d e"}},
        {"echo `b c` $(d e)f", {"echo", "`b c`", "$(d e)f"}},
        {"'' \"\"", {"", ""}},
        {"a\tb\nc", {"a", "b", "c"}}};
    for (const auto& [text, words] : lines) {
        const auto line = loader::parse_command_line(text);
        ASSERT_TRUE(line) << text;
        EXPECT_EQ(line->words, words) << text;
        EXPECT_FALSE(line->end) << text;
    }
    const auto two = loader::parse_command_line("npm install && npm start");
    EXPECT_EQ(two->words, (Strings{"npm", "install"}));
    EXPECT_EQ(two->end, 12U);
    for (const auto* text : {"a 'b", "a \"b", "a \\", "a (b)", "a $(b", "a )"})
        EXPECT_FALSE(loader::parse_command_line(text)) << text;
}

TEST(CommandLine, WhatNoShellReadsIsSaid) {
    const std::string said =
        Project("services: {web: {image: x, command: npm install && npm start}}\n").complaints();
    EXPECT_NE(said.find("warning: `command` ends before `&`"), std::string::npos) << said;
}

TEST(Include, TakesVariablesOfItsOwnFilesAndTheLastFileCounts) {
    Project project("include: [{path: s/a.yaml, env_file: [a.env, b.env]}]\n");
    project.file("a.env", "V=a\nBOTH=1\n")
        .file("b.env", "V=b\nBOTH=2\nOF=${BOTH}\n")
        .file("s/a.yaml",
              "services: {web: {image: '${V}', environment: [V, OF], secrets: [s],\n"
              "  build: {args: {V: }}}}\nsecrets: {s: {environment: V}}\n");
    const Stack stack = project.stack();
    const Service& service = stack.services.at("web");
    EXPECT_EQ(service.image, "b");
    EXPECT_EQ(service.environment.at("V"), "b");
    EXPECT_EQ(service.environment.at("OF"), "2");
    EXPECT_EQ(service.build->args.at("V"), "b");
    EXPECT_EQ(stack.secrets.at("s").content, "b");
}

TEST(EnvFile, SeesItsOwnLinesAboveThoseOfEarlierFiles) {
    Project project("services: {web: {image: x, env_file: [a.env, b.env]}}\n");
    project.file("a.env", "B=1\nEARLY=1\n")
        .file("b.env", "B=2\nC=${B}${EARLY}\nD='it\\'s'\nexport\tE=1\n");
    const Stack stack = project.stack();
    const auto& environment = stack.services.at("web").environment;
    EXPECT_EQ(environment.at("C"), "21");
    EXPECT_EQ(environment.at("D"), "it's");
    EXPECT_EQ(environment.at("E"), "1");
}

TEST(EnvFile, KnowsTheEscapesAndLettersOfTheReference) {
    Project project("services: {web: {image: x, env_file: a.env}}\n");
    project.file("a.env",
                 "A=\"x\\0101y\"\nB=\"\\a\\v\\c\"\nC=\"\\01\"\nD=\"\\0351\"\n\xC3\x89=1\nF=$UNSET\n"
                 "H=\"\\0477\"\n");
    const Service service = project.stack().services.at("web");
    const auto value = [&](const char* name) { return *service.environment.at(name); };
    EXPECT_EQ(value("A"), "xAy");
    EXPECT_EQ(value("B"), "\a\v\\c");
    EXPECT_EQ(value("C"), "\\1");
    EXPECT_EQ(value("D"), "\xC3\xA9");
    EXPECT_EQ(value("\xC3\x89"), "1");
    EXPECT_EQ(value("F"), "");
    EXPECT_EQ(value("H"), "\\477");
    EXPECT_NE(project.complaints().find("a.env:6:1: warning: The \"UNSET\" variable is not set."),
              std::string::npos);
}

TEST(Unused, IsNotMadeUnlessAskedFor) {
    Project project(
        "services:\n  web: {image: x, volumes: ['used:/u'], build: {context: ., secrets: [b]}}\n"
        "volumes: {used: , unused: }\nnetworks: {unused: }\n"
        "secrets: {b: {file: ./b}, unused: {file: ./u}}\nconfigs: {unused: {content: x}}\n");
    const Stack stack = project.stack();
    EXPECT_EQ(stack.volumes.size() + stack.networks.size() + stack.secrets.size(), 3U);
    EXPECT_TRUE(stack.configs.empty());
    project.input.all_resources = true;
    const Stack all = project.stack();
    EXPECT_TRUE(all.volumes.contains("unused") && all.networks.contains("unused") &&
                all.secrets.contains("unused") && all.configs.contains("unused"));
}

TEST(Provider, IsOnNoNetwork) {
    const Stack stack = Project("services: {web: {provider: {type: aws}}}\n").stack();
    EXPECT_TRUE(stack.networks.empty());
}

TEST(Ports, AreWhereTheirNetworkBindsThem) {
    const auto service =
        web("ports: ['80:80', '192.0.2.1:81:81']\n    networks: [local]\nnetworks: {local: "
            "{driver_opts: {com.docker.network.bridge.host_binding_ipv4: 127.0.0.1}}}");
    EXPECT_EQ(service.ports[0].host_ip, "127.0.0.1");
    EXPECT_EQ(service.ports[1].host_ip, "192.0.2.1");
}

TEST(Networks, HaveTheServicesHardwareAddressOnTheMainOne) {
    const auto service =
        web("mac_address: '02:00:00:00:00:07'\n    networks: {a: , b: {priority: 5}, c: {priority: "
            "5}}\nnetworks: {a: , b: , c: }");
    EXPECT_EQ(service.networks.at("a").mac_address, "");
    EXPECT_EQ(service.networks.at("b").mac_address, "02:00:00:00:00:07");
    EXPECT_EQ(service.networks.at("c").mac_address, "");
}

TEST(Networks, NameAnInterfaceInTwoWays) {
    const auto service =
        web("networks: {default: {driver_opts: {com.docker.network.endpoint.ifname: lan}}}");
    EXPECT_EQ(service.networks.at("default").interface_name, "lan");
    const auto both =
        web("networks: {default: {interface_name: wan, driver_opts: "
            "{com.docker.network.endpoint.ifname: lan}}}");
    EXPECT_EQ(both.networks.at("default").interface_name, "wan");
}

TEST(Device, WithoutATargetIsAtItsSource) {
    const auto service = web("devices: ['/dev/fuse::r']");
    EXPECT_EQ(service.devices[0].target, "/dev/fuse");
    EXPECT_EQ(service.devices[0].permissions, "r");
}

TEST(Text, MayComeFromAVariableThatLooksLikeANumber) {
    Project project("services: {web: {image: x, user: '${ID}', hostname: \"${ID}\"}}\n");
    project.variable("ID", "1000");
    EXPECT_EQ(project.stack().services.at("web").user, "1000");
}

TEST(Extends, KnowsEveryDocumentOfAFile) {
    Project project("services: {web: {extends: {file: b.yaml, service: b}}}\n");
    project.file("b.yaml",
                 "services: {a: {image: a}}\n---\nservices: {b: {image: b}}\n---\n"
                 "services: {b: {command: [c]}}\n");
    const Service service = project.stack().services.at("web");
    EXPECT_EQ(service.image, "b");
    EXPECT_EQ(service.command, Strings{"c"});
}

TEST(Blank, IsAsIfNothingWereSaid) {
    EXPECT_EQ(web("restart: '${R}'").restart.condition, RestartCondition::no);
    EXPECT_EQ(web("ports: ['${IP}:80:80']").ports[0].host_ip, "");
    EXPECT_EQ(Project("include:\nservices: {web: {image: x, profiles: ['']}}\n")
                  .stack()
                  .services.count("web"),
              1U);
    EXPECT_EQ(web("gpus: [{driver: nvidia}]").device_requests[0].count, -1);
    EXPECT_EQ(web("dns: ['', 9.9.9.9]").dns, Strings{"9.9.9.9"});
    EXPECT_EQ(web("volumes: [{type: bind, source: '', target: /x}]").volumes[0].source, "/p");
}

TEST(Alternatives, MayHaveTheSamePortOfTheHost) {
    Project project(
        "services:\n  a: {image: x, ports: ['80:80']}\n  b: {image: x, ports: ['80:80']}\n");
    EXPECT_EQ(project.stack().services.size(), 2U);
    EXPECT_NE(project.complaints().find("warning: port 80 of the host"), std::string::npos);
}

TEST(Names, OfContainersArePartsOfPaths) {
    for (const auto* name : {"a b", "../x", "a/b", "-a", "a"})
        EXPECT_NE(
            Project("services: {web: {image: x, container_name: '" + std::string(name) + "'}}\n")
                .complaints()
                .find("cannot be the name of a container"),
            std::string::npos)
            << name;
}

TEST(Seccomp, AProfileIsWhatItsFileHeldAtLoading) {
    const std::string profile = R"({"defaultAction": "SCMP_ACT_ALLOW"})";
    const auto profile_of = [&](const std::string& options) {
        Project project("services: {web: {image: x, security_opt: " + options + "}}\n");
        project.file("sub/profile.json", profile);
        return project.stack().services.at("web");
    };
    const Service web = profile_of("[seccomp=sub/profile.json]");
    EXPECT_EQ(web.seccomp_profile, profile);
    EXPECT_EQ(web.security_opt, Strings{"seccomp=/p/sub/profile.json"});
    EXPECT_EQ(profile_of("['seccomp:./sub/profile.json']").seccomp_profile, profile);
    EXPECT_EQ(profile_of("[seccomp=unconfined, seccomp=sub/profile.json]").seccomp_profile, profile)
        << "the last one counts";
    EXPECT_EQ(profile_of("[seccomp=sub/profile.json, seccomp=unconfined]").seccomp_profile, "");
    EXPECT_EQ(profile_of("[seccomp=builtin]").seccomp_profile, "");
}

TEST(Seccomp, AProfileThatIsNoneIsComplainedOfWhereItIsWrong) {
    Project project("services: {web: {image: x, security_opt: [seccomp=profile.json]}}\n");
    project.file("profile.json", "{\n  \"defaultAction\" SCMP_ACT_ALLOW\n}\n");
    const auto broken = project.load().diagnostics;
    ASSERT_EQ(broken.size(), 1U);
    EXPECT_EQ(broken[0].location.file, "/p/profile.json");
    EXPECT_EQ(broken[0].location.line, 2);
    EXPECT_EQ(broken[0].notes.at(0).location.file, "/p/compose.yaml");
    project.file("profile.json", R"({"defaultAction": "SCMP_ACT_DENY"})");
    const auto unknown = project.load().diagnostics;
    ASSERT_EQ(unknown.size(), 1U);
    EXPECT_EQ(unknown[0].location.file, "/p/compose.yaml");
    EXPECT_EQ(unknown[0].message,
              "the seccomp profile /p/profile.json: `defaultAction`: there is no action "
              "\"SCMP_ACT_DENY\"");
}

}  // namespace
}  // namespace stack::test
