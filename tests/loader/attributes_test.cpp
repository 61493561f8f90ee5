// Forms of attributes that are easily forgotten, and what is said of those without effect.

#include <stack/error.h>

#include "tests/loader/project.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

/// The service `web` with these lines in it.
Project web(const std::string& lines, const std::string& rest = "") {
    return Project("services:\n  web:\n    image: x\n    " + lines + "\n" + rest);
}

Service service(const Project& project) {
    return project.stack().services.at("web");
}

bool warns(const Project& project, const std::string& text) {
    const std::string said = project.complaints();
    EXPECT_EQ(said.find("error:"), std::string::npos) << said;
    return said.find(text) != std::string::npos;
}

TEST(Attributes, LabelFilesStandBelowLabels) {
    Project project = web("label_file: [a.labels, b.labels]\n    labels: {c: own}");
    project.file("a.labels", "a=1\nb=1\n").file("b.labels", "b=2\nc=2\n");
    EXPECT_EQ(service(project).labels, (StringMap{{"a", "1"}, {"b", "2"}, {"c", "own"}}));
    EXPECT_NE(web("label_file: gone").complaints().find("label_file /p/gone of service `web`"),
              std::string::npos);
}

TEST(Attributes, WhatNamesAFileThatCannotBeReadIsPointedAt) {
    const auto complaints = [](const std::string& compose) {
        const Project project(compose);
        LoadInput input = project.input;
        input.read_file = [&](const std::string& path) -> std::optional<std::string> {
            if (path == "/p/compose.yaml")
                return compose;
            if (path == "/p/large")
                throw Error(std::make_error_code(std::errc::file_too_large), "read it: too large");
            if (path == "/p/dir")
                throw Error(std::make_error_code(std::errc::is_a_directory),
                            "read it: a directory");
            throw Error(std::make_error_code(std::errc::permission_denied), "read it: denied");
        };
        return printed(load(input));
    };
    const std::string web = "services: {web: {image: x, ";
    for (const std::string text : {"env_file: dir}}",
                                   "label_file: dir}}",
                                   "extends: {file: dir, service: web}}}",
                                   "security_opt: ['seccomp:dir']}}",
                                   "}}\ninclude: [dir]"}) {
        const std::string said = complaints(web + text);
        EXPECT_NE(said.find(" error: /p/dir is a directory\n"), std::string::npos) << said;
        EXPECT_NE(said.find("name a file"), std::string::npos) << said;
        EXPECT_TRUE(said.starts_with("/p/compose.yaml:1:") ||
                    said.starts_with("/p/compose.yaml:2:"))
            << said;
    }
    EXPECT_NE(complaints(web + "env_file: large}}").find("/p/large is larger than 16 MiB"),
              std::string::npos);
    EXPECT_NE(complaints(web + "env_file: other}}").find(" error: read it: denied\n"),
              std::string::npos);
}

TEST(Attributes, TheNameOfAContainerHasALimit) {
    EXPECT_EQ(web("container_name: " + std::string(255, 'a')).complaints(), "");
    const std::string said = web("container_name: " + std::string(400, 'a')).complaints();
    EXPECT_NE(said.find("it has 400 characters"), std::string::npos) << said;
    EXPECT_NE(said.find("at most 255"), std::string::npos) << said;
}

TEST(Attributes, TargetsOfMountsAreCleaned) {
    const Service mounts = service(web("volumes: ['/a/../data/', {type: tmpfs, target: /b//c/.}]"));
    EXPECT_EQ(mounts.volumes[0].target, "/data");
    EXPECT_EQ(mounts.volumes[1].target, "/b/c");
}

TEST(Attributes, NothingIsMountedOnTheRoot) {
    for (const auto* attribute : {"volumes: ['data:/']",
                                  "volumes: ['./a:/..//']",
                                  "volumes: [{type: bind, source: ., target: /.}]"})
        EXPECT_NE(web(attribute).complaints().find("`volumes` of service `web` has the target /\n"),
                  std::string::npos)
            << web(attribute).complaints();
    EXPECT_NE(web("tmpfs: /").complaints().find("`tmpfs` of service `web` has the target /\n"),
              std::string::npos);
}

TEST(Attributes, WhatHasNoMeaningInAContainerIsRefused) {
    EXPECT_NE(web("working_dir: sub")
                  .complaints()
                  .find("`working_dir` must be an absolute path of the container"),
              std::string::npos);
    EXPECT_NE(
        web("environment: ['=x']").complaints().find("`environment` has a variable without a name"),
        std::string::npos);
}

TEST(Attributes, ExtraHostsOfABuildHaveBothForms) {
    const auto build =
        service(web("build: {context: ., extra_hosts: ['a=1.2.3.4', 'b:[::1]', 'a=5.6.7.8']}"));
    EXPECT_EQ(build.build->extra_hosts,
              (std::map<std::string, Strings>{{"a", {"1.2.3.4", "5.6.7.8"}}, {"b", {"::1"}}}));
}

TEST(Attributes, AdditionalContextsAreRelativeInBothForms) {
    for (const std::string form : {"[src=./src, img=docker-image://a]", "{src: ./src}"})
        EXPECT_EQ(service(web("build: {context: ., additional_contexts: " + form + "}"))
                      .build->additional_contexts.at("src"),
                  "/p/src");
}

TEST(Attributes, SshOfABuildHasThreeForms) {
    for (const std::string form : {"[default, 'k=/key']", "{default: , k: /key}"})
        EXPECT_EQ(service(web("build: {context: ., ssh: " + form + "}")).build->ssh,
                  (Strings{"default", "k=/key"}));
    EXPECT_EQ(service(web("build: {context: ., ssh: default}")).build->ssh, Strings{"default"});
}

TEST(Attributes, StagesToBuildAgainAreOneOrMore) {
    for (const std::string form : {"one", "[one]"})
        EXPECT_EQ(service(web("build: {context: ., no_cache_filter: " + form + "}"))
                      .build->no_cache_filter,
                  Strings{"one"});
}

TEST(Attributes, GpusAreRequestsForDevices) {
    const auto all = service(web("gpus: all")).device_requests;
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].count, -1);
    EXPECT_EQ(all[0].capabilities, Strings{"gpu"});
    const auto one = service(web("gpus: [{driver: nvidia, count: 1}]")).device_requests;
    EXPECT_EQ(one[0].driver, "nvidia");
    EXPECT_EQ(one[0].capabilities, Strings{"gpu"});
    EXPECT_EQ(web("gpus: all").complaints(), "");
    EXPECT_NE(web("gpus: [{driver: amd}]").complaints().find("there is no driver \"amd\""),
              std::string::npos);
}

TEST(Attributes, ADeviceMayBeANameOfTheContainerDeviceInterface) {
    const auto devices = service(web("devices: ['vendor.com/class=1:0', /dev/null]")).devices;
    ASSERT_EQ(devices.size(), 2U);
    EXPECT_EQ(devices[0].source, "vendor.com/class=1:0");
}

TEST(Attributes, AProviderStandsForAnImage) {
    const auto stack =
        Project("services: {db: {provider: {type: cloud, options: {size: 1, zone: [a, b]}}}}\n")
            .stack();
    const auto& provider = *stack.services.at("db").provider;
    EXPECT_EQ(provider.type, "cloud");
    EXPECT_EQ(provider.options.at("zone"), (Strings{"a", "b"}));
}

TEST(Attributes, ModelsAreReadInAllForms) {
    for (const std::string form : {"[llm]", "{llm: }", "{llm: {endpoint_var: A, model_var: B}}"})
        EXPECT_TRUE(warns(web("models: " + form, "models: {llm: {model: a/b}}\n"),
                          "`models` of service `web` has no effect here"));
}

TEST(Attributes, SubnetsAreMergedByAddress) {
    Project project(
        "services: {web: {image: x, networks: [a]}}\n"
        "networks: {a: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}\n");
    project.file("over.yaml",
                 "networks: {a: {ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.0.9}]}}}\n");
    project.input.files.emplace_back("/p/over.yaml");
    const auto ipam = project.stack().networks.at("a").ipam;
    ASSERT_EQ(ipam.size(), 1U);
    EXPECT_EQ(ipam[0].gateway, "10.0.0.9");
}

TEST(Attributes, LimitsMayBeGivenTwiceWhereTheyAgree) {
    EXPECT_EQ(web("cpus: 0.5\n    mem_limit: 1g\n    deploy: {resources: {limits: {cpus: '0.50', "
                  "memory: 1024m}}}")
                  .complaints(),
              "");
}

TEST(Attributes, WhatHasNoEffectIsSaid) {
    for (const std::string line : {"external_links: [a]",
                                   "logging: {driver: syslog}",
                                   "logging: {options: {tag: a}}",
                                   "cgroup_parent: a",
                                   "runtime: runsc",
                                   "use_api_socket: true",
                                   "credential_spec: {file: a}",
                                   "isolation: process",
                                   "cpu_count: 2",
                                   "cpu_percent: 50",
                                   "pull_refresh_after: 1h",
                                   "volumes: [{type: bind, source: ., target: /a, "
                                   "bind: {recursive: disabled}}]",
                                   "networks: {default: {driver_opts: {a: b}}}",
                                   "network_mode: host\n    ports: ['80:80']",
                                   "deploy: {placement: {constraints: [a]}}",
                                   "deploy: {endpoint_mode: vip}",
                                   "build: {context: ., provenance: true, sbom: true}",
                                   "build: {context: ., secrets: [{source: s, uid: '1'}]}"})
        EXPECT_TRUE(warns(web(line, "secrets: {s: {file: a}}\n"), "no effect")) << line;
}

TEST(Attributes, WhatIsSoAnywayIsNotSaid) {
    for (const std::string line : {"userns_mode: host",
                                   "runtime: runc",
                                   "annotations: {a: b}",
                                   "device_cgroup_rules: ['c 1:3 mr', 'a *:* rwm']",
                                   "devices: ['/dev/null:/dev/null:r']",
                                   "dns: [9.9.9.9, '::1']",
                                   "logging: {driver: json-file, options: {max-size: 1m}}"})
        EXPECT_EQ(web(line).complaints(), "") << line;
}

TEST(Attributes, NamespacesAreOneOfTheWordsOrAnothersOwn) {
    for (const std::string line : {"pid: host",
                                   "pid: private",
                                   "pid: container:other",
                                   "ipc: none",
                                   "ipc: shareable",
                                   "ipc: private",
                                   "uts: host",
                                   "uts: container:other",
                                   "cgroup: private",
                                   "userns_mode: host",
                                   "userns_mode: private\n    pid: private\n    ipc: none",
                                   "userns_mode: private\n    user: '65535:65535'",
                                   "stop_signal: SIGRTMIN+3",
                                   "stop_signal: rtmax-1",
                                   "stop_signal: '9'"})
        EXPECT_EQ(web(line).complaints(), "") << line;
    for (const std::string line : {"pid: none",
                                   "pid: 'container:'",
                                   "ipc: pod:other",
                                   "uts: shareable",
                                   "userns_mode: keep-id"})
        EXPECT_NE(web(line).complaints().find("cannot be"), std::string::npos) << line;
    for (const std::string line : {"stop_signal: BOGUS", "stop_signal: SIGRTMIN+99"})
        EXPECT_NE(web(line).complaints().find("a signal is expected"), std::string::npos) << line;
}

TEST(Attributes, UsersOfItsOwnAreCalledByOneWord) {
    Project project = web("userns_mode: auto");
    EXPECT_EQ(service(project).userns_mode, "private");
}

TEST(Attributes, UsersOfItsOwnHaveNoRightsOverWhatIsOthers) {
    for (const std::string line : {"privileged: true",
                                   "network_mode: host",
                                   "network_mode: container:other",
                                   "pid: host",
                                   "ipc: container:other",
                                   "uts: host",
                                   "cgroup: host",
                                   "user: '65536'",
                                   "user: 'www-data:70000'",
                                   "secrets: [{source: key, uid: '65536'}]",
                                   "configs: [{source: key, gid: '70000'}]"})
        EXPECT_NE(web(line + "\n    userns_mode: private").complaints().find("exclude each other"),
                  std::string::npos)
            << line;
}

TEST(Attributes, RefusesALimitThatNothingWouldKeep) {
    EXPECT_NE(web("storage_opt: {size: 1g}").complaints().find("cannot be limited"),
              std::string::npos);
    EXPECT_NE(web("device_cgroup_rules: ['c 1:3']").complaints().find("KIND MAJOR:MINOR"),
              std::string::npos);
    EXPECT_NE(web("dns: ns.example").complaints().find("it is an address"), std::string::npos);
}

// --- as written ---

TEST(AsWritten, ExpressionsSurviveInShortForms) {
    Project project = web("ports: ['${PORT:-8080}:80']\n    volumes: ['${A:-b:c}:/x']");
    project.input.interpolate = false;
    const LoadResult result = project.load();
    EXPECT_FALSE(has_errors(result.diagnostics)) << printed(result);
    EXPECT_NE(result.written.yaml.find("${PORT:-8080}:80"), std::string::npos);
    EXPECT_NE(result.written.json.find("${A:-b:c}:/x"), std::string::npos);
    Project again(result.written.yaml);
    EXPECT_EQ(service(again.variable("A", "./a")).ports.at(0).published, "8080");
}

TEST(AsWritten, VariablesAreListed) {
    Project project =
        web("hostname: $A\n    environment: ['B=${B:?set it}', 'C=${C:-${D-d}}', 'E=${E:+e}', "
            "'F=$$F', 'A=${A:-a}']");
    project.input.interpolate = false;
    EXPECT_EQ(project.load().variables,
              (std::vector<Variable>{{"A", false, "a", ""},
                                     {"B", true, "", ""},
                                     {"C", false, "${D-d}", ""},
                                     {"D", false, "d", ""},
                                     {"E", false, "", "e"}}));
}

}  // namespace
}  // namespace stack::test
