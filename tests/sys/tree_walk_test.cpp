#include "sys/tree_walk.h"

#include <stack/error.h>

#include "sys/file.h"
#include "sys/tree.h"

#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::sys {
namespace {

constexpr int levels = 5000;

/// With so few descriptors that a tree cannot be held open.
class DeepTree : public testing::Test {
  protected:
    DeepTree() {
        ::getrlimit(RLIMIT_NOFILE, &limit_);
        rlimit low = limit_;
        low.rlim_cur = 128;
        ::setrlimit(RLIMIT_NOFILE, &low);
        char name[] = "/tmp/stack-deep-test-XXXXXX";
        directory_ = ::mkdtemp(name);
        ensure_directory(directory_ + "/top");
        top_ = open_directory(directory_ + "/top");
    }

    ~DeepTree() override {
        remove_tree(directory_);
        ::setrlimit(RLIMIT_NOFILE, &limit_);
    }

    /// `deep` directories called d, each in the one before, and a file in the last.
    void make(int deep) const {
        Descent way(top_);
        for (int i = 0; i < deep; ++i) {
            ASSERT_EQ(::mkdirat(way.here().get(), "d", 0755), 0);
            way.enter("d");
        }
        const Fd leaf(::openat(way.here().get(), "leaf", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        write_all(leaf, "leaf");
    }

    static std::string path(int deep) {
        std::string text;
        for (int i = 0; i < deep; ++i)
            text += "d/";
        return text;
    }

    std::string directory_;
    Fd top_;
    rlimit limit_{};
};

TEST_F(DeepTree, IsWalkedDownAndUp) {
    make(levels);
    TreeWalk walk(top_);
    int down = 0;
    while (const auto name = walk.next()) {
        if (*name == "leaf")
            continue;
        walk.enter(*name);
        ++down;
    }
    int up = 0;
    for (; !walk.at_top(); ++up)
        EXPECT_EQ(walk.leave(), "d");
    EXPECT_EQ(down, levels);
    EXPECT_EQ(up, levels);

    struct stat status {};

    ASSERT_EQ(::fstat(top_.get(), &status), 0);
    EXPECT_EQ(walk.status().st_ino, status.st_ino);
}

TEST_F(DeepTree, IsCopiedMeasuredAndRemoved) {
    make(levels);
    ASSERT_EQ(
        ::linkat(open_in_root(top_, path(levels), O_PATH).get(), "leaf", top_.get(), "twin", 0), 0);
    ensure_directory(directory_ + "/copy");
    const Fd copy = open_directory(directory_ + "/copy");
    copy_tree(top_, copy);
    EXPECT_EQ(read_in_root(copy, path(levels) + "leaf", 10), "leaf");
    EXPECT_EQ(read_in_root(copy, "twin", 10), "leaf");
    EXPECT_EQ(tree_size(copy), tree_size(top_));
    remove_tree(directory_ + "/copy");
    EXPECT_FALSE(exists(directory_ + "/copy"));
}

TEST_F(DeepTree, HasPathsThatNoSystemCallTakes) {
    EXPECT_TRUE(ensure_directory_in_root(top_, path(levels)));
    EXPECT_TRUE(find_in_root(top_, path(levels), O_PATH));
    EXPECT_FALSE(find_in_root(top_, path(levels) + "nothing", O_PATH));
    EXPECT_THROW((void)open_in_root(top_, std::string(10'000, 'd'), O_PATH), Error);
    const Fd last = open_in_root(top_, path(levels), O_PATH | O_DIRECTORY);
    ASSERT_EQ(::symlinkat("/", last.get(), "link"), 0);
    EXPECT_THROW((void)find_in_root(top_, path(levels) + "link/d", O_PATH), Error)
        << "where it leads is not known there";
}

TEST_F(DeepTree, IsNotLeftByTheWayUpWhereItIsMoved) {
    make(100);
    Descent way(top_);
    for (int i = 0; i < 100; ++i)
        way.enter("d");
    const Fd middle = open_in_root(top_, path(20), O_PATH);
    ASSERT_EQ(::renameat(middle.get(), "d", AT_FDCWD, (directory_ + "/moved").c_str()), 0);
    EXPECT_THROW(
        {
            while (!way.at_top())
                way.leave();
        },
        Error);
}

}  // namespace
}  // namespace stack::sys
