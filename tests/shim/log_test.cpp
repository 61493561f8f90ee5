// The log of a container on a disk that is full: /dev/full refuses every write as one does.

#include "shim/log.h"

#include <gtest/gtest.h>

namespace stack::shim {
namespace {

constexpr std::uint64_t large = 1U << 20U;

TEST(FullLog, WaitsAndIsTriedAgain) {
    Log log("/dev/full", large, 2, WhenFull::wait);
    EXPECT_FALSE(log.waits());
    EXPECT_EQ(log.patience_ms(), -1);
    log.append(false, "one\ntwo\n");
    EXPECT_TRUE(log.waits());
    EXPECT_GT(log.patience_ms(), 0);
    log.retry();
    EXPECT_TRUE(log.waits());
}

TEST(FullLog, DropsWhereThatIsAskedForAndStillHasToSaySo) {
    Log log("/dev/full", large, 2, WhenFull::drop);
    log.append(true, "one\n");
    EXPECT_FALSE(log.waits());
    EXPECT_GT(log.patience_ms(), 0);
    log.append(true, "two\n");
    EXPECT_FALSE(log.waits());
}

TEST(FullLog, NeedNotWaitToTheEnd) {
    Log log("/dev/full", large, 2, WhenFull::wait);
    log.append(false, "one");
    log.drop_from_now();
    EXPECT_FALSE(log.waits());
    log.append(false, " more\n");
    EXPECT_FALSE(log.waits());
}

TEST(Log, ThatIsNotKeptTakesEverything) {
    Log log("", large, 2, WhenFull::wait);
    log.append(false, "one\n");
    EXPECT_FALSE(log.waits());
    EXPECT_EQ(log.patience_ms(), -1);
}

}  // namespace
}  // namespace stack::shim
