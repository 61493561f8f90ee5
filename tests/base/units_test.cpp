#include "base/units.h"

#include <gtest/gtest.h>

namespace stack {
namespace {

using namespace std::chrono_literals;

TEST(Duration, ReadsWhatComposeFilesHold) {
    EXPECT_EQ(parse_duration("30s").value(), 30s);
    EXPECT_EQ(parse_duration("1h30m").value(), 90min);
    EXPECT_EQ(parse_duration("1.5s").value(), 1500ms);
    EXPECT_EQ(parse_duration("100ms").value(), 100ms);
    EXPECT_EQ(parse_duration("2d").value(), 48h);
    EXPECT_EQ(parse_duration("0").value(), 0s);
}

TEST(Duration, RefusesTheRest) {
    for (const auto* text : {"", "10", "s", "5x", "1h-3m", "99999999999999d", "1..5s"})
        EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Duration, PrintsWhatParsesBack) {
    for (const auto duration : {90s, 1s, 3600s, 86400s})
        EXPECT_EQ(parse_duration(format_duration(duration)).value(), duration);
    EXPECT_EQ(format_duration(90s), "1m30s");
}

TEST(Bytes, AreBinaryMultiples) {
    EXPECT_EQ(parse_bytes("1024").value(), 1024);
    EXPECT_EQ(parse_bytes("1.5g").value(), 1610612736);
    EXPECT_EQ(parse_bytes("64MB").value(), 64 << 20);
    EXPECT_EQ(parse_bytes("2KiB").value(), 2048);
    EXPECT_EQ(parse_bytes("10b").value(), 10);
    for (const auto* text : {"", "m", "1x", "1mm", "-1", "1e3", "99999999t", "1 m m"})
        EXPECT_FALSE(parse_bytes(text)) << text;
}

}  // namespace
}  // namespace stack
