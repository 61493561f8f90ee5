// The health machine: Docker's timing and counting, on values.

#include "supervise/health.h"

#include <gtest/gtest.h>

namespace stack::supervise {
namespace {

using std::chrono::seconds;

const Moment start = Moment(std::chrono::hours(1000));
const ProbeResult good{};
const ProbeResult bad{.exit_code = 1};

Duration wait_of(const HealthMachine& machine, Moment now) {
    return machine.next() ? Duration(*machine.next() - now) : Duration(-1);
}

TEST(Health, IsAskedForAfterOneInterval) {
    EXPECT_EQ(wait_of(HealthMachine({.interval = seconds(7)}, start), start), seconds(7));
}

TEST(Health, OfZeroesIsThatOfTheDefaults) {
    HealthMachine machine({.interval = seconds(0),
                           .start_period = seconds(60),
                           .start_interval = seconds(0),
                           .retries = 0},
                          start);
    EXPECT_EQ(wait_of(machine, start), seconds(5));
    machine.on_result(good, start + seconds(5));
    EXPECT_EQ(wait_of(machine, start + seconds(5)), seconds(30));
    machine.on_result(bad, start + seconds(100));
    machine.on_result(bad, start + seconds(130));
    EXPECT_EQ(machine.health(), Health::healthy);
    EXPECT_TRUE(machine.on_result(bad, start + seconds(160)));
    EXPECT_EQ(machine.health(), Health::unhealthy);
}

TEST(Health, FailuresWhileItStartsDoNotCount) {
    HealthMachine machine({.start_period = seconds(60), .retries = 1}, start);
    EXPECT_FALSE(machine.on_result(bad, start + seconds(59)));
    EXPECT_EQ(machine.health(), Health::starting);
    EXPECT_EQ(machine.failing_streak(), 0);
    EXPECT_TRUE(machine.on_result(bad, start + seconds(60)));
    EXPECT_EQ(machine.health(), Health::unhealthy);
}

TEST(Health, AFailureCountsAsOfWhenItWasAskedFor) {
    HealthMachine machine({.start_period = seconds(60), .retries = 1}, start);
    machine.on_probe_started(start + seconds(59));
    EXPECT_FALSE(machine.on_result(bad, start + seconds(80)));
    machine.on_probe_started(start + seconds(110));
    EXPECT_TRUE(machine.on_result(bad, start + seconds(111)));
}

TEST(Health, FailuresAfterASuccessCountAlsoWhileItStarts) {
    HealthMachine machine({.start_period = seconds(60), .retries = 1}, start);
    EXPECT_TRUE(machine.on_result(good, start + seconds(5)));
    EXPECT_TRUE(machine.on_result(bad, start + seconds(10)));
    EXPECT_EQ(machine.health(), Health::unhealthy);
}

TEST(Health, OneSuccessIsEnough) {
    HealthMachine machine({.retries = 1}, start, Health::unhealthy);
    EXPECT_TRUE(machine.on_result(good, start));
    EXPECT_EQ(machine.health(), Health::healthy);
    EXPECT_EQ(machine.failing_streak(), 0);
}

TEST(Health, ATimeoutIsAFailureWhateverTheStatus) {
    HealthMachine machine({.retries = 1}, start);
    EXPECT_TRUE(machine.on_result({.exit_code = 0, .timed_out = true}, start));
    EXPECT_EQ(machine.health(), Health::unhealthy);
}

TEST(Health, IsNotAskedForTwiceAtOnce) {
    HealthMachine machine({}, start);
    machine.on_probe_started(start);
    EXPECT_FALSE(machine.next());
    machine.on_result(good, start + seconds(40));
    EXPECT_EQ(machine.next(), start + seconds(70)) << "one interval from the end of the last";
}

}  // namespace
}  // namespace stack::supervise
