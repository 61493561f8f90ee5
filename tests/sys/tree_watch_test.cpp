#include "sys/tree_watch.h"

#include "sys/signals.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace stack::sys {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<std::string>;

class TreeWatching : public testing::Test {
  protected:
    void SetUp() override {
        fs::remove_all(root_);
        fs::create_directories(root_ + "/a");
        write("a/old", "1");
        before_ = look();
    }

    void TearDown() override { fs::remove_all(root_); }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(root_ + "/" + name) << text;
    }

    TreeState look() {
        watch_.drain();
        TreeState state;
        watch_.look(
            root_, [](const std::string& path) { return path.ends_with("/skipped"); }, state);
        return state;
    }

    /// What has changed, where the watch tells of it.
    Paths told() {
        wait_readable({watch_.fd().get()}, 10'000);
        const TreeState after = look();
        Paths paths = changed_paths(std::exchange(before_, after), after);
        for (auto& path : paths)
            path.erase(0, root_.size() + 1);
        return paths;
    }

    const std::string root_ = testing::TempDir() + "tree_watch_test." + std::to_string(::getpid());
    TreeWatch watch_;
    TreeState before_;
};

TEST_F(TreeWatching, NewChangedAndRemovedFilesAreFound) {
    write("a/old", "22");
    EXPECT_EQ(told(), (Paths{"a/old"}));
    write("a/new", "");
    EXPECT_EQ(told(), (Paths{"a/new"}));
    fs::rename(root_ + "/a/new", root_ + "/a/old");
    EXPECT_EQ(told(), (Paths{"a/new", "a/old"}));
    fs::remove_all(root_ + "/a");
    EXPECT_EQ(told(), (Paths{"a", "a/old"}));
}

TEST_F(TreeWatching, ADirectoryThatComesFullIsFoundWholeAndWatched) {
    fs::create_directories(root_ + "/b/c");
    write("b/c/d", "1");
    EXPECT_EQ(told(), (Paths{"b", "b/c", "b/c/d"}));
    write("b/c/d", "22");
    EXPECT_EQ(told(), (Paths{"b/c/d"}));
}

TEST_F(TreeWatching, WhatIsSkippedIsNotEntered) {
    fs::create_directories(root_ + "/skipped");
    write("skipped/x", "1");
    EXPECT_EQ(told(), Paths{});
}

TEST_F(TreeWatching, AFileMayComeLater) {
    const std::string path = root_ + "/x/later";
    const auto nothing = [](const std::string&) { return false; };
    TreeState before;
    watch_.look(path, nothing, before);
    EXPECT_TRUE(before.empty());
    fs::create_directories(root_ + "/x");
    write("x/later", "1");
    wait_readable({watch_.fd().get()}, 10'000);
    TreeState after;
    watch_.look(path, nothing, after);
    EXPECT_EQ(changed_paths(before, after), (Paths{path}));
}

}  // namespace
}  // namespace stack::sys
