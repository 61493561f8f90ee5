// The log of a container, read while it grows and is rotated.

#include "cli/log_reader.h"

#include "cli/follow.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace stack::cli {
namespace {

class LogFileTest : public testing::Test {
  protected:
    LogFileTest() {
        char name[] = "/tmp/stack-log-test-XXXXXX";
        directory_ = ::mkdtemp(name);
        path_ = directory_ + "/log";
    }

    ~LogFileTest() override { sys::remove_tree(directory_); }

    /// `entry`: "stdout F text" and the like.
    void append(const std::string& entry) const {
        sys::write_all(sys::open_file(path_, O_WRONLY | O_CREAT | O_APPEND, 0600),
                       "2026-01-02T03:04:05.000000000Z " + entry + "\n");
    }

    /// As the shim does, with so many files.
    void rotate(int files) const {
        for (int i = files - 1; i >= 1; --i) {
            const std::string from = i == 1 ? path_ : path_ + "." + std::to_string(i - 1);
            if (sys::exists(from))
                sys::rename(from, path_ + "." + std::to_string(i));
        }
    }

    static std::string texts_of(const std::vector<LogLine>& lines) {
        std::string texts;
        for (const auto& line : lines)
            texts += line.text + (line.partial ? "" : ";");
        return texts;
    }

    /// All that there is now.
    static std::string read(LogFile& file) { return texts_of(read_lines(file, {})); }

    static std::string tail(const std::string& path, std::size_t count) {
        LogFile file(path);
        LogFilter filter;
        filter.tail = count;
        return texts_of(read_lines(file, filter));
    }

    std::string directory_;
    std::string path_;
};

TEST_F(LogFileTest, IsReadFromItsOldestFile) {
    append("stdout F one");
    rotate(3);
    append("stdout F two");
    rotate(3);
    append("stdout F three");
    LogFile file(path_);
    EXPECT_EQ(read(file), "one;two;three;");
    EXPECT_EQ(read(file), "");
}

TEST_F(LogFileTest, IsFollowedOverRotations) {
    append("stdout F one");
    LogFile file(path_);
    EXPECT_EQ(read(file), "one;");
    append("stdout F two");
    rotate(5);
    EXPECT_EQ(read(file), "two;");  // the next file is not there yet
    append("stdout F three");
    rotate(5);
    append("stdout F four");
    rotate(5);
    append("stdout F five");
    EXPECT_EQ(read(file), "three;four;five;");
    append("stdout F six");
    EXPECT_EQ(read(file), "six;");
}

TEST_F(LogFileTest, GoesOnWithTheOldestWhereItsOwnFileIsGone) {
    append("stdout F one");
    LogFile file(path_);
    EXPECT_EQ(read(file), "one;");
    for (const std::string text : {"two", "three", "four"}) {
        rotate(2);
        append("stdout F " + text);
    }
    EXPECT_EQ(read(file), "three;four;");
}

TEST_F(LogFileTest, MissesNothingInTheMiddleOfARotation) {
    append("stdout F one");
    rotate(5);
    append("stdout F two");
    sys::rename(path_ + ".1", path_ + ".2");
    LogFile file(path_);
    EXPECT_EQ(read(file), "one;");
    sys::rename(path_, path_ + ".1");
    append("stdout F three");
    EXPECT_EQ(read(file), "two;three;");
}

TEST_F(LogFileTest, RepeatsNothingWhereSomebodyHasRemovedTheLatestFile) {
    append("stdout F one");
    rotate(5);
    append("stdout F two");
    LogFile file(path_);
    EXPECT_EQ(read(file), "one;two;");
    sys::remove_file(path_);
    EXPECT_EQ(read(file), "");
    append("stdout F three");
    EXPECT_EQ(read(file), "three;");
    rotate(5);
    append("stdout F four");
    EXPECT_EQ(read(file), "four;");
}

TEST_F(LogFileTest, IsReadFromItsBeginningWhereSomebodyHasEmptiedIt) {
    append("stdout F one");
    append("stdout F two");
    LogFile file(path_);
    EXPECT_EQ(read(file), "one;two;");
    ASSERT_EQ(::truncate(path_.c_str(), 0), 0);
    EXPECT_EQ(read(file), "");
    append("stdout F three");
    EXPECT_EQ(read(file), "three;");
}

/// As the shim does where the disk has no room for the whole of it.
TEST_F(LogFileTest, AnEntryThatIsTakenBackIsReadWhenItIsWhole) {
    append("stdout F one");
    const auto whole = sys::file_size(path_);
    sys::write_all(sys::open_file(path_, O_WRONLY | O_APPEND),
                   "2026-01-02T03:04:05.000000000Z stderr F torn");
    LogFile file(path_);
    EXPECT_EQ(read(file), "one;");
    ASSERT_EQ(::truncate(path_.c_str(), whole), 0);
    EXPECT_EQ(read(file), "");
    append("stdout F two");
    EXPECT_EQ(read(file), "two;");
}

TEST_F(LogFileTest, ItsTailIsOfLinesNotOfEntries) {
    append("stdout F one");
    append("stdout P tw");
    append("stderr F loud");
    append("stdout P o");
    append("stdout F !");
    append("stdout P thr");
    append("stdout F ee");
    EXPECT_EQ(tail(path_, 1), "three;");
    EXPECT_EQ(tail(path_, 2), "loud;three;");
    EXPECT_EQ(tail(path_, 3), "twloud;o!;three;");
    EXPECT_EQ(tail(path_, 0), "");
    EXPECT_EQ(tail(path_, 9), "one;twloud;o!;three;");
}

TEST_F(LogFileTest, IsPrintedToItsEndWhereAClockWasSetBack) {
    constexpr int more_than_is_held_at_once = 10'000;
    sys::write_all(sys::open_file(path_, O_WRONLY | O_CREAT, 0600),
                   "2027-01-02T03:04:05.000000000Z stdout F first\n");
    for (int i = 0; i < more_than_is_held_at_once; ++i)
        append("stdout F x");
    append("stdout F last");
    LogPrinter printer(Context(), {.no_prefix = true, .no_colour = true});
    printer.add({.id = "1"}, path_);
    testing::internal::CaptureStdout();
    printer.print_existing();
    const std::string printed = testing::internal::GetCapturedStdout();
    EXPECT_TRUE(printed.starts_with("first\nx\n"));
    EXPECT_TRUE(printed.ends_with("x\nlast\n"));
}

}  // namespace
}  // namespace stack::cli
