// Images that come from this machine itself: of its programs, and of its distribution's packages.

#include "tests/integration/world.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

class MadeHere : public testing::Test {
  protected:
    void TearDown() override { expect_nothing_left(stack_); }

    std::string executable(const std::string& name, const std::string& text) const {
        stack_.write(name, text);
        const std::string path = stack_.directory() + "/" + name;
        fs::permissions(path, fs::perms::owner_exec, fs::perm_options::add);
        return path;
    }

    [[nodiscard]] std::string ran(const std::vector<std::string>& words) const {
        std::vector<std::string> all{"container", "run", "--rm"};
        all.insert(all.end(), words.begin(), words.end());
        return stack_.must(all);
    }

    [[nodiscard]] std::string layers(const std::string& image) const {
        return stack_.must({"image", "inspect", "-f", "{{json .RootFS.Layers}}", image});
    }

    StackProgram stack_;
};

TEST_F(MadeHere, ProgramsComeWithWhatTheyNeed) {
    stack_.must({"image", "collect", "-t", "tools", "sort", "/bin/cat"});
    EXPECT_EQ(ran({"tools", "cat", "/etc/hostname"}).size(), 13U);
    EXPECT_EQ(stack_.must({"image", "inspect", "-f", "{{json .Config.Cmd}}", "tools"}),
              "[\"/usr/bin/sort\"]\n")
        << "the first one runs";
    EXPECT_EQ(ran({"--user", "1000", "tools", "cat", "/etc/hostname"}).size(), 13U);
    const std::string script = executable("hello", "#!/bin/sh\necho from a script\n");
    stack_.must({"image", "collect", "-t", "script", "-c", "ENV A=b", script});
    EXPECT_EQ(ran({"script"}), "from a script\n");
    stack_.must({"image", "collect", "-t", "again", script});
    EXPECT_EQ(layers("again"), layers("script"));
    stack_.must({"image",
                 "collect",
                 "-t",
                 "static",
                 "-c",
                 "ENTRYPOINT [\"/bin/busybox\"]",
                 "/bin/busybox"});
    EXPECT_EQ(ran({"static", "echo", "small"}), "small\n");
    for (const auto* image : {"tools", "script", "again", "static"})
        stack_.must({"image", "rm", image});
}

TEST_F(MadeHere, WhatIsNoProgramIsRefusedAndNothingIsMade) {
    const auto refused = [&](const std::string& program) {
        const Result result = stack_.run({"image", "collect", "-t", "none", program});
        EXPECT_EQ(result.status, 1);
        return result.err;
    };
    EXPECT_NE(refused("no-such-program").find("there is no program no-such-program"),
              std::string::npos);
    EXPECT_NE(refused(executable("text", "hello\n")).find("/text is no program"),
              std::string::npos);
    EXPECT_EQ(stack_.must({"image", "ls", "-q", "none"}), "");
}

TEST_F(MadeHere, WhatIsWrittenToAPipeGoesThroughIt) {
    import_busybox(stack_);
    const std::string pipe = stack_.directory() + "/pipe";
    const Result result = run(
        {"sh",
         "-c",
         "mkfifo '" + pipe + "' && { cat '" + pipe + "' > '" + pipe + ".tar' & } && '" +
             STACK_BINARY_DIR + "/stack' --root '" + stack_.root() + "' image save -o '" + pipe +
             "' busybox && wait && test -p '" + pipe + "' && tar -tf '" + pipe + ".tar'"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_NE(result.out.find("manifest.json"), std::string::npos) << result.out;
    EXPECT_EQ(stack_.run({"image", "save", "-o", stack_.directory(), "busybox"}).status, 1);
}

TEST_F(MadeHere, ADigestIsNoNameToGive) {
    import_busybox(stack_);
    const std::string digits(64, 'a');
    for (const auto& name : {"nginx@sha256:" + digits, "sha256:" + digits})
        EXPECT_NE(stack_.run({"image", "tag", "busybox", name}).err.find("is a digest's"),
                  std::string::npos);
}

/// What mmdebstrap is asked for is seen here; that it makes what it is asked for is its own
/// business, and needs Debian's servers.
TEST_F(MadeHere, DebiansPackagesBecomeAnImageOnFirstUse) {
    fs::create_directory(stack_.directory() + "/bin");
    executable("bin/mmdebstrap",
               "#!/bin/sh\n"
               "echo \"$@\" > \"" +
                   stack_.directory() +
                   "/asked\"\n"
                   "[ \"$4\" != sid ] || { echo 'E: no network' >&2; exit 3; }\n"
                   "mkdir -p \"$TMPDIR/r/bin\" && cp /bin/busybox \"$TMPDIR/r/bin\"\n"
                   "for out; do :; done\n"
                   "tar -C \"$TMPDIR/r\" -cf \"$TMPDIR/root.tar\" .\n");
    const std::map<std::string, std::string> path{
        {"PATH", stack_.directory() + "/bin:" + std::getenv("PATH")}};
    stack_.write("compose.yaml",
                 "name: shop\n"
                 "services: {web: {image: 'debootstrap:bookworm,include=curl,jq', command: busybox "
                 "sleep 1000}}\n");
    const Result up = stack_.run({"up", "-d"}, path);
    ASSERT_EQ(up.status, 0) << up.err;
    std::ifstream asked(stack_.directory() + "/asked");
    std::string words;
    std::getline(asked, words);
    EXPECT_EQ(words.substr(0, words.rfind(' ')),
              "--variant=minbase --format=tar --include=curl,jq bookworm");
    EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
    EXPECT_EQ(stack_.must({"image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "debootstrap*"}),
              "debootstrap:bookworm,include=curl,jq\n");
    stack_.must({"down", "-t", "0"});

    const Result broken =
        stack_.run({"container", "run", "debootstrap:sid,variant=apt,include=a", "true"}, path);
    EXPECT_EQ(broken.status, 125);
    EXPECT_NE(broken.err.find("mmdebstrap could not make image debootstrap:sid"), std::string::npos)
        << broken.err;
    EXPECT_NE(broken.err.find("E: no network"), std::string::npos) << broken.err;
    const Result push = stack_.run({"image", "push", "debootstrap:bookworm,include=curl,jq"});
    EXPECT_EQ(push.status, 1);
    EXPECT_NE(push.err.find("no registry has it under this name"), std::string::npos) << push.err;
    stack_.must({"image", "rm", "debootstrap:bookworm,include=curl,jq"});
}

}  // namespace
}  // namespace stack::test
