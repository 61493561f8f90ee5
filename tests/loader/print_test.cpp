// The canonical file loads again to the stack that it was printed from.

#include "tests/loader/project.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

void expect_same_again(Project project) {
    project.input.remainder = true;
    const Stack stack = project.stack();
    const std::string remainder = project.load().remainder;
    const std::string printed = to_yaml(stack, remainder);
    project.file("compose.yaml", printed);
    const Stack again = project.stack();
    EXPECT_EQ(to_yaml(again, project.load().remainder), printed);
    EXPECT_TRUE(again == stack) << printed;
    project.file("compose.yaml", to_json_text(stack, remainder));
    EXPECT_TRUE(project.stack() == stack) << "as JSON";
}

TEST(Print, ExamplesLoadAgain) {
    for (const auto& entry : fs::recursive_directory_iterator(STACK_SOURCE_DIR "/examples"))
        if (entry.path().filename() == "compose.yaml") {
            SCOPED_TRACE(entry.path());
            std::stringstream text;
            text << std::ifstream(entry.path()).rdbuf();
            Project project(text.str());
            for (const auto& file : fs::directory_iterator(entry.path().parent_path()))
                if (file.path().extension() == ".env") {
                    std::stringstream variables;
                    variables << std::ifstream(file.path()).rdbuf();
                    project.file(file.path().filename(), variables.str());
                }
            expect_same_again(std::move(project));
        }
}

TEST(Print, AServiceWithEverythingLoadsAgain) {
    std::stringstream text;
    text << std::ifstream(STACK_SOURCE_DIR "/tests/loader/everything.yaml").rdbuf();
    Project project(text.str());
    project.file("web.env", "FROM_FILE=1\nDOLLAR='$x'\n").variable("TOKEN", "s3cret");
    project.input.profiles = {"*"};
    expect_same_again(std::move(project));
}

TEST(Print, TextsThatLookLikeSomethingElse) {
    std::string text = "services:\n  web:\n    image: x\n    environment:\n";
    int i = 0;
    for (const std::string value :
         {"yes",  "null",  "~",       "0x1F",  "1e3",   "1_000", "2001-01-01", "a: b",
          "a #b", "- a",   "*a",      "&a",    "!a",    "%a",    "@a",         "`a",
          "{a",   "[a",    "'a'",     "\\\"a", "a\\nb", "a\\tb", " a ",        "",
          "$$a",  "$${A}", "|",       ">",     "?",     ":",     "-",          "a:",
          "\\\\", "é",     "\\u0001", "---",   "...",   "<<",    "=",          ".5",
          "+1",   "0o17",  "12:30",   "Null",  "TRUE",  ".inf",  "a\\\\nb",    "a\\n",
          "\\na", "#",     ",",       "a, b",  "a]b",   "💡",     "\\r",        "a\\u00a0b"})
        text += "      V" + std::to_string(i++) + ": \"" + value + "\"\n";
    expect_same_again(Project(text));
}

TEST(Print, NumbersAreWrittenAsPeopleWriteThem) {
    const std::string text = to_yaml(Project("services: {web: {image: x, cpus: 0.1}}\n").stack());
    EXPECT_NE(text.find("cpus: 0.1\n"), std::string::npos) << text;
}

TEST(Print, IsWhatScriptsKnowOfDockerCompose) {
    const std::string text = to_yaml(Project(R"(services:
  web:
    build: {context: .}
    mem_limit: 256m
    stop_grace_period: 60s
    extra_hosts: {db: 10.0.0.1, six: '::1'}
    secrets: [key]
    healthcheck: {test: a, interval: 90m, timeout: 1500ms, start_period: 100ms}
secrets: {key: {file: ./key}}
)")
                                         .stack());
    for (const auto* line : {"dockerfile: Dockerfile\n",
                             "mem_limit: \"268435456\"\n",
                             "stop_grace_period: 1m0s\n",
                             "- db=10.0.0.1\n",
                             "- six=::1\n",
                             "target: /run/secrets/key\n",
                             "interval: 1h30m0s\n",
                             "timeout: 1.5s\n",
                             "start_period: 100ms\n"})
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST(Print, AHealthCheckOfOursStaysOne) {
    const Project project(R"(services:
  web: {image: a, healthcheck: {test: curl localhost, x-stack: {http: "http://localhost/"}}}
  db: {image: a, healthcheck: {x-stack: {tcp: 5432}, retries: 2}}
)");
    const std::string text = to_yaml(project.stack());
    EXPECT_NE(text.find("x-stack:\n        http: http://localhost/\n"), std::string::npos) << text;
    EXPECT_NE(text.find("x-stack:\n        tcp: \"5432\"\n"), std::string::npos) << text;
    expect_same_again(project);
}

TEST(Print, HasWhatNothingHereActsOn) {
    Project project(R"(x-common: &common {cost: $$5, list: [1, 'two', {x-in: true}]}
services:
  web:
    image: a
    environment: {x-one: set}
    extra_hosts: {x-host: 10.0.0.1}
    x-owner: *common
    x-stack: {on-unhealthy: restart, cpuset-mems: "0", lint: {unpinned-image: false}}
    deploy: {placement: {constraints: [node.role==manager]}}
    networks: {back: {x-speed: 5}}
  idle: {image: a, profiles: [never], x-gone: 1}
networks: {back: {x-tier: 1}}
)");
    project.input.remainder = true;
    const LoadResult loaded = project.load();
    EXPECT_EQ(to_yaml(*loaded.stack, loaded.remainder), R"(name: p
services:
  web:
    image: a
    environment:
      x-one: set
    networks:
      back:
        x-speed: 5
    extra_hosts:
      - x-host=10.0.0.1
    x-stack:
      on-unhealthy: restart
      cpuset-mems: "0"
      lint:
        unpinned-image: false
    x-owner:
      cost: $$5
      list:
        - 1
        - two
        - x-in: true
    deploy:
      placement:
        constraints:
          - node.role==manager
networks:
  back:
    name: p_back
    x-tier: 1
x-common:
  cost: $$5
  list:
    - 1
    - two
    - x-in: true
)");
    project.input.profiles = {"never"};
    expect_same_again(std::move(project));
}

TEST(Print, WhatIsDeployedStaysUnderDeploy) {
    Project project(R"(
services:
  web:
    image: a
    deploy:
      mode: replicated
      replicas: 3
      labels: {tier: front}
      resources:
        limits: {cpus: '0.5', memory: 50M, pids: 9}
        reservations: {memory: 20M}
  own: {image: a, scale: 2, mem_limit: 50M}
)");
    project.input.remainder = true;
    const LoadResult loaded = project.load();
    const std::string printed = to_yaml(*loaded.stack, loaded.remainder);
    const auto has = [&](const std::string& text) {
        EXPECT_NE(printed.find(text), std::string::npos) << text << printed;
    };
    has("    deploy:\n      mode: replicated\n");
    has("      labels:\n        tier: front\n");
    has("      replicas: 3\n");
    has("          memory: \"52428800\"\n");
    has("          memory: \"20971520\"\n");
    has("    scale: 2\n");
    has("    mem_limit: \"52428800\"\n");
    EXPECT_EQ(printed.find("scale: 3"), std::string::npos) << printed;
    EXPECT_EQ(printed.find("pids_limit"), std::string::npos) << printed;
    EXPECT_EQ(printed.find("mem_reservation"), std::string::npos) << printed;
    expect_same_again(std::move(project));
}

}  // namespace
}  // namespace stack::test
