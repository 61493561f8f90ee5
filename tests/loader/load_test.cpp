// What several files and an environment become.

#include "tests/loader/project.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

/// The service `name` of compose.yaml under an override file.
Service merged(const std::string& name, const std::string& base, const std::string& over) {
    Project project(base);
    project.file("over.yaml", over);
    project.input.files.emplace_back("/p/over.yaml");
    return project.stack().services.at(name);
}

TEST(Merge, RulesAreThoseOfTheAttributeWhateverTheServiceIsCalled) {
    for (const std::string name : {"web", "my.service", "build.args", "a.b.command"}) {
        const auto service = merged(name,
                                    "services:\n  " + name +
                                        ":\n    image: x\n    command: [a, b]\n"
                                        "    environment: [A=1, B=1]\n    labels: {l: a}\n"
                                        "    ports: ['8080:80']\n",
                                    "services:\n  " + name +
                                        ":\n    command: [c]\n    environment: {B: 2, C: 2}\n"
                                        "    labels: [l=b, m=c]\n"
                                        "    ports: [{target: 80, published: 8080, name: http}]\n");
        EXPECT_EQ(service.command, Strings{"c"}) << name;
        EXPECT_EQ(service.environment,
                  (decltype(service.environment){{"A", "1"}, {"B", "2"}, {"C", "2"}}))
            << name;
        EXPECT_EQ(service.labels, (StringMap{{"l", "b"}, {"m", "c"}})) << name;
        ASSERT_EQ(service.ports.size(), 1U) << name;
        EXPECT_EQ(service.ports[0].name, "http") << name;
    }
}

TEST(Merge, ListsAppendWithoutRepeating) {
    const auto service =
        merged("web",
               "services: {web: {image: x, cap_add: [A, B], volumes: ['a:/a', 'b:/b']}}\n"
               "volumes: {a: , b: , c: }\n",
               "services: {web: {cap_add: [B, C], volumes: ['c:/a']}}\n");
    EXPECT_EQ(service.cap_add, (Strings{"A", "B", "C"}));
    ASSERT_EQ(service.volumes.size(), 2U);
    EXPECT_EQ(service.volumes[0].source, "c");
}

TEST(Merge, LoggingOptionsOfAnotherDriverAreLeftBehind) {
    const std::string base =
        "services: {web: {image: x, logging: {driver: local, options: {max-size: 1m}}}}\n";
    EXPECT_TRUE(merged("web", base, "services: {web: {logging: {driver: none}}}\n")
                    .logging.options.empty());
    EXPECT_EQ(merged("web", base, "services: {web: {logging: {options: {max-file: 2}}}}\n")
                  .logging.options.size(),
              2U);
}

TEST(Merge, ResetTakesAwayAndOverrideReplaces) {
    const std::string base =
        "services: {web: {image: x, ports: ['1:1'], cap_add: [A], environment: {A: 1, B: 1}}}\n";
    const auto service = merged("web",
                                base,
                                "services: {web: {ports: !reset [], cap_add: !override [B], "
                                "environment: {A: !reset null}}}\n");
    EXPECT_TRUE(service.ports.empty());
    EXPECT_EQ(service.cap_add, Strings{"B"});
    EXPECT_EQ(service.environment, (decltype(service.environment){{"B", "1"}}));
}

TEST(Merge, ANameWithoutAValueTakesThatOfTheEnvironment) {
    for (const std::string form : {"[A]", "{A: }"}) {
        const auto stack = [&](const std::map<std::string, std::string>& environment) {
            Project project("services:\n  web:\n    extends: {file: base.yaml, service: base}\n" +
                            std::string("    environment: ") + form + "\n");
            project.file("base.yaml",
                         "services: {base: {image: x, environment: {A: base, B: base}}}\n");
            for (const auto& [name, value] : environment)
                project.variable(name, value);
            return project.stack();
        };
        using Environment = decltype(Service::environment);
        EXPECT_EQ(stack({{"A", "host"}}).services.at("web").environment,
                  (Environment{{"A", "host"}, {"B", "base"}}));
        EXPECT_EQ(stack({}).services.at("web").environment,
                  (Environment{{"A", std::nullopt}, {"B", "base"}}));
    }
    const auto service = merged("web",
                                "services: {web: {image: x, environment: [A=base], build: {args: "
                                "{C: base}}}}\n",
                                "services: {web: {environment: [A], build: {args: [C]}}}\n");
    EXPECT_EQ(service.environment.at("A"), std::nullopt);
    EXPECT_EQ(service.build->args.at("C"), std::nullopt);
}

TEST(Merge, AnUlimitIsReplacedWhole) {
    const auto service = merged("web",
                                "services: {web: {image: x, ulimits: {nofile: 100}}}\n",
                                "services: {web: {ulimits: {nofile: {soft: 1, hard: 2}}}}\n");
    EXPECT_EQ(service.ulimits.at("nofile"), (Ulimit{1, 2}));
}

TEST(Extends, TakesTheBaseOfAnotherFileWithItsPaths) {
    const auto stack =
        Project(
            "services:\n  web:\n    extends: {file: lib/base.yaml, service: base}\n"
            "    environment: {B: 2}\n")
            .file("lib/base.yaml",
                  "services:\n  base:\n    extends: root\n    volumes: ['./data:/data']\n"
                  "  root: {image: x, environment: {A: 1, B: 1}}\n")
            .stack();
    const Service& web = stack.services.at("web");
    EXPECT_EQ(web.image, "x");
    EXPECT_EQ(web.volumes.at(0).source, "/p/lib/data");
    EXPECT_EQ(web.environment, (decltype(web.environment){{"A", "1"}, {"B", "2"}}));
}

TEST(Extends, ManyServicesMayExtendOne) {
    std::string text = "services:\n";
    for (int i = 0; i < 300; ++i)
        text += "  s" + std::to_string(i) + ": {extends: {file: base.yaml, service: base}}\n";
    EXPECT_EQ(
        Project(text).file("base.yaml", "services: {base: {image: x}}\n").stack().services.size(),
        300U);
}

TEST(Include, HasADirectoryAndVariablesOfItsOwn) {
    Project project("include: [sub/compose.yaml]\nservices: {web: {image: '${TAG-none}'}}\n");
    project.file("sub/.env", "TAG=inner\nOUTER=inner\n")
        .file("sub/compose.yaml",
              "services:\n  db: {image: '${TAG}', hostname: '${OUTER}', env_file: db.env}\n")
        .file("sub/db.env", "A=1\n")
        .variable("OUTER", "outer");
    const auto stack = project.stack();
    EXPECT_EQ(stack.services.at("db").image, "inner");
    EXPECT_EQ(stack.services.at("db").hostname, "outer");
    EXPECT_EQ(stack.services.at("db").environment.at("A"), "1");
    EXPECT_EQ(stack.services.at("web").image, "none");
}

TEST(Include, ABuildWithoutAContextIsOfItsDirectory) {
    Project project(
        "include: [sub/compose.yaml, {path: sub/compose.yaml, project_directory: else}]\n"
        "services: {web: {build: {dockerfile_inline: FROM x}}}\n");
    project.file(
        "sub/compose.yaml",
        "services: {db: {build: {target: a}}, made: {build: {context: ./b, target: a}}}\n");
    EXPECT_EQ(project.stack().services.at("web").build->context, "/p");
    EXPECT_EQ(project.stack().services.at("db").build->context, "/p/else");
    EXPECT_EQ(project.stack().services.at("made").build->context, "/p/else/b");
    project.file("compose.yaml", "include: [sub/compose.yaml]\n");
    EXPECT_EQ(project.stack().services.at("db").build->context, "/p/sub");
}

TEST(Include, AVariableFileThatIsNamedMustExist) {
    EXPECT_NE(Project("include: [{path: a.yaml, env_file: gone.env}]\n")
                  .file("a.yaml", "services: {web: {image: x}}\n")
                  .complaints()
                  .find("the file /p/gone.env does not exist"),
              std::string::npos);
}

TEST(Name, GivenThenOfTheFileThenOfTheDirectory) {
    const std::string services = "services: {web: {image: '${COMPOSE_PROJECT_NAME}'}}\n";
    const auto expect = [&](const Project& project, const std::string& name) {
        const auto stack = project.stack();
        EXPECT_EQ(stack.name, name);
        EXPECT_EQ(stack.services.at("web").image, name);
    };
    expect(Project(services), "p");
    expect(Project("name: Of-${WHAT:-file}\n" + services), "of-file");
    Project given("name: of-file\n" + services);
    given.input.project_name = "given";
    expect(given, "given");
    given.variable("COMPOSE_PROJECT_NAME", "of-environment");  // -p is above it
    expect(given, "given");
    Project bad(services);
    bad.input.project_name = "Bad Name";
    EXPECT_NE(bad.complaints().find("\"Bad Name\" is no name for a project"), std::string::npos);
}

TEST(EnvFile, IsOptionalRawAndBelowTheEnvironment) {
    Project project(
        "services:\n  web:\n    image: x\n    environment: {C: own}\n    env_file:\n"
        "      - a.env\n      - {path: gone.env, required: false}\n"
        "      - {path: raw.env, format: raw}\n");
    project.file("a.env", "A=\"one # two\" # three\nB=${A} $HOST\nC=file\nD=$C\n")
        .file("raw.env", "RAW=\"${A}\" # kept\r\n")
        .variable("HOST", "h");
    const auto environment = project.stack().services.at("web").environment;
    EXPECT_EQ(environment.at("A"), "one # two");
    EXPECT_EQ(environment.at("B"), "one # two h");
    EXPECT_EQ(environment.at("C"), "own");
    EXPECT_EQ(environment.at("D"), "own");
    EXPECT_EQ(environment.at("RAW"), "\"${A}\" # kept");
}

TEST(EnvFile, SaysWhichLineIsWrong) {
    Project project("services: {web: {image: x, env_file: a.env}}\n");
    project.file("a.env", "A=1\nnot a variable\nB=${\nC=\"open\n");
    EXPECT_EQ(project.complaints(),
              "/p/a.env:2:1: error: a line of the form NAME=value is expected\n"
              "    2 | not a variable\n"
              "      | ^ a name is letters, digits, `_`, `.` and `-`\n"
              "/p/a.env:3:1: error: B: `${` is never closed\n"
              "    3 | B=${\n"
              "      | ^ write $$ for a dollar, or quote the value with '…'\n"
              "/p/a.env:4:1: error: the quoted value is never closed\n"
              "    4 | C=\"open\n"
              "      | ^ add a closing \"\n");
}

TEST(Environment, AnUnsetHomeStaysUnset) {
    const auto stack = Project("services: {web: {image: '${HOME-none}', env_file: []}}\n").stack();
    EXPECT_EQ(stack.services.at("web").image, "none");
}

TEST(Merge, KeysOfYamlMergeIn) {
    const auto stack = Project(
                           "x-a: &a {image: a, tty: true}\nx-b: &b {image: b, init: true}\n"
                           "services:\n  web: {<<: [*a, *b], hostname: h}\n")
                           .stack();
    const Service& web = stack.services.at("web");
    EXPECT_EQ(web.image, "a");
    EXPECT_TRUE(web.tty && web.init);
}

}  // namespace
}  // namespace stack::test
