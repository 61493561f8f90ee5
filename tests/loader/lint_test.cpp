// Each rule finds what it is about, says nothing of what is fine, and can be switched off.

#include <stack/lint.h>

#include "tests/loader/project.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

/// A service with nothing to find in it, and one more line.
std::string service(const std::string& line, const std::string& rest = "") {
    return "services:\n  web:\n    image: a:1\n    mem_limit: 1g\n    " + line + "\n" + rest;
}

std::set<std::string> findings(const std::string& text) {
    Project project(text);
    project.input.lint = true;
    const LoadResult result = project.load();
    EXPECT_TRUE(result.stack) << printed(result);
    std::set<std::string> found;
    for (const auto& diagnostic : result.diagnostics)
        if (std::any_of(lint_rules().begin(), lint_rules().end(), [&](const LintRule& rule) {
                return diagnostic.code == rule.name;
            }))
            found.insert(diagnostic.code);
    return found;
}

const std::vector<std::pair<std::string, std::string>> bad{
    {"privileged", service("privileged: true")},
    {"capability", service("cap_add: [SYS_ADMIN]")},
    {"capability", service("cap_add: [CAP_SYS_PTRACE]")},
    {"unconfined", service("security_opt: [seccomp=unconfined]")},
    {"unconfined", service("security_opt: ['no-new-privileges:false']")},
    {"host-namespace", service("pid: host")},
    {"host-namespace", service("network_mode: host")},
    {"host-path", service("volumes: ['/var/run/docker.sock:/s']")},
    {"host-path", service("volumes: ['/etc:/e:ro']")},
    {"host-device", service("devices: [/dev/sda]")},
    {"privileged-build", service("build: {context: ., network: host}")},
    {"remote-build", service("build: https://example.org/a.git")},
    {"unpinned-image", "services: {web: {image: a, mem_limit: 1g}}\n"},
    {"unpinned-image", "services: {web: {image: 'r:5000/a:latest', mem_limit: 1g}}\n"},
    {"all-addresses", service("ports: ['80:80']\n    restart: always")},
    {"no-healthcheck",
     service("restart: 'no'", "  b: {image: 'b:1', mem_limit: 1g, depends_on: [web]}\n")},
    {"no-memory-limit", "services: {web: {image: 'a:1'}}\n"},
    {"no-restart", service("ports: ['127.0.0.1:80:80']")},
    {"plain-secret", service("environment: {DB_PASSWORD: hunter2}")},
    {"anonymous-volume", service("volumes: [/data]")},
    {"root-user", service("user: '0:0'")},
};

TEST(Lint, EachRuleFindsWhatItIsAbout) {
    std::set<std::string> tried;
    for (const auto& [rule, text] : bad) {
        EXPECT_EQ(findings(text), std::set<std::string>{rule}) << text;
        tried.insert(rule);
    }
    for (const auto& rule : lint_rules())
        EXPECT_TRUE(tried.contains(rule.name)) << rule.name;
}

TEST(Lint, WhatIsFineIsNotMentioned) {
    for (const std::string line : {"cap_add: [NET_BIND_SERVICE]",
                                   "security_opt: ['no-new-privileges:true']",
                                   "pid: service:web2",
                                   "volumes: ['./data:/data', 'named:/n']",
                                   "devices: [/dev/fuse]",
                                   "build: https://example.org/a.git#4f2a",
                                   "ports: ['127.0.0.1:80:80']\n    restart: always",
                                   "environment: {DB_PASSWORD_FILE: /run/secrets/db, TOKEN: }",
                                   "user: '1000'",
                                   "healthcheck: {test: 'true'}"})
        EXPECT_EQ(findings(service(line,
                                   "  web2: {image: 'b:1', mem_limit: 1g, healthcheck: {test: a}}\n"
                                   "volumes: {named: }\n")),
                  std::set<std::string>{})
            << line;
    EXPECT_EQ(findings("services: {web: {image: 'a@sha256:" + std::string(64, '0') +
                       "', mem_limit: 1g}}\n"),
              std::set<std::string>{});
}

TEST(Lint, RulesAreSwitchedOffInTheFileInAServiceAndByTheCaller) {
    for (const auto& [rule, text] : bad) {
        const std::string off = "x-stack: {lint: {" + rule + ": false}}\n";
        EXPECT_EQ(findings(text + off), std::set<std::string>{}) << text;
        Project project(text);
        project.input.lint = true;
        project.input.lint_without = {rule};
        EXPECT_EQ(project.complaints().find("[" + rule + "]"), std::string::npos);
    }
    EXPECT_EQ(findings(service("privileged: true\n    x-stack: {lint: {privileged: no}}")),
              std::set<std::string>{});
    Project project(service("privileged: true\n    user: root"));
    project.input.lint = true;
    project.input.lint_only = {"root-user"};
    const std::string said = project.complaints();
    EXPECT_EQ(said.find("[privileged]"), std::string::npos) << said;
    EXPECT_EQ(said,
              "/p/compose.yaml:6:11: warning: service `web` asks to run as root [root-user]\n"
              "    6 |     user: root\n"
              "      |           ^^^^ leave it to the image, or name another user\n");
}

TEST(Lint, AnUnknownRuleIsAMistake) {
    EXPECT_NE(Project(service("x-stack: {lint: {privilege: false}}"))
                  .complaints()
                  .find("did you mean `privileged`?"),
              std::string::npos);
}

}  // namespace
}  // namespace stack::test
