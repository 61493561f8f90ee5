// Archives that want to reach what is not theirs, or pretend to be what they are not: each is
// unpacked beside a canary, and either stays inside or is refused with a sentence.

#include <stack/error.h>

#include "base/random.h"
#include "engine/image/tar_stream.h"
#include "fetch/import.h"
#include "fetch/untar.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <array>
#include <functional>
#include <utility>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace stack::fetch {
namespace {

using image::TarEntry;

class Unpack : public testing::Test {
  protected:
    Unpack() : base_(testing::TempDir() + "stack-unpack-" + random_hex(8)) {
        ::umask(0);  // as the worker has it
        for (const auto* name : {"/root", "/outside", "/root-beside"})
            sys::ensure_directory(base_ + name);
        sys::replace_file(base_ + "/outside/canary", "alive");
    }

    ~Unpack() override { sys::remove_tree(base_); }

    /// The error's sentence; "" where it was unpacked.
    std::string unpack(const std::vector<std::pair<TarEntry, std::string>>& entries) {
        return unpack_bytes(archive(entries));
    }

    static std::string archive(const std::vector<std::pair<TarEntry, std::string>>& entries) {
        std::string bytes;
        const image::ByteSink sink = [&](std::string_view piece) { bytes += piece; };
        image::TarStream tar(sink);
        for (auto [entry, content] : entries) {
            entry.size = content.size();
            tar.header(entry);
            tar.data(content);
            tar.pad(content.size());
        }
        tar.end();
        return bytes;
    }

    std::string unpack_bytes(const std::string& bytes) {
        try {
            unpack_layer(sys::memory_file("layer", bytes), sys::open_directory(base_ + "/root"));
            return {};
        } catch (const Error& error) {
            return error.what();
        }
    }

    void expect_canary() const {
        EXPECT_EQ(sys::read_file(base_ + "/outside/canary"), "alive");
        EXPECT_EQ(sys::list_directory(base_ + "/outside"), std::vector<std::string>{"canary"});
        EXPECT_TRUE(sys::list_directory(base_ + "/root-beside").empty());
        EXPECT_EQ(sys::list_directory(base_).size(), 3U);
    }

    [[nodiscard]] struct stat status(const std::string& path) const {
        struct stat status {};

        EXPECT_EQ(::lstat((base_ + "/root/" + path).c_str(), &status), 0) << path;
        return status;
    }

    static TarEntry file(const std::string& path) { return {.path = path, .mode = 0644}; }

    static TarEntry link(const std::string& path, const std::string& target) {
        return {.path = path, .type = '2', .mode = 0777, .link = target};
    }

    static TarEntry hard_link(const std::string& path, const std::string& target) {
        return {.path = path, .type = '1', .mode = 0644, .link = target};
    }

    static TarEntry directory(const std::string& path) {
        return {.path = path, .type = '5', .mode = 0755};
    }

    std::string base_;
};

TEST_F(Unpack, StaysInsideWhateverNamesAndLinksSay) {
    const std::string out = base_ + "/outside";
    const std::vector<std::vector<std::pair<TarEntry, std::string>>> attempts{
        {{file("../outside/new"), "x"}},
        {{file("/../outside/new"), "x"}},
        {{file("a/../../outside/new"), "x"}},
        {{file("../root-beside/new"), "x"}},
        {{file(out + "/canary"), "dead"}},
        {{link("d", out), ""}, {file("d/canary"), "dead"}},
        {{link("d", "../outside"), ""}, {file("d/canary"), "dead"}},
        {{link("a", out), ""}, {link("b", "a"), ""}, {file("b/canary"), "dead"}},
        {{link("canary", out + "/canary"), ""}, {file("canary"), "dead"}},
        {{link("d", out), ""}, {directory("d/made"), ""}},
        {{link("d", out), ""}, {file("d/.wh.canary"), ""}},
        {{link("d", out), ""}, {file("d/.wh..wh..opq"), ""}},
        {{hard_link("h", "../outside/canary"), ""}, {file("h"), "dead"}},
        {{hard_link("h", out + "/canary"), ""}},
        {{link("d", out), ""}, {hard_link("h", "d/canary"), ""}},
        {{link("d", out), ""}, {hard_link("d/new", "d/canary"), ""}},
        {{link("d", "/proc/self/root" + out), ""}, {file("d/canary"), "dead"}},
        {{link("d", "/proc/self/cwd"), ""}, {file("d/new"), "x"}},
        {{link("loop", "loop"), ""}, {file("loop/new"), "x"}},
        {{link("d", out), ""}, {{.path = "d/fifo", .type = '6', .mode = 0644}, ""}},
    };
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        SCOPED_TRACE("attempt " + std::to_string(i));
        static_cast<void>(unpack(attempts[i]));
        expect_canary();
        sys::remove_tree(base_ + "/root");
        sys::ensure_directory(base_ + "/root");
    }
}

TEST_F(Unpack, RefusesARootThatIsNoDirectory) {
    for (const auto* path : {".", "./", "/"}) {
        EXPECT_NE(unpack({{link(path, base_ + "/outside"), ""}, {file("new"), "x"}}), "") << path;
        expect_canary();
    }
}

TEST_F(Unpack, RefusesWhiteoutsThatNameNothing) {
    for (const auto* path : {".wh.", ".wh..", ".wh...", "a/.wh.", "a/.wh..."})
        EXPECT_NE(unpack({{file(path), ""}}), "") << path;
}

TEST_F(Unpack, TakesNoWhiteoutInDisguise) {
    EXPECT_NE(unpack({{{.path = "etc", .type = '3', .mode = 0644}, ""}}), "");
    TarEntry faked = directory("d");
    faked.attributes = {{"trusted.overlay.opaque", "y"},
                        {"trusted.overlay.redirect", "/etc"},
                        {"user.overlay.opaque", "y"},
                        {"security.selinux", "system_u:object_r:x:s0"}};
    EXPECT_EQ(unpack({{faked, ""}}), "");
    std::array<char, 256> value{};
    for (const auto& [name, text] : faked.attributes)
        EXPECT_LT(
            ::lgetxattr((base_ + "/root/d").c_str(), name.c_str(), value.data(), value.size()), 0)
            << name;
}

TEST_F(Unpack, HidesWhatAWhiteoutHides) {
    EXPECT_EQ(unpack({{file(".wh.gone"), ""},
                      {file("both"), "own"},
                      {file(".wh.both"), ""},
                      {file("d/.wh..wh..opq"), ""},
                      {file("d/kept"), "x"},
                      {file(".wh.e"), ""},
                      {directory("e"), ""},
                      {file("e/new"), "x"}}),
              "");
    EXPECT_TRUE(S_ISCHR(status("gone").st_mode));
    EXPECT_TRUE(S_ISREG(status("both").st_mode)) << "the layer brings it itself";
    std::array<char, 8> value{};
    for (const auto* path : {"d", "e"})
        EXPECT_EQ(::lgetxattr((base_ + "/root/" + path).c_str(),
                              "trusted.overlay.opaque",
                              value.data(),
                              value.size()),
                  1)
            << path;
}

TEST_F(Unpack, TheLastOfSeveralEntriesOfOneNameCounts) {
    EXPECT_EQ(unpack({{file("x"), "one"},
                      {directory("x"), ""},
                      {file("x/in"), "two"},
                      {link("x", "nowhere"), ""},
                      {file("x"), "three"}}),
              "");
    EXPECT_EQ(sys::read_file(base_ + "/root/x"), "three");
}

TEST_F(Unpack, WhatIsUnusualAndRightWorks) {
    EXPECT_EQ(unpack({{directory("usr/lib"), ""},
                      {directory("run"), ""},
                      {link("lib", "usr/lib"), ""},
                      {file("lib/x"), "x"},
                      {link("var/run", "/run"), ""},
                      {file("var/run/pid"), "1"},
                      {file("./a//b"), "ab"},
                      {hard_link("hard", "/a/b"), ""},
                      {file(std::string(255, 'n')), ""},
                      {link("long", std::string(4000, 't')), ""},
                      {file("new\nline"), ""},
                      {file("caf\xe9"), ""},
                      {{.path = "early", .mode = 04755, .uid = 1000, .mtime = -1}, ""},
                      {file(".wh.absent"), ""}}),
              "");
    EXPECT_EQ(sys::read_file(base_ + "/root/usr/lib/x"), "x");
    EXPECT_EQ(sys::read_file(base_ + "/root/run/pid"), "1");
    EXPECT_EQ(status("a/b").st_nlink, 2U);
    EXPECT_EQ(status("early").st_mode & 07777U, 04755U);
    EXPECT_EQ(status("early").st_mtim.tv_sec, -1);
}

TEST_F(Unpack, RefusesNamesThatNoFileSystemTakes) {
    EXPECT_NE(unpack({{file(std::string(256, 'n')), ""}}), "");
    EXPECT_NE(unpack({{file(std::string(5000, 'n')), ""}}), "");
    std::string deep;
    for (int i = 0; i < 300; ++i)
        deep += "d/";
    EXPECT_EQ(unpack({{file(deep + "f"), "x"}}), "");
    for (int i = 0; i < 40'000; ++i)
        deep += "d/";
    EXPECT_NE(unpack({{file(deep + "f"), "x"}}).find("deeper than can be unpacked"),
              std::string::npos);
}

TEST_F(Unpack, GoesAsDeepAsAContainerDoes) {
    constexpr int levels = 2500;  // a path longer than a system call takes
    std::vector<std::pair<TarEntry, std::string>> entries;
    std::string path;
    for (int i = 0; i < levels; ++i) {
        path += i == 0 ? "d" : "/d";
        entries.emplace_back(directory(path), "");
    }
    entries.emplace_back(file(path + "/leaf"), "x");
    entries.emplace_back(hard_link("twin", path + "/leaf"), "");
    entries.emplace_back(file("other" + path.substr(1) + "/leaf"), "y");
    EXPECT_EQ(unpack(entries), "");
    const sys::Fd root = sys::open_directory(base_ + "/root");
    EXPECT_EQ(sys::read_in_root(root, path + "/leaf", 10), "x");
    EXPECT_EQ(sys::read_in_root(root, "twin", 10), "x");
    EXPECT_EQ(sys::read_in_root(root, "other" + path.substr(1) + "/leaf", 10), "y");
}

TEST_F(Unpack, RemembersWhatALayerLeavesToThoseBelow) {
    const auto unsaid_of = [&](const std::vector<std::pair<TarEntry, std::string>>& entries) {
        const std::string bytes = archive(entries);
        bool given = false;
        const NextPiece next = [&] {
            return std::exchange(given, true) ? std::string_view() : std::string_view(bytes);
        };
        return untar(next, sys::open_directory(base_ + "/root"), {.whiteouts = true, .base = {}})
            .unsaid;
    };
    const auto implied = unsaid_of({{file("a/b/c"), "x"}, {directory("a"), ""}, {file("d/e"), ""}});
    EXPECT_EQ(implied.directories, (std::vector<std::string>{".", "a/b", "d"}));
    EXPECT_TRUE(implied.links.empty());
    const auto linked = unsaid_of({{directory("./"), ""},
                                   {hard_link("one", "below"), ""},
                                   {hard_link("two", "/one"), ""},
                                   {hard_link("three", "below"), ""},
                                   {file("three"), "of its own"},
                                   {hard_link("four", "three"), ""}});
    EXPECT_TRUE(linked.directories.empty());
    EXPECT_EQ(
        linked.links,
        (std::vector<std::pair<std::string, std::string>>{{"one", "below"}, {"two", "below"}}));
    EXPECT_EQ(sys::read_file(base_ + "/root/four"), "of its own");
}

TEST_F(Unpack, RemembersNoMoreThanItsBound) {
    std::string below;
    for (int i = 0; i < 1500; ++i)  // whose names are more than a megabyte
        below += "/d";
    std::vector<std::pair<TarEntry, std::string>> entries;
    for (int i = 0; i < 6; ++i)
        entries.emplace_back(file(std::to_string(i) + below + "/f"), "x");
    EXPECT_EQ(unpack(entries), "");
    for (int i = 6; i < 20; ++i)
        entries.emplace_back(file(std::to_string(i) + below + "/f"), "x");
    EXPECT_NE(unpack(entries), "") << "names of 14 times 2.25 megabytes";
}

TEST_F(Unpack, ALinkIntoNothingIsRefusedWhereThereIsNothingBelow) {
    const std::string bytes = archive({{hard_link("one", "below"), ""}});
    EXPECT_THROW(
        fetch::unpack(sys::memory_file("archive", bytes), sys::open_directory(base_ + "/root"), {}),
        Error);
}

TEST_F(Unpack, TakesNoNumberForAnother) {
    constexpr std::uint64_t too_much = 1ULL << 32U;  // cut short, that would be root
    for (const std::uint64_t number : {too_much, too_much - 1}) {
        EXPECT_NE(unpack({{{.path = "x", .mode = 04755, .uid = number}, ""}}), "") << number;
        EXPECT_NE(unpack({{{.path = "x", .mode = 02755, .gid = number}, ""}}), "") << number;
    }
    EXPECT_EQ(unpack({{{.path = "x", .mode = 0644, .uid = 3'000'000'000}, ""}}), "");
    EXPECT_EQ(status("x").st_uid, 3'000'000'000U);
}

TEST_F(Unpack, MakesDevicesAndPipesWithTheirModes) {
    EXPECT_EQ(unpack({{{.path = "null", .type = '3', .mode = 0622, .major = 1, .minor = 3}, ""},
                      {{.path = "pipe", .type = '6', .mode = 0666}, ""},
                      {{.path = "disk", .type = '4', .mode = 0640, .major = 7, .minor = 9}, ""}}),
              "");
    EXPECT_EQ(status("null").st_mode, S_IFCHR | 0622U);
    EXPECT_EQ(status("pipe").st_mode, S_IFIFO | 0666U);
    EXPECT_EQ(status("disk").st_mode, S_IFBLK | 0640U);
    expect_canary();
}

TEST_F(Unpack, MayEndBehindTheLastByteOfTheLastFileAndNotBeforeIt) {
    constexpr std::size_t header = 512;
    const std::string bytes = archive({{file("x"), "hello"}});
    EXPECT_EQ(unpack_bytes(bytes.substr(0, header + 5)), "");
    EXPECT_EQ(sys::read_file(base_ + "/root/x"), "hello");
    for (const std::size_t cut : {header + 4, header + 1, header - 1, header / 2})
        EXPECT_NE(unpack_bytes(bytes.substr(0, cut)), "") << cut;
}

}  // namespace
}  // namespace stack::fetch
