// What is told of containers from two looks at them.

#include "supervise/history.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

using supervise::happenings;
using supervise::seen_in;
using supervise::without_passing;

Time at(int second) {
    return Time(std::chrono::seconds(second));
}

ObservedContainer web() {
    ObservedContainer container;
    container.id = "f00d";
    container.name = "shop-web-1";
    container.service = "web";
    container.image = "busybox";
    container.created = at(1);
    return container;
}

ObservedContainer running() {
    ObservedContainer container = web();
    container.state = ContainerState::running;
    container.started = at(2);
    return container;
}

ObservedContainer ended(int code) {
    ObservedContainer container = running();
    container.state = ContainerState::exited;
    container.exit.code = code;
    container.finished = at(3);
    return container;
}

/// `action@second`, one after another.
std::string story(const std::vector<ObservedContainer>& before,
                  const std::vector<ObservedContainer>& after) {
    Observed earlier;
    Observed later;
    earlier.containers = before;
    later.containers = after;
    std::string text;
    for (const auto& event : happenings(seen_in(earlier), seen_in(later), at(9))) {
        const auto code = event.attributes.find("exitCode");
        text += (text.empty() ? "" : " ") + event.action +
                (code == event.attributes.end() ? "" : "(" + code->second + ")") + "@" +
                std::to_string(
                    std::chrono::duration_cast<std::chrono::seconds>(event.time.time_since_epoch())
                        .count());
        EXPECT_EQ(event.attributes.at("name"), "shop-web-1");
    }
    return text;
}

TEST(History, TellsALifeStepByStep) {
    EXPECT_EQ(story({}, {web()}), "create@1");
    EXPECT_EQ(story({web()}, {running()}), "start@2");
    EXPECT_EQ(story({running()}, {running()}), "");
    EXPECT_EQ(story({running()}, {ended(3)}), "die(3)@3");
    EXPECT_EQ(story({ended(3)}, {}), "destroy@9");
}

TEST(History, TakesAPassingStateForTheOneBefore) {
    ObservedContainer passing = web();
    passing.started = at(1);
    const auto seen = [](const ObservedContainer& container) {
        Observed observed;
        observed.containers = {container};
        return seen_in(observed);
    };
    for (const auto& before : {web(), running(), ended(3)})
        EXPECT_EQ(without_passing(seen(passing), seen(before)), seen(before));
    EXPECT_EQ(without_passing(seen(passing), {}), seen(web()));
    EXPECT_EQ(without_passing(seen(running()), seen(web())), seen(running()));
}

TEST(History, TellsWhatHappenedWhileNobodyLooked) {
    EXPECT_EQ(story({}, {ended(0)}), "create@1 start@2 die(0)@3");
    ObservedContainer again = running();
    again.started = at(4);
    EXPECT_EQ(story({running()}, {again}), "die@4 start@4");
    EXPECT_EQ(story({ended(1)}, {again}), "start@4");
    EXPECT_EQ(story({running()}, {}), "die@9 destroy@9");
}

TEST(History, TellsWhyItEnded) {
    ObservedContainer stopped = ended(143);
    stopped.stopped_by_user = true;
    EXPECT_EQ(story({running()}, {stopped}), "die(143)@3 stop@3");
    ObservedContainer hog = ended(137);
    hog.exit.oom_killed = true;
    EXPECT_EQ(story({running()}, {hog}), "oom@3 die(137)@3");
}

TEST(History, TellsHealthAndRest) {
    ObservedContainer healthy = running();
    healthy.health = Health::healthy;
    EXPECT_EQ(story({running()}, {healthy}), "health_status: healthy@9");
    ObservedContainer paused = running();
    paused.state = ContainerState::paused;
    EXPECT_EQ(story({running()}, {paused}), "pause@9");
    EXPECT_EQ(story({paused}, {running()}), "unpause@9");
}

}  // namespace
}  // namespace stack::test
