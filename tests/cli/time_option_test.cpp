// Times as people give them, to compare with those of logs and events.

#include "cli/log_reader.h"

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

TEST(TimeOption, IsAPrefixOfTheTimesThatItComparesWith) {
    const std::string early = "2026-01-02T03:04:05.000000001Z";
    for (const auto* text : {"2026-01-02T03:04:05Z",
                             "2026-01-02T03:04:05",
                             "2026-01-02T05:04:05+02:00",
                             "2026-01-01T22:34:05-04:30",
                             "1767323045",
                             "2026-01-02"})
        EXPECT_LT(parse_time(text).value(), early) << text;
    EXPECT_EQ(parse_time("2026-01-02T05:04:05.25+02:00"), "2026-01-02T03:04:05.25");
    EXPECT_GT(parse_time("2026-01-02T03:04:06Z").value(), early);
}

TEST(TimeOption, IsRefusedWhereItIsNone) {
    for (const auto* text : {"yesterday", "", "03:04"})
        EXPECT_EQ(parse_time(text), std::nullopt) << text;
}

}  // namespace
}  // namespace stack::cli
