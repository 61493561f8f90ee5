// cp: files in and out, of containers that run and of those that do not; and nothing that a
// container or an archive says leads out of the container.

#include "tests/integration/world.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* shop_file = R"(
name: shop
services:
  app:
    image: busybox
    command: sleep 1000
    init: true
    volumes: ["data:/data", "./bound:/bound", {type: tmpfs, target: /scratch}]
volumes: {data: {}}
)";

std::string content(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

class Cp : public testing::Test {
  protected:
    void SetUp() override {
        for (const auto& left : fs::directory_iterator(here_))
            fs::remove_all(left);
        import_busybox(stack_);
        stack_.write("compose.yaml", shop_file);
        fs::create_directories(here_ / "tree/below");
        stack_.write("file", "of this machine\n");
        stack_.write("tree/below/leaf", "leaf\n");
        fs::create_symlink("below/leaf", here_ / "tree/link");
        ::chmod((here_ / "tree/below/leaf").c_str(), 0640);
        EXPECT_EQ(::lchown((here_ / "tree/below/leaf").c_str(), 1234, 2345), 0);
        stack_.must({"up", "-d"});
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-v", "-t", "1"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    /// The standard output of a command in the container.
    std::string in(const std::string& script) const {
        return stack_.run({"exec", "-T", "app", "sh", "-c", script}).out;
    }

    /// What `cp` refuses, it says.
    void refused(const std::string& from, const std::string& to, const std::string& why) const {
        const auto result = stack_.run({"cp", from, to});
        EXPECT_EQ(result.status, 1) << from << " " << to;
        EXPECT_NE(result.err.find(why), std::string::npos) << result.err;
    }

    StackProgram stack_;
    fs::path here_ = stack_.directory();
};

TEST_F(Cp, FilesGoInAndComeOut) {
    stack_.must({"cp", "file", "app:/tmp"});
    EXPECT_EQ(in("cat /tmp/file; stat -c %u:%g /tmp/file"), "of this machine\n0:0\n");
    stack_.must({"cp", "file", "app:/tmp/renamed"});
    stack_.must({"cp", "app:/tmp/renamed", "back"});
    EXPECT_EQ(content(here_ / "back"), "of this machine\n");
    stack_.must({"cp", "app:/etc/passwd", "back"});
    EXPECT_TRUE(content(here_ / "back").starts_with("root:"));
}

TEST_F(Cp, DirectoriesGoAsDockersDo) {
    stack_.must({"cp", "tree", "app:/tmp"});
    EXPECT_EQ(in("cd /tmp/tree; cat below/leaf; readlink link; stat -c %a:%u:%g below/leaf"),
              "leaf\nbelow/leaf\n640:0:0\n");
    stack_.must({"cp", "tree", "app:/tmp/other"});
    stack_.must({"cp", "tree/.", "app:/tmp/content/"});
    stack_.must({"cp", "-a", "tree/.", "app:/tmp/tree"});
    EXPECT_EQ(in("cd /tmp; cat other/below/leaf content/link; stat -c %u:%g tree/below/leaf"),
              "leaf\nleaf\n1234:2345\n");
    stack_.must({"cp", "app:/tmp/tree/.", "out"});
    EXPECT_EQ(content(here_ / "out/link"), "leaf\n");
    stack_.must({"cp", "app:/tmp/tree", "out"});
    EXPECT_EQ(content(here_ / "out/tree/below/leaf"), "leaf\n");
}

TEST_F(Cp, LinksAreCopiedUnlessTheyAreToBeFollowed) {
    in("cd /tmp; echo aim > aim; ln -s aim link; ln -s /tmp/new dangling; ln -s /tmp away");
    stack_.must({"cp", "app:/tmp/link", "copied"});
    EXPECT_EQ(fs::read_symlink(here_ / "copied"), "aim");
    stack_.must({"cp", "-L", "app:/tmp/link", "followed"});
    EXPECT_FALSE(fs::is_symlink(here_ / "followed"));
    EXPECT_EQ(content(here_ / "followed"), "aim\n");
    stack_.must({"cp", "file", "app:/tmp/link"});
    stack_.must({"cp", "file", "app:/tmp/dangling"});
    stack_.must({"cp", "tree/below/leaf", "app:/tmp/away"});
    EXPECT_EQ(in("cd /tmp; cat aim new leaf; readlink link"),
              "of this machine\nof this machine\nleaf\naim\n");
}

TEST_F(Cp, VolumesBindsAndTmpfsAreAsTheContainerSeesThem) {
    for (const auto* place : {"/data", "/bound", "/scratch"}) {
        stack_.must({"cp", "file", std::string("app:") + place});
        EXPECT_EQ(in(std::string("cat ") + place + "/file"), "of this machine\n") << place;
        stack_.must({"cp", std::string("app:") + place + "/file", "back"});
    }
    EXPECT_EQ(content(here_ / "bound/file"), "of this machine\n");
}

TEST_F(Cp, AContainerThatDoesNotRunHasFilesToo) {
    stack_.must({"cp", "file", "app:/tmp"});
    stack_.must({"stop", "-t", "1"});
    stack_.must({"cp", "app:/tmp/file", "back"});
    EXPECT_EQ(content(here_ / "back"), "of this machine\n");
    stack_.must({"cp", "tree", "app:/data"});
    stack_.must({"cp", "tree", "app:/bound"});
    stack_.must({"cp", "tree", "app:/root/tree"});
    EXPECT_EQ(content(here_ / "bound/tree/below/leaf"), "leaf\n");
    stack_.must({"start"});
    EXPECT_EQ(in("cat /data/tree/link /root/tree/link"), "leaf\nleaf\n");
}

TEST_F(Cp, OneThatNeverRanHasThemAsWell) {
    stack_.must({"down", "-t", "1"});
    stack_.must({"create"});
    stack_.must({"cp", "file", "app:/etc"});
    stack_.must({"cp", "app:/etc/file", "back"});
    EXPECT_EQ(content(here_ / "back"), "of this machine\n");
    EXPECT_EQ(container(stack_, "app")["State"], "created");
    stack_.must({"start"});
    EXPECT_EQ(in("cat /etc/file"), "of this machine\n");
}

TEST_F(Cp, TarStreamsGoBothWays) {
    const auto archive = stack_.run({"cp", "app:/etc/passwd", "-"});
    ASSERT_EQ(archive.status, 0) << archive.err;
    Command list;
    list.words = {"tar", "-tf", "-"};
    list.input = archive.out;
    EXPECT_EQ(run(list).out, "passwd\n");
    Command pack;
    pack.words = {"tar", "-C", here_ / "tree", "-czf", "-", "below"};
    const auto result = stack_.run({"cp", "-", "app:/tmp"}, {}, run(pack).out);
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(in("cat /tmp/below/leaf; stat -c %u:%g /tmp/below/leaf"), "leaf\n1234:2345\n");
}

TEST_F(Cp, WhatCannotBeIsSaid) {
    refused("app:/nothing", ".", "app:/nothing: no such file or directory");
    refused("nothing", "app:/tmp", "nothing: no such file or directory");
    refused("file", "app:/nothing/", "does not exist");
    refused("file", "app:/nothing/file", "no such file or directory");
    refused("tree", "app:/etc/passwd", "cannot copy a directory onto the file");
    refused("file/", "app:/tmp", "not a directory");
    refused("ap:/etc", ".", "did you mean app?");
    refused("file", "other", "one of the two must be in a container");
    refused("app:/etc", "app:/tmp", "between containers");
    refused("-", "app:/etc/passwd", "must be a directory");
    in("mkdir -p /tmp/file");
    refused("file", "app:/tmp", "cannot overwrite directory");
    EXPECT_EQ(in("ls -d /tmp/file"), "/tmp/file\n");
}

TEST_F(Cp, AContainersLinksLeadNowhereElse) {
    stack_.write("secret", "canary\n");
    const std::string secret = (here_ / "secret").string();
    in("mkdir -p /tmp/evil; ln -s " + secret + " /tmp/evil/file; ln -s " + here_.string() +
       " /tmp/evil/directory; ln -s ../../../../../../.." + secret + " /tmp/evil/up");
    for (const auto* link : {"file", "up", "directory/secret"}) {
        const auto result =
            stack_.run({"cp", "-L", std::string("app:/tmp/evil/") + link, "stolen"});
        EXPECT_EQ(result.status, 1) << link;
        EXPECT_FALSE(fs::exists(here_ / "stolen"));
    }
    // A write through them stays in the container, too, where the directory is missing.
    EXPECT_EQ(stack_.run({"cp", "file", "app:/tmp/evil/file"}).status, 1);
    EXPECT_EQ(stack_.run({"cp", "file", "app:/tmp/evil/directory/secret"}).status, 1);
    in("mkdir -p " + here_.string());
    stack_.must({"cp", "file", "app:/tmp/evil/file"});
    EXPECT_EQ(in("cat " + secret), "of this machine\n");
    EXPECT_EQ(content(secret), "canary\n");
}

TEST_F(Cp, AHostileArchiveStaysInside) {
    stack_.write("secret", "canary\n");
    fs::create_directories(here_ / "evil");
    fs::create_symlink(here_, here_ / "evil/way");
    const auto tar = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"tar", "-C", here_ / "evil", "-P", "-cf", "-"});
        return test::run(std::move(words)).out;
    };
    // First the link, then through it; and names that climb.
    std::string archive = tar({"way"});
    archive.resize(512);
    archive += tar({"--transform", "s,.*,way/secret,", (here_ / "file").string()});
    static_cast<void>(stack_.run({"cp", "-", "app:/tmp"}, {}, archive));
    EXPECT_EQ(content(here_ / "secret"), "canary\n");
    const auto climbing = stack_.run({"cp", "-", "app:/tmp"},
                                     {},
                                     tar({"--transform",
                                          "s,.*,../../../../.." + (here_ / "secret").string() + ",",
                                          (here_ / "file").string()}));
    EXPECT_EQ(climbing.status, 1);
    EXPECT_NE(climbing.err.find("leads out"), std::string::npos) << climbing.err;
    EXPECT_EQ(content(here_ / "secret"), "canary\n");
}

TEST_F(Cp, WhatComesOutHasNoMorePowerThanItHad) {
    in("mkdir -p /tmp/mine; cd /tmp/mine; cp /bin/busybox su; cp su tool; chown 1000:1000 tool;"
       " chmod 6755 su tool; chmod 2775 .; mknod null c 1 3; ln null same; mknod pipe p");
    const auto result = stack_.run({"cp", "app:/tmp/mine", "out"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_NE(result.err.find("2 devices were left out"), std::string::npos) << result.err;
    EXPECT_EQ(fs::status(here_ / "out/tool").permissions(), fs::perms(0755))
        << "its user's program would be root's here";
    EXPECT_EQ(fs::status(here_ / "out/su").permissions(), fs::perms(06755)) << "as it was root's";
    EXPECT_EQ(fs::status(here_ / "out").permissions(), fs::perms(02775));
    EXPECT_FALSE(fs::exists(here_ / "out/null") || fs::exists(here_ / "out/same"));
    EXPECT_TRUE(fs::is_fifo(here_ / "out/pipe"));
    stack_.must({"cp", "-a", "app:/tmp/mine", "kept"});
    EXPECT_EQ(fs::status(here_ / "kept/tool").permissions(), fs::perms(06755));
    EXPECT_FALSE(fs::exists(here_ / "kept/null"));
    refused("app:/tmp/mine/null", "null", "it is a device or a socket");
    for (const auto* name : {"su", "tool"})
        stack_.must({"cp", std::string("kept/") + name, std::string("app:/tmp/") + name});
    EXPECT_EQ(in("stat -c %a /tmp/su /tmp/tool"), "6755\n755\n");
}

TEST_F(Cp, ALinkWhereItGoesLeadsNowhereElse) {
    stack_.write("outside/secret", "canary\n");
    fs::create_directories(here_ / "out/mine");
    fs::create_directory_symlink(here_ / "outside", here_ / "out/mine/below");
    in("mkdir -p /tmp/mine/below; echo stolen > /tmp/mine/below/secret");
    EXPECT_EQ(stack_.run({"cp", "app:/tmp/mine", "out"}).status, 1);
    EXPECT_EQ(content(here_ / "outside/secret"), "canary\n");
}

/// Two places that change places as fast as they can, for as long as this object lives.
class Swapper {
  public:
    Swapper(const fs::path& one, const fs::path& other)
        : thread_([this, one = one.string(), other = other.string()] {
              while (!over_)
                  ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
          }) {}

    ~Swapper() {
        over_ = true;
        thread_.join();
    }

    Swapper(const Swapper&) = delete;
    Swapper& operator=(const Swapper&) = delete;

  private:
    std::atomic<bool> over_ = false;
    std::thread thread_;
};

/// CVE-2018-15664, CVE-2026-41568, CVE-2026-42306: what was a directory of the container's is a
/// link to the host when it is used.
TEST_F(Cp, StaysInAContainerThatSwapsItsDirectoriesForLinks) {
    stack_.write("outside/secret", "canary\n");
    stack_.write("bound/real/secret", "inside\n");
    fs::create_directory_symlink(here_ / "outside", here_ / "bound/link");
    const Swapper swapper(here_ / "bound/real", here_ / "bound/link");
    constexpr int times = 15;
    for (int i = 0; i < times; ++i) {
        static_cast<void>(stack_.run({"cp", "app:/bound/real/secret", "taken"}));
        if (fs::exists(here_ / "taken")) {
            EXPECT_EQ(content(here_ / "taken"), "inside\n");
        }
        fs::remove(here_ / "taken");
        static_cast<void>(stack_.run({"cp", "file", "app:/bound/real/given"}));
        static_cast<void>(stack_.run({"cp", "tree", "app:/bound/real"}));
        EXPECT_EQ(std::distance(fs::directory_iterator(here_ / "outside"), {}), 1);
    }
    EXPECT_EQ(content(here_ / "outside/secret"), "canary\n");
}

/// CVE-2026-103916: on the host's side somebody else may write, too.
TEST_F(Cp, TakesNoLinkForTheFileThatWasThere) {
    stack_.write("outside/secret", "canary\n");
    stack_.write("shared/real", "mine\n");
    fs::create_symlink(here_ / "outside/secret", here_ / "shared/link");
    const Swapper swapper(here_ / "shared/real", here_ / "shared/link");
    constexpr int times = 15;
    for (int i = 0; i < times; ++i) {
        static_cast<void>(stack_.run({"cp", "shared/real", "app:/tmp/taken"}));
        const std::string taken = in("cat /tmp/taken; rm -f /tmp/taken");
        EXPECT_TRUE(taken == "mine\n" || taken.empty()) << taken;
    }
}

TEST_F(Cp, NoProgramOfTheContainerUnpacks) {
    in("for name in gzip xz zstd bzip2 tar unpigz; do"
       " printf '#!/bin/sh\\ntouch /tmp/executed\\n' > /bin/$name; chmod +x /bin/$name; done");
    Command pack;
    pack.words = {"tar", "-C", here_ / "tree", "-czf", "-", "below"};
    EXPECT_EQ(stack_.run({"cp", "-", "app:/tmp"}, {}, run(pack).out).status, 0);
    stack_.must({"cp", "app:/tmp/below", "."});
    EXPECT_EQ(in("ls /tmp"), "below\n");
}

TEST_F(Cp, ContainersHaveNamesOfTheirOwn) {
    stack_.must({"container", "cp", "file", "shop-app-1:/tmp"});
    const std::string id = container(stack_, "app")["ID"];
    stack_.must({"container", "cp", id.substr(0, 12) + ":/tmp/file", "back"});
    EXPECT_EQ(content(here_ / "back"), "of this machine\n");
    const auto result = stack_.run({"container", "cp", "shop-ap-1:/tmp/file", "back"});
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("did you mean shop-app-1?"), std::string::npos) << result.err;
}

TEST_F(Cp, EveryReplicaGetsIt) {
    stack_.must({"scale", "app=2"});
    stack_.must({"cp", "file", "app:/tmp"});
    stack_.must({"cp", "--index", "2", "tree/below/leaf", "app:/tmp"});
    EXPECT_EQ(stack_.run({"exec", "-T", "--index", "1", "app", "ls", "/tmp"}).out, "file\n");
    EXPECT_EQ(stack_.run({"exec", "-T", "--index", "2", "app", "ls", "/tmp"}).out, "file\nleaf\n");
    const std::string other = stack_.must({"run", "-d", "app", "sleep", "1000"}).substr(0, 12);
    stack_.must({"cp", "--all", "tree/below/leaf", "app:/tmp/all"});
    EXPECT_EQ(stack_.must({"container", "exec", other, "ls", "/tmp"}), "all\n");
    stack_.must({"cp", "app:/tmp/all", "back"});
    const Result archive = stack_.run({"cp", "-", "app:/tmp"});
    EXPECT_EQ(archive.status, 1);
    EXPECT_NE(archive.err.find("--index"), std::string::npos) << archive.err;
}

}  // namespace
}  // namespace stack::test
