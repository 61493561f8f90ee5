// Where what is started at boot, without a HOME, looks for its user's files.

#include "sys/terminal.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

namespace stack::sys {
namespace {

class HomeDirectory : public testing::Test {
  protected:
    ~HomeDirectory() override { ::setenv("HOME", before_.c_str(), 1); }

  private:
    std::string before_ = home_directory();
};

TEST_F(HomeDirectory, IsThatOfTheEnvironmentBeforeThatOfTheMachine) {
    ::setenv("HOME", "/somewhere", 1);
    EXPECT_EQ(home_directory(), "/somewhere");
    const passwd* entry = ::getpwuid(::getuid());
    ASSERT_NE(entry, nullptr);
    const std::string own = entry->pw_dir;
    ::setenv("HOME", "", 1);
    EXPECT_EQ(home_directory(), own);
    ::unsetenv("HOME");
    EXPECT_EQ(home_directory(), own);
}

}  // namespace
}  // namespace stack::sys
