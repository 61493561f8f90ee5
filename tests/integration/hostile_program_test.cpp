// Programs in images that are not what they say they are (security.md 2M, 14 to 20 and 44): what is
// started, what starts it, and what an engine might start or load by mistake.

#include "base/digest.h"
#include "tests/integration/hostile_tree.h"
#include "tests/integration/world.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <iterator>
#include <string_view>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

void make_program(const fs::path& path, const std::string& content) {
    fs::remove(path);
    fs::create_directories(path.parent_path());
    std::ofstream(path) << content;
    fs::permissions(path, fs::perms(0755));
}

/// A program of this machine that wants another one to load it.
constexpr const char* dynamic_program = "/bin/true";
constexpr std::string_view loader = "/lib64/ld-linux-x86-64.so.2";

class HostileProgram : public testing::Test {
  protected:
    void SetUp() override {
        if (!fs::exists(plain_))  // another test of this process may have been here
            make_busybox_root(plain_.string());
        std::ofstream(here_ / "given") << "given\n";
        own_ = sha256_hex(content_of(STACK_BINARY_DIR "/stack-shim"));
    }

    void TearDown() override {
        canary_.expect_unchanged();
        EXPECT_EQ(sha256_hex(content_of(STACK_BINARY_DIR "/stack-shim")), own_);
        expect_nothing_left(stack_);
    }

    /// An image of busybox and of what `change` makes of its files.
    [[nodiscard]] std::string image(const std::function<void(const fs::path&)>& change) const {
        const fs::path root = here_ / "root";
        fs::remove_all(root);
        fs::copy(plain_, root, fs::copy_options::recursive | fs::copy_options::create_hard_links);
        change(root);
        return "rootfs:" + root.string();
    }

    [[nodiscard]] Result ran(const std::vector<std::string>& words) const {
        std::vector<std::string> all{"container", "run", "--rm", "--network", "none"};
        all.insert(all.end(), words.begin(), words.end());
        return stack_.run(all);
    }

    /// What a program does where it could be started, and says, is its own matter.
    static void expect_harmless(const Result& result) {
        EXPECT_EQ(result.err.find("ERROR: AddressSanitizer"), std::string::npos) << result.err;
        EXPECT_EQ(result.err.find("runtime error"), std::string::npos) << result.err;
    }

    /// That it cannot be started is said, and its status is a shell's for that.
    void expect_no_program(const std::vector<std::string>& words) const {
        const Result result = ran(words);
        EXPECT_TRUE(result.status == 126 || result.status == 127) << result.status << result.err;
        expect_sense(result);
    }

    StackProgram stack_;
    fs::path here_ = stack_.directory();
    fs::path plain_ = here_ / "plain";
    Canary canary_{here_ / "canary"};
    std::string own_;
};

TEST_F(HostileProgram, AndWhatLoadsItMayBeAnything) {
    for (const std::string form : hostile_forms) {
        SCOPED_TRACE(form);
        const std::string program = image([&](const fs::path& root) {
            put_hostile(root, root / "entry", form, canary_.place() / "file");
        });
        expect_harmless(ran({program, "/entry"}));
        const std::string script = image([&](const fs::path& root) {
            put_hostile(root, root / "shell", form, canary_.place() / "file");
            make_program(root / "entry", "#!/shell\n");
        });
        expect_harmless(ran({script, "/entry"}));
        const std::string loaded = image([&](const fs::path& root) {
            fs::create_directories(root / "lib64");
            put_hostile(root, root / loader.substr(1), form, canary_.place() / "file");
            fs::copy_file(dynamic_program, root / "entry");
        });
        expect_harmless(ran({loaded, "/entry"}));
    }
    static_cast<void>(stack_.run({"image", "prune", "-af"}));
}

/// CVE-2019-5736: what runs as the container's program is the engine's own helper.
TEST_F(HostileProgram, ThatAsksForWhoeverStartsItGetsNothingOfIt) {
    const std::string native = content_of(dynamic_program);
    ASSERT_NE(native.find(loader), std::string::npos);
    std::string patched = native;
    for (const std::string self : {"/proc/self/exe", "/proc/self/fd/3", "/proc/1/exe"}) {
        SCOPED_TRACE(self);
        std::string padded = self;
        padded.resize(loader.size());
        patched.replace(native.find(loader), loader.size(), padded);
        const std::string hostile = image([&](const fs::path& root) {
            make_program(root / "script", "#!" + self + "\n");
            make_program(root / "words", "#!" + self + " exec\n");
            make_program(root / "loaded", patched);
            fs::create_symlink(self, root / "link");
        });
        for (const auto* entry : {"/script", "/words", "/loaded", "/link"})
            expect_harmless(ran({hostile, entry}));
        stack_.must(
            {"container", "run", "-d", "--name", "it", hostile, "/bin/busybox", "sleep", "1000"});
        for (const auto* entry : {"/script", "/words", "/loaded", "/link"})
            expect_harmless(stack_.run({"container", "exec", "it", entry}));
        stack_.must({"container", "rm", "-f", "it"});
    }
    static_cast<void>(stack_.run({"image", "prune", "-af"}));
}

/// Everything that people do with a container and an image.
TEST_F(HostileProgram, IsNotRunInPlaceOfTheHostsOwn) {
    const std::string hostile = image([&](const fs::path& root) {
        for (const auto* directory : {"bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin"})
            for (const auto* name : {"xz",
                                     "gzip",
                                     "zstd",
                                     "unpigz",
                                     "tar",
                                     "nsenter",
                                     "ps",
                                     "sh",
                                     "iptables",
                                     "nft",
                                     "ip",
                                     "newuidmap",
                                     "mount",
                                     "stack-shim"})
                make_program(root / directory / name, "#!/bin/busybox touch /marker\n");
    });
    stack_.must({"image", "import", hostile, "hostile"});
    stack_.must({"container",
                 "run",
                 "-d",
                 "--name",
                 "it",
                 "-p",
                 "8080",
                 "-v",
                 "data:/data",
                 "hostile",
                 "/bin/busybox",
                 "sleep",
                 "1000"});
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"exec", "it", "/bin/busybox", "true"},
          {"cp", (here_ / "given").string(), "it:/given"},
          {"cp", "it:/given", (here_ / "taken").string()},
          {"top", "it"},
          {"stats", "--no-stream", "it"},
          {"logs", "it"},
          {"export", "it", "-o", (here_ / "exported").string()},
          {"commit", "it", "hostile:2"},
          {"pause", "it"},
          {"unpause", "it"},
          {"restart", "-t", "0", "it"}}) {
        std::vector<std::string> all{"container"};
        all.insert(all.end(), words.begin(), words.end());
        stack_.must(all);
    }
    const std::string changed = stack_.must({"container", "diff", "it"});
    EXPECT_EQ(changed.find("/marker"), std::string::npos) << changed;
    stack_.must({"container", "rm", "-fv", "it"});
    stack_.write("Dockerfile",
                 "FROM hostile\nCOPY given /copied\nADD given /added\nRUN [\"/bin/busybox\", "
                 "\"test\", \"!\", \"-e\", \"/marker\"]\n");
    stack_.must({"image", "build", "-q", "-t", "built", "."});
    static_cast<void>(stack_.run({"builder", "prune", "-af"}));
    static_cast<void>(stack_.run({"image", "prune", "-af"}));
    static_cast<void>(stack_.run({"volume", "prune", "-af"}));
}

/// Whoever opened one of these would wait for ever.
TEST_F(HostileProgram, HasNoLibraryThatIsLoadedByAnybodyElse) {
    const std::string hostile = image([&](const fs::path& root) {
        for (const std::string name : {"etc/nsswitch.conf",
                                       "etc/ld.so.preload",
                                       "etc/ld.so.cache",
                                       "etc/localtime",
                                       "etc/shadow",
                                       "etc/subuid",
                                       "usr/lib/locale/locale-archive",
                                       "usr/lib/x86_64-linux-gnu/gconv/gconv-modules",
                                       "usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache",
                                       "lib/x86_64-linux-gnu/libnss_files.so.2",
                                       "lib/x86_64-linux-gnu/libnss_compat.so.2",
                                       "lib/x86_64-linux-gnu/libc.so.6"}) {
            fs::create_directories((root / name).parent_path());
            ASSERT_EQ(::mkfifo((root / name).c_str(), 0666), 0) << name;
        }
    });
    stack_.must({"image", "import", hostile, "hostile"});
    stack_.must({"container",
                 "run",
                 "-d",
                 "--name",
                 "it",
                 "-u",
                 "nobody",
                 "--group-add",
                 "nogroup",
                 "hostile",
                 "/bin/busybox",
                 "sleep",
                 "1000"});
    stack_.must({"container", "exec", "-u", "nobody", "it", "/bin/busybox", "true"});
    stack_.must({"container", "cp", (here_ / "given").string(), "it:/given"});
    stack_.must({"container", "cp", "it:/given", (here_ / "taken").string()});
    stack_.must({"container", "top", "it"});
    stack_.must({"container", "export", "it", "-o", (here_ / "exported").string()});
    stack_.must({"container", "rm", "-f", "it"});
    stack_.write("Dockerfile",
                 "FROM hostile\nCOPY --chown=nobody:nogroup given /copied\nUSER nobody\nRUN "
                 "[\"/bin/busybox\", \"true\"]\n");
    stack_.must({"image", "build", "-q", "-t", "built", "."});
    static_cast<void>(stack_.run({"builder", "prune", "-af"}));
    static_cast<void>(stack_.run({"image", "prune", "-af"}));
}

TEST_F(HostileProgram, HasNoRightsBeyondTheContainers) {
    const std::string hostile = image([&](const fs::path& root) {
        fs::copy_file(STACK_BINARY_DIR "/stack-probe", root / "probe");
        fs::permissions(root / "probe", fs::perms(04755));
        // vfs_cap_data, version 2, effective: all there are, and one that containers have.
        const std::array<std::uint32_t, 5> all{0x02000001, 0xffffffff, 0, 0xffffffff, 0};
        const std::array<std::uint32_t, 5> one{0x02000001, 1U << 10U, 0, 0, 0};
        for (const auto& [name, rights] :
             {std::pair("busybox_all", all), std::pair("busybox_one", one)}) {
            fs::copy_file(root / "bin/busybox", root / name);
            ASSERT_EQ(
                ::setxattr(
                    (root / name).c_str(), "security.capability", rights.data(), sizeof rights, 0),
                0);
        }
    });
    const std::string plain = ran({hostile, "/probe"}).out;
    const std::string raised = ran({"-u", "1000", hostile, "/probe"}).out;
    const auto line = [](const std::string& facts, const std::string& name) {
        const auto begin = facts.find(name + ": ");
        return begin == std::string::npos ? ""
                                          : facts.substr(begin, facts.find('\n', begin) - begin);
    };
    EXPECT_NE(line(plain, "capabilities, effective"), "");
    EXPECT_EQ(line(raised, "capabilities, effective"), line(plain, "capabilities, effective"));
    EXPECT_EQ(line(raised, "capabilities, bounding"), line(plain, "capabilities, bounding"));
    const std::string kept =
        ran({"-u", "1000", "--security-opt", "no-new-privileges", hostile, "/probe"}).out;
    EXPECT_EQ(line(kept, "user"), "user: 1000 1000 1000 1000") << kept;
    expect_no_program({"-u", "1000", hostile, "/busybox_all", "true"});
    EXPECT_EQ(ran({"-u", "1000", hostile, "/busybox_one", "true"}).status, 0);
    static_cast<void>(stack_.run({"image", "prune", "-af"}));
}

TEST_F(HostileProgram, ThatIsNoneIsSaidToBeNone) {
    const std::string native = content_of("/bin/busybox");
    std::string foreign = native;
    foreign.replace(18, 2, std::string("\xb7\0", 2));  // e_machine: AArch64
    const std::string hostile = image([&](const fs::path& root) {
        make_program(root / "foreign", foreign);
        make_program(root / "head", native.substr(0, 100));
        make_program(root / "text", "echo hello\n");
        make_program(root / "closed", native);
        make_program(root / "empty", "");
        make_program(root / "long", "#!/" + std::string(1U << 20U, 'x') + "\n");
        make_program(root / "itself", "#!/itself\n");
        make_program(root / "nobody", "#!/nowhere/at/all\n");
        make_program(root / "nothing", "#!");
        fs::permissions(root / "closed", fs::perms(0644));
    });
    stack_.must({"image", "import", hostile, "hostile"});
    stack_.must(
        {"container", "run", "-d", "--name", "it", "hostile", "/bin/busybox", "sleep", "1000"});
    for (const auto* entry : {"/foreign",
                              "/head",
                              "/text",
                              "/closed",
                              "/empty",
                              "/long",
                              "/itself",
                              "/nobody",
                              "/nothing",
                              "/bin",
                              "/etc/passwd/deeper",
                              "/none"}) {
        SCOPED_TRACE(entry);
        expect_no_program({"hostile", entry});
        const Result joined = stack_.run({"container", "exec", "it", entry});
        EXPECT_TRUE(joined.status == 126 || joined.status == 127) << joined.status << joined.err;
        expect_sense(joined);
    }
    stack_.must({"container", "rm", "-f", "it"});
    static_cast<void>(stack_.run({"image", "prune", "-af"}));
}

/// They are files of the image, and no way to what they name.
TEST_F(HostileProgram, OpensNoDeviceOfTheImages) {
    const std::string hostile = image([&](const fs::path& root) {
        ASSERT_EQ(::mknod((root / "disk").c_str(), S_IFBLK | 0666, makedev(8, 0)), 0);
        ASSERT_EQ(::mknod((root / "loop").c_str(), S_IFBLK | 0666, makedev(7, 0)), 0);
        ASSERT_EQ(::mknod((root / "memory").c_str(), S_IFCHR | 0666, makedev(1, 1)), 0);
        ASSERT_EQ(::mknod((root / "messages").c_str(), S_IFCHR | 0666, makedev(1, 11)), 0);
    });
    stack_.must({"image", "import", hostile, "hostile"});
    stack_.must(
        {"container", "run", "-d", "--name", "it", "hostile", "/bin/busybox", "sleep", "1000"});
    for (const std::string device : {"/disk", "/loop", "/memory", "/messages"}) {
        SCOPED_TRACE(device);
        for (const std::vector<std::string>& read :
             {std::vector<std::string>{"/bin/busybox", "head", "-c", "1", device},
              {"/bin/busybox", "dd", "if=/dev/zero", "of=" + device, "count=1"}}) {
            std::vector<std::string> words{"container", "exec", "it"};
            words.insert(words.end(), read.begin(), read.end());
            const Result result = stack_.run(words);
            EXPECT_NE(result.status, 0);
            EXPECT_NE(result.err.find("Operation not permitted"), std::string::npos) << result.err;
        }
        fs::remove(here_ / "taken");  // another test's
        expect_sense(stack_.run({"container", "cp", "it:" + device, (here_ / "taken").string()}));
        EXPECT_FALSE(fs::is_regular_file(here_ / "taken"));
        fs::remove(here_ / "taken");
        expect_sense(stack_.run({"container", "cp", (here_ / "given").string(), "it:" + device}));
    }
    stack_.must({"container", "export", "it", "-o", (here_ / "exported").string()});
    EXPECT_LT(fs::file_size(here_ / "exported"), 16U << 20U);
    stack_.must({"container", "rm", "-f", "it"});
    static_cast<void>(stack_.run({"image", "prune", "-af"}));
}

}  // namespace
}  // namespace stack::test
