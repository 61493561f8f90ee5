// What `up` and `create` ask of the planner.

#include "cli/context.h"
#include "cli/options.h"

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

TEST(PlanOptions, APullMayBeABuild) {
    UpOptions asked;
    asked.pull = "build";
    EXPECT_TRUE(plan_options(asked, {}).build);
    EXPECT_EQ(plan_options(asked, {}).pull, "") << "what cannot be built has its own policy";
    asked.no_build = true;
    EXPECT_THROW((void)plan_options(asked, {}), Exit);
}

TEST(PlanOptions, APullHasTheWordsOfAPullPolicy) {
    UpOptions asked;
    asked.pull = "if_not_present";
    EXPECT_EQ(plan_options(asked, {}).pull, "missing");
    asked.pull = "policy";
    EXPECT_EQ(plan_options(asked, {}).pull, "");
}

}  // namespace
}  // namespace stack::cli
