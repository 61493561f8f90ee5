// Containers as lists show them.

#include "cli/describe.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using namespace std::chrono_literals;

constexpr Time moment{std::chrono::seconds(1795824739)};

TEST(Describe, TimesHaveTheFractionThatIsKnown) {
    EXPECT_EQ(time_text(moment), "2026-11-28T00:12:19Z");
    EXPECT_EQ(time_text(moment + 250ms), "2026-11-28T00:12:19.25Z");
    EXPECT_EQ(time_text(moment + 7ns), "2026-11-28T00:12:19.000000007Z");
}

TEST(Describe, ListsHaveTimesAsDockerDoes) {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
    EXPECT_EQ(date_text(moment + 250ms), "2026-11-28 00:12:19 +0000 UTC");
    ObservedContainer container;
    container.created = moment;
    EXPECT_EQ(ps_json(container, moment)["CreatedAt"], "2026-11-28 00:12:19 +0000 UTC");
    ::setenv("TZ", "CET-1", 1);
    ::tzset();
    EXPECT_EQ(date_text(moment), "2026-11-28 01:12:19 +0100 CET");
    ::unsetenv("TZ");
    ::tzset();
}

}  // namespace
}  // namespace stack::cli
