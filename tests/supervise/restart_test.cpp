// The restart machine: Docker's rules, on values.

#include "supervise/restart.h"

#include <gtest/gtest.h>

namespace stack::supervise {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Time at(Duration since_the_start) {
    return Time(std::chrono::hours(1000)) +
           std::chrono::duration_cast<Time::duration>(since_the_start);
}

Ending ended(int code, Duration started, Duration finished, bool by_user = false) {
    return {{code, 0, false}, at(started), at(finished), by_user};
}

/// What the machine waits before each of `count` restarts of a container that ends at once.
std::vector<Duration> delays(const RestartPolicy& policy, int count) {
    std::vector<Duration> list;
    RestartState state;
    Duration now = seconds(1);
    for (int i = 0; i < count; ++i) {
        const auto step = on_ended(policy, ended(1, now, now), state, at(now));
        if (!step.state.next)
            break;
        list.push_back(*step.state.next - at(now));
        now = *step.state.next - at({});
        state = on_running(step.state);
    }
    return list;
}

TEST(Restart, RestsWhereThePolicySaysSo) {
    EXPECT_EQ(on_ended({RestartCondition::no}, ended(1, {}, {}), {}, at({})).action,
              RestartAction::rest);
    EXPECT_EQ(on_ended({RestartCondition::on_failure}, ended(0, {}, {}), {}, at({})).action,
              RestartAction::rest);
    for (const auto condition : {RestartCondition::always, RestartCondition::unless_stopped})
        EXPECT_EQ(on_ended({condition}, ended(0, {}, seconds(1), true), {}, at({})).action,
                  RestartAction::rest);
}

TEST(Restart, OfAnEndThatNobodySawIsThatOfAFailure) {
    Ending unknown = ended(0, {}, seconds(1));
    unknown.status.code.reset();
    EXPECT_EQ(on_ended({RestartCondition::on_failure}, unknown, {}, at(seconds(1))).action,
              RestartAction::wait);
}

TEST(Restart, BacksOffByDoublingUpToAMinute) {
    const auto waits = delays({RestartCondition::always}, 12);
    ASSERT_EQ(waits.size(), 12U);
    EXPECT_EQ(waits[0], milliseconds(100));
    EXPECT_EQ(waits[1], milliseconds(200));
    EXPECT_EQ(waits[9], milliseconds(51'200));
    EXPECT_EQ(waits[10], seconds(60));
    EXPECT_EQ(waits[11], seconds(60));
}

TEST(Restart, WaitsFromTheEndNotFromWhenItWasHeardOf) {
    const RestartPolicy policy{RestartCondition::always};
    const Ending end = ended(1, {}, seconds(1));
    const auto soon = on_ended(policy, end, {}, at(seconds(1) + milliseconds(30)));
    EXPECT_EQ(soon.action, RestartAction::wait);
    EXPECT_EQ(*soon.state.next, at(seconds(1) + first_delay));
    EXPECT_EQ(on_ended(policy, end, {}, at(seconds(9))).action, RestartAction::start);
    Ending unknown = end;
    unknown.finished = {};
    EXPECT_EQ(*on_ended(policy, unknown, {}, at(seconds(9))).state.next,
              at(seconds(9) + first_delay));
}

TEST(Restart, BeginsAnewAfterARunThatLasted) {
    RestartState state;
    state.delay = seconds(60);
    state.attempts = 7;
    const auto step =
        on_ended({RestartCondition::always}, ended(1, {}, seconds(10)), state, at(seconds(10)));
    EXPECT_EQ(step.state.delay, first_delay);
}

TEST(Restart, EndsWithTheLastAttempt) {
    EXPECT_EQ(delays({RestartCondition::on_failure, 3}, 10).size(), 3U);
    EXPECT_EQ(delays({RestartCondition::on_failure, 0}, 10).size(), 10U) << "0 is no limit";
}

TEST(Restart, KeepsToADelayOfItsOwn) {
    const auto waits = delays({RestartCondition::always, {}, seconds(5)}, 4);
    EXPECT_EQ(waits, std::vector<Duration>(4, seconds(5)));
    EXPECT_EQ(on_ended({RestartCondition::always, {}, seconds(0)},
                       ended(1, {}, seconds(1)),
                       {},
                       at(seconds(1)))
                  .action,
              RestartAction::start);
}

TEST(Restart, CountsAttemptsWithinAWindow) {
    const RestartPolicy policy{RestartCondition::always, 2, seconds(0), seconds(30)};
    RestartState state;
    state.attempts = 2;
    EXPECT_EQ(on_ended(policy, ended(1, {}, seconds(29)), state, at(seconds(29))).action,
              RestartAction::rest);
    EXPECT_EQ(on_ended(policy, ended(1, {}, seconds(30)), state, at(seconds(30))).action,
              RestartAction::start);
}

TEST(Restart, AskedTwiceSaysTheSame) {
    const RestartPolicy policy{RestartCondition::always};
    const Ending end = ended(1, {}, seconds(1));
    const auto once = on_ended(policy, end, {}, at(seconds(1)));
    EXPECT_EQ(on_ended(policy, end, once.state, at(seconds(1))), once);
    const auto later = on_ended(policy, end, once.state, at(seconds(2)));
    EXPECT_EQ(later.action, RestartAction::start);
    EXPECT_EQ(later.state, once.state);
}

TEST(Restart, DoesNotWaitForAClockThatWasSetBack) {
    const RestartPolicy policy{RestartCondition::always};
    const Ending end = ended(1, {}, seconds(5000));
    const auto before = on_ended(policy, end, {}, at(seconds(5000)));
    const auto after = on_ended(policy, end, before.state, at(seconds(1)));
    EXPECT_LE(*after.state.next - at(seconds(1)), first_delay);
}

TEST(Restart, OfAFailedStartIsAnAttempt) {
    const RestartPolicy policy{RestartCondition::on_failure, 2};
    const auto first = on_start_failed(policy, {}, at({}));
    EXPECT_EQ(first.attempts, 1);
    const auto second = on_start_failed(policy, first, at({}));
    EXPECT_TRUE(second.next);
    EXPECT_FALSE(on_start_failed(policy, second, at({})).next);
}

TEST(Restart, OfAnUnhealthyOneFollowsOurOwnStop) {
    RestartState state;
    state.unhealthy = true;
    const Ending end = ended(143, {}, seconds(1), true);
    EXPECT_NE(on_ended({RestartCondition::no}, end, state, at(seconds(1))).action,
              RestartAction::rest);
    EXPECT_FALSE(on_running(state).unhealthy);
}

}  // namespace
}  // namespace stack::supervise
