// Bad input: one located sentence, exit code 1, nothing changed.

#include "tests/integration/world.h"
#include "tests/support/sandbox.h"

#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

class Refusal : public testing::Test {
  protected:
    void expect_refused(const std::vector<std::string>& words,
                        const std::vector<std::string>& said) {
        const Result result = stack_.run(words);
        EXPECT_EQ(result.status, 1) << result.err;
        for (const auto& text : said)
            EXPECT_NE(result.err.find(text), std::string::npos) << "\"" << text << "\" is not in:\n"
                                                                << result.err;
        expect_nothing_left(stack_);
    }

    StackProgram stack_;
};

TEST_F(Refusal, NoFile) {
    expect_refused({"up", "-d"}, {"no stack file found", "-f FILE", "`stack container`"});
}

TEST_F(Refusal, YamlSyntax) {
    stack_.write("compose.yaml", "services:\n  web:\n\timage: x\n");
    expect_refused({"up", "-d"}, {"compose.yaml:3:", "tab"});
}

TEST_F(Refusal, UnknownKey) {
    stack_.write("compose.yaml", "services:\n  web:\n    imgae: busybox\n");
    expect_refused(
        {"up", "-d"},
        {"compose.yaml:3:5: error: unknown key `imgae` in service `web`", "did you mean `image`?"});
}

TEST_F(Refusal, UndefinedVolume) {
    stack_.write("compose.yaml",
                 "services:\n  web:\n    image: busybox\n    volumes: [\"date:/data\"]\nvolumes:\n "
                 " data:\n");
    expect_refused({"up", "-d"},
                   {"compose.yaml:4:", "undefined volume `date`", "did you mean `data`?"});
}

TEST_F(Refusal, UnknownServiceInEveryCommand) {
    stack_.write("compose.yaml", "name: shop\nservices:\n  web: {image: busybox}\n");
    const std::vector<std::vector<std::string>> commands{{"up", "-d", "wbe"},
                                                         {"up", "--exit-code-from", "wbe"},
                                                         {"up", "--no-attach", "wbe"},
                                                         {"plan", "wbe"},
                                                         {"create", "wbe"},
                                                         {"scale", "wbe=2"},
                                                         {"down", "wbe"},
                                                         {"start", "wbe"},
                                                         {"stop", "wbe"},
                                                         {"restart", "wbe"},
                                                         {"kill", "wbe"},
                                                         {"rm", "wbe"},
                                                         {"pause", "wbe"},
                                                         {"unpause", "wbe"},
                                                         {"logs", "wbe"},
                                                         {"ps", "wbe"},
                                                         {"top", "wbe"},
                                                         {"images", "wbe"},
                                                         {"wait", "wbe"},
                                                         {"build", "wbe"},
                                                         {"pull", "wbe"},
                                                         {"attach", "wbe"},
                                                         {"config", "wbe"},
                                                         {"exec", "wbe", "sh"},
                                                         {"run", "wbe", "sh"},
                                                         {"port", "wbe", "80"}};
    for (const auto& words : commands) {
        const Result result = stack_.run(words);
        EXPECT_EQ(result.status, 1) << words.front();
        EXPECT_EQ(result.err, "stack: no such service: wbe; did you mean web?\n") << words.front();
    }
    expect_nothing_left(stack_);
}

TEST_F(Refusal, ImageNotFound) {
    stack_.write("compose.yaml", "name: shop\nservices:\n  web:\n    image: localhost:5999/none\n");
    const Result result = stack_.run({"up", "-d"});
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("registry localhost:5999 cannot be reached"), std::string::npos)
        << result.err;
    static_cast<void>(stack_.run({"down"}));
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
    expect_nothing_left(stack_);
}

TEST_F(Refusal, PortTaken) {
    import_busybox(stack_);
    stack_.write("compose.yaml",
                 "name: shop\nservices:\n  web:\n    image: busybox\n    command: sleep 100\n    "
                 "ports: [\"8080:80\"]\n");
    StackProgram other;
    stack_.write("other.yaml",
                 "name: other\nservices:\n  front:\n    image: busybox\n    command: sleep 100\n   "
                 " ports: [\"8080:80\"]\n");
    stack_.must({"-f", "other.yaml", "up", "-d"});
    const Result result = stack_.run({"up", "-d"});
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("8080/tcp is published by container other-front-1 of stack other"),
              std::string::npos)
        << result.err;
    EXPECT_TRUE(containers(stack_).empty());
    stack_.must({"-f", "other.yaml", "down", "-t", "1"});
    EXPECT_TRUE(eventually([&] {
        return supervisor_pid(stack_, "other") == 0 && supervisor_pid(stack_, "shop") == 0;
    }));
    expect_nothing_left(stack_);
}

TEST_F(Refusal, NoDockerfile) {
    stack_.write("compose.yaml", "name: shop\nservices:\n  web:\n    build: .\n");
    const Result no_file = stack_.run({"up", "-d"});
    EXPECT_EQ(no_file.status, 1);
    EXPECT_NE(no_file.err.find("there is no Dockerfile at " + stack_.directory() + "/Dockerfile"),
              std::string::npos)
        << no_file.err;
    stack_.write("compose.yaml", "name: shop\nservices:\n  web:\n    build: ./nowhere\n");
    const Result no_context = stack_.run({"up", "-d"});
    EXPECT_EQ(no_context.status, 1);
    EXPECT_NE(
        no_context.err.find("the build context " + stack_.directory() + "/nowhere is no directory"),
        std::string::npos)
        << no_context.err;
    static_cast<void>(stack_.run({"down"}));
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
    expect_nothing_left(stack_);
}

TEST_F(Refusal, BuildStepFailed) {
    import_busybox(stack_);
    stack_.write("compose.yaml", "name: shop\nservices:\n  web:\n    build: .\n");
    stack_.write("Dockerfile", "FROM busybox\nRUN echo trying; exit 3\n");
    const Result result = stack_.run({"up", "-d"});
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("Dockerfile:2"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("trying"), std::string::npos) << result.err;
    static_cast<void>(stack_.run({"down"}));
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
    expect_nothing_left(stack_);
}

/// As a user of this machine who may not administer it.
class Unprivileged : public testing::Test {
  protected:
    void SetUp() override {
        // What they may reach: the sandbox and everything above the build need not be.
        const fs::path directory = sandbox_directory();
        fs::permissions(directory, open_to_all);
        fs::create_directory(directory / "bin");
        fs::copy_file(STACK_BINARY_DIR "/stack",
                      directory / "bin/stack",
                      fs::copy_options::overwrite_existing);
        stack_.write("compose.yaml", "name: shop\nservices:\n  web: {image: busybox}\n");
        for (const fs::path& place : {directory / "bin", fs::path(stack_.directory())})
            fs::permissions(place, open_to_all);
    }

    [[nodiscard]] Result run_as_nobody(const std::vector<std::string>& words) const {
        Command command;
        command.words = {"setpriv",
                         "--reuid=65534",
                         "--regid=65534",
                         "--clear-groups",
                         sandbox_directory() + "/bin/stack",
                         "--root",
                         stack_.root()};
        command.words.insert(command.words.end(), words.begin(), words.end());
        command.directory = stack_.directory();
        return run(command);
    }

    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> list;
        for (const auto& entry : fs::recursive_directory_iterator(sandbox_directory()))
            list.push_back(entry.path());
        std::sort(list.begin(), list.end());
        return list;
    }

    static constexpr fs::perms open_to_all = fs::perms(0755);
    StackProgram stack_;
};

TEST_F(Unprivileged, ChangesNothingAndIsToldSo) {
    const auto before = files();
    for (const std::vector<std::string>& words : {std::vector<std::string>{"up", "-d"},
                                                  {"down"},
                                                  {"stop"},
                                                  {"restart", "web"},
                                                  {"ps"},
                                                  {"plan"}}) {
        const Result result = run_as_nobody(words);
        EXPECT_EQ(result.status, 1) << words.front();
        EXPECT_EQ(result.out, "");
        EXPECT_EQ(
            result.err,
            "stack: this command works with namespaces, mounts and networks and must be run as "
            "root: try `sudo stack …`\n")
            << words.front();
    }
    EXPECT_EQ(files(), before);
    expect_nothing_left(stack_);
}

TEST_F(Unprivileged, MayCheckTheStackFile) {
    const Result result = run_as_nobody({"config", "--services"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "web\n");
}

}  // namespace
}  // namespace stack::test
