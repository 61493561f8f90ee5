// config, lint, schema: what scripts and editors read.

#include "tests/integration/world.h"

#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace stack::test {
namespace {

using Json = nlohmann::json;

class Config : public testing::Test {
  protected:
    void SetUp() override {
        stack_.write("compose.yaml",
                     "name: shop\nservices:\n"
                     "  web: {image: 'web:1', ports: ['${PORT:-8080}:80'], networks: [front]}\n"
                     "  db: {build: ., volumes: ['data:/d'], networks: [front]}\n"
                     "  debug: {image: 'tools:${TAG:?which}', profiles: [dev]}\n"
                     "volumes: {data: }\nnetworks: {front: }\n");
        stack_.write(".env", "TAG=2\n");
    }

    std::string config(std::vector<std::string> options) {
        options.insert(options.begin(), "config");
        return stack_.must(options);
    }

    /// Words of the program, as bash reads them.
    [[nodiscard]] Result shell(const std::string& words, const std::string& before = "") const {
        return run({.words = {"bash",
                              "-c",
                              before + "exec " STACK_BINARY_DIR "/stack --root '" + stack_.root() +
                                  "' " + words},
                    .directory = stack_.directory()});
    }

    StackProgram stack_;
};

TEST_F(Config, ListsNames) {
    EXPECT_EQ(config({"--services"}), "db\nweb\n");
    EXPECT_EQ(config({"--volumes"}), "data\n");
    EXPECT_EQ(config({"--networks"}), "front\n");
    EXPECT_EQ(config({"--images"}), "shop-db\nweb:1\n");
    EXPECT_EQ(config({"--profiles"}), "dev\n");
    EXPECT_EQ(config({"--models"}), "");
    EXPECT_EQ(config({"-q"}), "");
    const std::string environment = config({"--environment"});
    EXPECT_NE(environment.find("TAG=2\n"), std::string::npos);
    EXPECT_NE(environment.find("COMPOSE_PROJECT_NAME=shop\n"), std::string::npos);
}

TEST_F(Config, PrintsWhatLoadsAgain) {
    const std::string yaml = config({});
    EXPECT_EQ(Json::parse(config({"--format", "json"}))["services"]["web"]["ports"][0]["published"],
              "8080");
    config({"-o", "out.yaml"});
    std::stringstream written;
    written << std::ifstream(stack_.directory() + "/out.yaml").rdbuf();
    EXPECT_EQ(written.str(), yaml);
    EXPECT_EQ(stack_.must({"-f", "out.yaml", "config"}), yaml);
}

TEST_F(Config, WhatItWritesToStaysWhatItIs) {
    const std::string yaml = config({});
    const std::string fifo = stack_.directory() + "/fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const std::string device = stack_.directory() + "/device";
    ASSERT_EQ(::mknod(device.c_str(), S_IFCHR | 0600, makedev(1, 3)), 0);
    std::filesystem::create_symlink("target", stack_.directory() + "/link");
    auto read = std::async(std::launch::async, [&] {
        std::stringstream text;
        text << std::ifstream(fifo).rdbuf();
        return text.str();
    });
    for (const auto* place : {"fifo", "device", "link"})
        config({"-o", place});
    EXPECT_EQ(read.get(), yaml);
    EXPECT_TRUE(std::filesystem::is_fifo(fifo));
    EXPECT_TRUE(std::filesystem::is_character_file(device));
    EXPECT_TRUE(std::filesystem::is_symlink(stack_.directory() + "/link"));
    std::stringstream written;
    written << std::ifstream(stack_.directory() + "/target").rdbuf();
    EXPECT_EQ(written.str(), yaml);
}

TEST_F(Config, WhatItWritesIsNoMoreOpenThanTheUmaskSays) {
    const auto before = ::umask(077);
    config({"-o", "out.yaml"});
    ::umask(before);

    struct stat status {};

    ASSERT_EQ(::stat((stack_.directory() + "/out.yaml").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(Config, PipesAreReadToTheirEndOnce) {
    const Result result = shell(
        "-f <(sleep 0.2; echo 'name: ${NAME:?}'; sleep 0.2; echo 'services: {a: {image: x, "
        "env_file: /dev/fd/9}}') --env-file <(sleep 0.2; echo NAME=piped) config "
        "9< <(sleep 0.2; echo A=B)");
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_NE(result.out.find("name: piped\n"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find("A: B\n"), std::string::npos) << result.out;
}

TEST_F(Config, NeedsNoDirectoryWhereNothingIsMeantFromIt) {
    const std::string gone = "mkdir gone && cd gone && rmdir ../gone && ";
    const std::string file = stack_.directory() + "/compose.yaml";
    for (const std::string words : {"image ls", "container ls", "-p none down", "volume ls"}) {
        const Result result = shell(words, gone);
        EXPECT_EQ(result.status, 0) << words << ": " << result.err;
    }
    EXPECT_EQ(shell("-f '" + file + "' config --services", gone).out, "db\nweb\n");
    for (const std::string words : {"-f compose.yaml config", "config"}) {
        const Result result = shell(words, gone);
        EXPECT_EQ(result.status, 1);
        EXPECT_NE(result.err.find("does not exist any more: `cd` to one that does"),
                  std::string::npos)
            << result.err;
    }
}

TEST_F(Config, KeepsWhatIsWritten) {
    EXPECT_NE(config({"--no-interpolate"}).find("${PORT:-8080}:80"), std::string::npos);
    EXPECT_NE(config({"--no-path-resolution"}).find("context: \".\"\n"), std::string::npos);
    EXPECT_EQ(config({"--no-normalize"}).find("shop_front"), std::string::npos);
    const Json variables = Json::parse(config({"--variables", "--format", "json"}));
    ASSERT_EQ(variables.size(), 2U);
    EXPECT_EQ(variables["PORT"]["DefaultValue"], "8080");
    EXPECT_EQ(variables["TAG"]["Required"], true);
}

TEST_F(Config, LooksForContradictionsUnlessToldNotTo) {
    stack_.write("compose.yaml", "name: shop\nservices: {web: {image: x, networks: [front]}}\n");
    for (const auto& more : std::vector<std::string>{"-q", "--no-normalize"})
        EXPECT_NE(stack_.run({"config", more}).err.find("undefined network `front`"),
                  std::string::npos);
    stack_.write("mistake.yaml", "services: {web: {image: '${I}', mem_limit: '${M}', imgae: x}}\n");
    for (const auto* file : {"compose.yaml", "mistake.yaml"})
        EXPECT_EQ(stack_.run({"-f", file, "config", "--no-interpolate"}).status,
                  file == std::string_view("mistake.yaml"));
    EXPECT_NE(config({"--no-consistency"}).find("front: null"), std::string::npos);
}

TEST_F(Config, HashesServices) {
    const std::string all = config({"--hash", "*"});
    EXPECT_TRUE(all.starts_with("db "));
    EXPECT_EQ(all.substr(all.find("web ")), config({"--hash", "web"}));
    EXPECT_EQ(config({"--hash", "web,db"}), all);
    EXPECT_EQ(stack_.must({"convert", "--hash", "*"}), all);
    EXPECT_EQ(stack_.must({"--help"}).find("convert"), std::string::npos);
    const Result none = stack_.run({"config", "--hash", "wbe"});
    EXPECT_EQ(none.status, 1);
    EXPECT_NE(none.err.find("no such service: wbe"), std::string::npos) << none.err;
}

TEST_F(Config, PinsImages) {
    const Result absent = stack_.run({"config", "--resolve-image-digests"});
    EXPECT_EQ(absent.status, 1);
    EXPECT_NE(absent.err.find("pull it with `stack pull`"), std::string::npos) << absent.err;
    import_busybox(stack_);
    stack_.write("compose.yaml", "name: shop\nservices: {a: {image: busybox, tty: true}}\n");
    EXPECT_NE(config({"--resolve-image-digests"}).find("image: busybox@sha256:"),
              std::string::npos);
    const std::string lock = config({"--lock-image-digests"});
    EXPECT_NE(lock.find("image: busybox@sha256:"), std::string::npos);
    EXPECT_EQ(lock.find("tty"), std::string::npos) << lock;
}

TEST_F(Config, FilesAreFoundByVariableAndByDirectory) {
    std::filesystem::create_directories(stack_.directory() + "/sub");
    stack_.write("sub/compose.yaml", "services: {one: {image: x}}\n");
    stack_.write("sub/compose.override.yaml", "services: {two: {image: x}}\n");
    EXPECT_EQ(stack_.must({"--project-directory", "sub", "config", "--services"}), "one\ntwo\n");
    stack_.write(".env",
                 "COMPOSE_PATH_SEPARATOR=;\n"
                 "COMPOSE_FILE=sub/compose.yaml;sub/compose.override.yaml\n");
    EXPECT_EQ(config({"--services"}), "one\ntwo\n");
}

TEST_F(Config, EditorsGetDiagnosticsAndTheSchema) {
    stack_.write("compose.yaml", "services: {web: {imgae: x}}\n");
    const Result wrong = stack_.run({"--diagnostics", "json", "config", "-q"});
    EXPECT_EQ(wrong.status, 1);
    EXPECT_EQ(Json::parse(wrong.err)[0]["hint"], "did you mean `image`?");
    EXPECT_TRUE(Json::parse(stack_.must({"schema"})).contains("definitions"));
}

TEST_F(Config, LintEndsWithOneWhereItFindsSomething) {
    const Result found = stack_.run({"lint", "--only", "all-addresses"});
    EXPECT_EQ(found.status, 1);
    EXPECT_NE(found.err.find("[all-addresses]"), std::string::npos) << found.err;
    EXPECT_EQ(stack_.run({"lint", "--only", "privileged"}).status, 0);
    EXPECT_NE(stack_.must({"lint", "--rules"}).find("plain-secret"), std::string::npos);
    EXPECT_EQ(stack_.run({"lint", "--only", "privilegd"}).status, 1);
}

}  // namespace
}  // namespace stack::test
