// Processes as ps(1) shows them.

#include "cli/process_list.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

using Row = std::vector<std::string>;

class ProcessList : public testing::Test {
  protected:
    void SetUp() override {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
    }

    /// Of process 42, child of 7, begun 100 seconds after the machine.
    static std::string stat(const std::string& name, const std::string& terminal) {
        return "42 (" + name + ") S 7 42 42 " + terminal +
               " 42 4194560 1 0 0 0 1500 500 0 0 20 0 1 0 10000 4096 1 18446744073709551615\n";
    }

    // 1970-02-01 12:00:00, 200 seconds after the machine began
    MachineTime time_{31 * 86400 + 43200, 200};
};

TEST_F(ProcessList, ARowIsWhatPsHas) {
    const auto row =
        process_row({stat("a ) (b", "34817"), std::string("sleep\0001000\0", 11)}, "root", time_);
    ASSERT_TRUE(row);
    EXPECT_EQ(*row, (Row{"root", "42", "7", "20", "11:58", "pts/1", "00:00:20", "sleep 1000"}));
}

TEST_F(ProcessList, OneWithoutWordsHasItsName) {
    const auto row = process_row({stat("kthread", "0"), ""}, "1000", time_);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->at(5), "?");
    EXPECT_EQ(row->at(7), "[kthread]");
}

TEST_F(ProcessList, OneOfAnotherDayIsToldByItsDate) {
    EXPECT_EQ(process_row({stat("a", "0"), ""}, "root", {31 * 86400 + 60, 200})->at(4), "Jan31");
    EXPECT_EQ(process_row({stat("a", "0"), ""}, "root", {60, 200})->at(4), "1969");
}

TEST_F(ProcessList, OneThatHasEndedIsNone) {
    EXPECT_FALSE(process_row({"", ""}, "root", time_));
    EXPECT_FALSE(process_row({"42 (a) S 7", ""}, "root", time_));
}

TEST_F(ProcessList, AUserIsNamedWhereAnybodyKnows) {
    const std::string passwd = "root:x:0:0::/root:/bin/sh\nbroken\nweb:x:33:33::/:/bin/sh\n";
    EXPECT_EQ(user_name(passwd, 33), "web");
    EXPECT_EQ(user_name(passwd, 34), "34");
    EXPECT_EQ(user_name("", 0), "0");
}

}  // namespace
}  // namespace stack::cli
