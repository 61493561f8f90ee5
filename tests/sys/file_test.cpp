#include "sys/file.h"

#include <stack/error.h>

#include "sys/tree.h"

#include <chrono>
#include <cstdlib>
#include <future>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::sys {
namespace {

class FileTest : public testing::Test {
  protected:
    FileTest() {
        char name[] = "/tmp/stack-file-test-XXXXXX";
        directory_ = ::mkdtemp(name);
    }

    ~FileTest() override { remove_tree(directory_); }

    std::string directory_;
};

TEST_F(FileTest, ReplacingAFileLeavesOldOrNew) {
    const std::string path = directory_ + "/record";
    replace_file(path, "one");
    replace_file(path, "two");
    EXPECT_EQ(read_file(path), "two");
    EXPECT_EQ(list_directory(directory_), std::vector<std::string>{"record"});
}

TEST_F(FileTest, ManyMayReplaceAFileAtOnce) {
    const std::string path = directory_ + "/record";
    std::vector<std::future<void>> writers;
    for (char letter = 'a'; letter < 'e'; ++letter)
        writers.push_back(std::async(std::launch::async, [&path, letter] {
            for (std::size_t round = 0; round < 200; ++round)
                replace_volatile_file(path, std::string(100, letter));
        }));
    for (auto& writer : writers)
        writer.get();
    const std::string last = read_file(path).value();
    EXPECT_EQ(last, std::string(100, last.front()));
    EXPECT_EQ(list_directory(directory_), std::vector<std::string>{"record"});
}

TEST_F(FileTest, AMissingFileIsAValueAndADirectoryIsAnError) {
    EXPECT_EQ(read_file(directory_ + "/none"), std::nullopt);
    EXPECT_THROW((void)read_file(directory_), Error);
}

TEST_F(FileTest, AFileOfAProcessThatHasGoneIsNotThere) {
    const int child = ::fork();
    if (child == 0)
        ::_exit(0);
    const Fd process = open_directory("/proc/" + std::to_string(child));
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_EQ(read_file("/proc/self/fd/" + std::to_string(process.get()) + "/stat"), std::nullopt);
}

TEST_F(FileTest, LinksAreResolvedInsideTheRoot) {
    ensure_directory(directory_ + "/root/etc");
    replace_file(directory_ + "/secret", "outside");
    replace_file(directory_ + "/root/secret", "inside");
    ASSERT_EQ(::symlink("../../../../secret", (directory_ + "/root/etc/link").c_str()), 0);
    const Fd root = open_directory(directory_ + "/root");
    EXPECT_EQ(read_in_root(root, "/etc/link", 100), "inside");
}

TEST_F(FileTest, WhatALinkLeadsToIsMadeInsideTheRoot) {
    ensure_directory(directory_ + "/root/a");
    const Fd root = open_directory(directory_ + "/root");
    const auto link = [&](const std::string& target, const std::string& name) {
        ASSERT_EQ(::symlink(target.c_str(), (directory_ + "/root/" + name).c_str()), 0);
    };
    link("/run/here", "a/absolute");
    link("../../../up", "a/up");
    link("a/up", "chain");
    link("loop", "loop");
    for (const auto* path : {"a/absolute/x", "chain/y"})
        EXPECT_TRUE(ensure_directory_in_root(root, path)) << path;
    EXPECT_TRUE(is_directory(directory_ + "/root/run/here/x"));
    EXPECT_TRUE(is_directory(directory_ + "/root/up/y"));
    EXPECT_EQ(list_directory(directory_), std::vector<std::string>{"root"});
    EXPECT_THROW((void)ensure_directory_in_root(root, "loop/z"), Error);
}

TEST_F(FileTest, NothingButARegularFileIsRead) {
    ensure_directory(directory_ + "/root");
    const Fd root = open_directory(directory_ + "/root");
    ASSERT_EQ(::mkfifo((directory_ + "/root/pipe").c_str(), 0600), 0);
    ASSERT_EQ(::symlink("pipe", (directory_ + "/root/link").c_str()), 0);
    for (const auto* path : {"pipe", "link", ".", "nothing"})
        EXPECT_EQ(read_in_root(root, path, 100), std::nullopt) << path;
}

TEST_F(FileTest, AFifoIsReadToTheEndHoweverSlowlyItIsWritten) {
    const std::string path = directory_ + "/pipe";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    auto reader = std::async(std::launch::async, [&] { return read_file(path); });
    Fd writer = open_file(path, O_WRONLY);  // it waits for the reader
    EXPECT_EQ(reader.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
    write_all(writer, "one ");
    EXPECT_EQ(reader.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
    write_all(writer, "two");
    writer.reset();
    EXPECT_EQ(reader.get(), "one two");
}

TEST_F(FileTest, AFifoThatNobodyWritesIntoIsAnError) {
    const std::string path = directory_ + "/pipe";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    try {
        static_cast<void>(read_file(path));
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.what(), "read " + path + ": it is a FIFO that nobody writes into");
    }
}

TEST_F(FileTest, AnEmptyPipeIsAnEmptyFile) {
    Pipe pipe = make_pipe();
    pipe.write.reset();
    EXPECT_EQ(read_file("/proc/self/fd/" + std::to_string(pipe.read.get())), "");
}

TEST_F(FileTest, RemovingATreeDoesNotFollowLinks) {
    ensure_directory(directory_ + "/keep");
    replace_file(directory_ + "/keep/file", "x");
    ensure_directory(directory_ + "/tree/a/b");
    ASSERT_EQ(::symlink((directory_ + "/keep").c_str(), (directory_ + "/tree/a/link").c_str()), 0);
    remove_tree(directory_ + "/tree");
    EXPECT_FALSE(exists(directory_ + "/tree"));
    EXPECT_TRUE(exists(directory_ + "/keep/file"));
}

TEST_F(FileTest, ACopiedTreeKeepsModesAndHardLinks) {
    ensure_directory(directory_ + "/from/d");
    replace_file(directory_ + "/from/d/file", "x", 0640);
    ASSERT_EQ(::link((directory_ + "/from/d/file").c_str(), (directory_ + "/from/twin").c_str()),
              0);
    ASSERT_EQ(::symlink("d/file", (directory_ + "/from/link").c_str()), 0);
    ensure_directory(directory_ + "/to");
    copy_tree(open_directory(directory_ + "/from"), open_directory(directory_ + "/to"));

    struct stat file {};

    struct stat twin {};

    ASSERT_EQ(::stat((directory_ + "/to/d/file").c_str(), &file), 0);
    ASSERT_EQ(::stat((directory_ + "/to/twin").c_str(), &twin), 0);
    EXPECT_EQ(file.st_mode & 07777U, 0640U);
    EXPECT_EQ(file.st_ino, twin.st_ino);
    EXPECT_EQ(read_file(directory_ + "/to/link"), "x");
}

TEST(AbsolutePath, IsCleanedByTextAlone) {
    EXPECT_EQ(absolute_path("../x/./y//z", "/a/b"), "/a/x/y/z");
    EXPECT_EQ(absolute_path("/../..", "/a"), "/");
}

}  // namespace
}  // namespace stack::sys
