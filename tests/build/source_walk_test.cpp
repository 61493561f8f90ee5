#include "engine/build/source_walk.h"

#include <stack/error.h>

#include "engine/build/context.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace stack::build {
namespace {

class Walk : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_NE(::mkdtemp(place.data()), nullptr); }

    void TearDown() override { sys::remove_tree(place); }

    void write(const std::string& path) const {
        sys::ensure_directory(sys::parent_path(place + "/" + path));
        sys::write_all(sys::open_file(place + "/" + path, O_WRONLY | O_CREAT, 0600), path);
    }

    [[nodiscard]] static IgnoreRules rules(const Strings& patterns) {
        return *IgnoreRules::from_patterns(patterns);
    }

    [[nodiscard]] Strings listed(const Strings& ignored,
                                 const Strings& excludes = {},
                                 const std::string& path = "") const {
        const SourceTree tree(sys::open_directory(place), SourceTree::Owners::root, rules(ignored));
        Strings names;
        for (const auto& file : tree.list(path, rules(excludes)))
            names.emplace_back(file.name());
        return names;
    }

    std::string place = "/tmp/stack-walk-XXXXXX";
};

TEST_F(Walk, ListsManyFilesInOrderEachAsItIs) {
    for (int i = 0; i < 40; ++i)
        for (int j = 0; j < 50; ++j)
            write("d" + std::to_string(i) + "/" + std::to_string(j));
    for (int i = 0; i < 700; ++i)
        write("wide/" + std::to_string(i));
    write("d1-x/f");
    write("d1.y");
    std::filesystem::create_symlink("d1.y", place + "/wide/link");
    ASSERT_EQ(::mknod((place + "/wide/socket").c_str(), S_IFSOCK | 0600, 0), 0);
    Strings expected{""};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(place))
        if (!entry.is_socket())
            expected.push_back(std::filesystem::relative(entry.path(), place).string());
    std::sort(expected.begin(), expected.end(), comes_before);
    EXPECT_EQ(listed({}), expected);

    const SourceTree tree(sys::open_directory(place), SourceTree::Owners::kept);
    for (const auto& file : tree.list("", {})) {
        struct stat status {};

        ASSERT_EQ(::lstat((place + "/" + file.path).c_str(), &status), 0) << file.path;
        EXPECT_EQ(file.status.st_ino, status.st_ino) << file.path;
        EXPECT_EQ(file.status.st_mode, status.st_mode) << file.path;
        EXPECT_EQ(file.link, file.path == "wide/link" ? "d1.y" : "") << file.path;
    }
}

TEST_F(Walk, AnIgnoredDirectoryIsThereForWhatIsTakenBack) {
    write("a/b/c");
    write("a/b/d");
    write("e/f");
    EXPECT_EQ(listed({"a", "e", "!a/b/d"}), (Strings{"", "a", "a/b", "a/b/d"}));
    EXPECT_EQ(listed({"a", "!a/b/x"}), (Strings{"", "e", "e/f"}));
    EXPECT_EQ(listed({}, {"b/c"}, "a"), (Strings{"", "b", "b/d"}));
    EXPECT_EQ(listed({}, {"b"}, "a"), (Strings{""}));
}

TEST_F(Walk, WhatHasBecomeADirectoryHasChanged) {
    write("a");
    write("b/c");
    const auto directory = std::make_shared<const sys::Fd>(sys::open_directory(place));
    const auto why = [&](const char* name, mode_t type) -> std::string {
        StatJobs jobs;
        try {
            StatJob job{"d", directory};
            job.files.push_back({0, name, type});
            static_cast<void>(jobs.give(std::move(job)));
            static_cast<void>(jobs.finish());
        } catch (const std::exception& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(why("a", S_IFREG), "");
    EXPECT_EQ(why("b", S_IFREG), "`d/b` changed while it was read: build again");
    EXPECT_EQ(why("a", S_IFCHR), "") << "as of what is mounted over another";
    EXPECT_NE(why("gone", S_IFREG).find("stat d/gone"), std::string::npos);
}

TEST_F(Walk, TellsOfAFailureInAnyThread) {
    write("a");
    const auto directory = std::make_shared<const sys::Fd>(sys::open_directory(place));
    StatJobs jobs;
    const auto give_all = [&] {
        for (std::size_t i = 0; i < 64; ++i) {
            StatJob job{"", directory};
            for (std::size_t j = 0; j < 64; ++j)
                job.files.push_back({j, i == 40 && j == 7 ? "gone" : "a", S_IFREG});
            static_cast<void>(jobs.give(std::move(job)));
        }
        static_cast<void>(jobs.finish());
    };
    EXPECT_THROW(give_all(), std::exception);
}

}  // namespace
}  // namespace stack::build
