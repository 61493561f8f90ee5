#include "cli/boot_unit.h"

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

TEST(BootUnit, RunsResumeOnceAndEndsNothing) {
    const std::string text = boot_unit_text({}, "/usr/bin/stack");
    EXPECT_NE(text.find("\nExecStart=\"/usr/bin/stack\" resume\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\nType=oneshot\n"), std::string::npos);
    EXPECT_NE(text.find("\nKillMode=process\n"), std::string::npos);
    EXPECT_EQ(boot_unit_name({}), "stack.service");
}

TEST(BootUnit, OfAnotherRootSaysSo) {
    const Paths paths = paths_for("/srv/100% mine");
    const std::string text = boot_unit_text(paths, "/usr/bin/stack");
    EXPECT_NE(text.find(" --root \"/srv/100%% mine\" resume\n"), std::string::npos) << text;
    EXPECT_EQ(boot_unit_name(paths), "stack-" + paths.instance + ".service");
}

}  // namespace
}  // namespace stack::cli
