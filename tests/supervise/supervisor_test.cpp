// The loop, over a world in memory and a clock that is the test's.

#include "tests/supervise/household.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Request of(const std::string& verb, Strings services = {}) {
    Request request;
    request.verb = verb;
    request.services = std::move(services);
    return request;
}

TEST(Supervisor, StartsAgainWhatEnds) {
    Household house;
    house.add("web");
    ASSERT_EQ(house.up(), 0);
    house.engine.crash("shop-web-1", 1);
    house.pass(milliseconds(99));
    EXPECT_EQ(house.state("shop-web-1"), "exited");
    house.pass(milliseconds(1));
    EXPECT_EQ(house.state("shop-web-1"), "running");
    EXPECT_EQ(house.find("shop-web-1")->restarts, 1);
}

TEST(Supervisor, LeavesAloneWhatAPersonStopped) {
    Household house;
    house.add("web");
    ASSERT_EQ(house.up(), 0);
    ASSERT_EQ(house.ask(of("stop")), 0);
    house.pass(hours(1));
    EXPECT_EQ(house.state("shop-web-1"), "exited");
}

TEST(Supervisor, KeepsTheBackOffOverItsDeath) {
    Household house;
    house.add("web");
    ASSERT_EQ(house.up(), 0);
    for (int i = 0; i < 5; ++i) {
        house.engine.crash("shop-web-1", 1);
        house.pass(milliseconds(100 << i));
        ASSERT_EQ(house.state("shop-web-1"), "running") << i;
    }
    house.engine.crash("shop-web-1", 1);
    house.settle();
    house.replace_supervisor();
    house.pass(milliseconds(3199));
    EXPECT_EQ(house.state("shop-web-1"), "exited");
    house.pass(milliseconds(1));
    EXPECT_EQ(house.state("shop-web-1"), "running");
}

TEST(Supervisor, BringsBackWhatSomebodyTookAway) {
    Household house;
    house.add("web").scale = 2;
    ASSERT_EQ(house.up(), 0);
    const std::string before = house.find("shop-web-2")->id;
    std::erase_if(house.engine.world().containers,
                  [](const auto& one) { return one.name == "shop-web-2"; });
    house.pass(seconds(10));
    EXPECT_EQ(house.state("shop-web-2"), "running");
    EXPECT_NE(house.find("shop-web-2")->id, before);
    EXPECT_EQ(house.engine.calls("create"), 4) << "a network, two containers, and one again";
}

TEST(Supervisor, StartsWhatItBringsBackHoweverOftenThatFails) {
    Household house;
    house.add("web");
    ASSERT_EQ(house.up(), 0);
    house.engine.world().containers.clear();
    for (int i = 0; i < 3; ++i)
        house.engine.fail_next("start", "no space left on device");
    house.pass(seconds(10));
    EXPECT_EQ(house.state("shop-web-1"), "created");
    house.pass(seconds(60));
    EXPECT_EQ(house.state("shop-web-1"), "running");
    EXPECT_EQ(house.engine.calls("create"), 3) << "a network, a container, and that again";
}

TEST(Supervisor, BringsBackWhatSomebodyTookAwayBeforeACommandForOthers) {
    for (const auto* verb : {"stop", "restart", "rm", "down"}) {
        Household house;
        house.add("web");
        house.add("job");
        ASSERT_EQ(house.up(), 0);
        std::erase_if(house.engine.world().containers,
                      [](const auto& one) { return one.name == "shop-web-1"; });
        Request request = of(verb, {"job"});
        request.down.services = request.services;
        ASSERT_EQ(house.ask(request), 0) << verb;
        house.pass(seconds(10));
        EXPECT_EQ(house.state("shop-web-1"), "running") << verb;
    }
}

TEST(Supervisor, BringsBackAlsoWhatVanishedWithIt) {
    Household house;
    house.add("web");
    ASSERT_EQ(house.up(), 0);
    house.engine.world().containers.clear();
    house.replace_supervisor();
    EXPECT_EQ(house.state("shop-web-1"), "running");
}

TEST(Supervisor, DoesNotBringBackWhatAPersonRemoved) {
    Household house;
    house.add("web");
    house.add("db");
    ASSERT_EQ(house.up(), 0);
    Request remove = of("rm", {"web"});
    remove.stop = true;
    ASSERT_EQ(house.ask(remove), 0);
    ASSERT_EQ(house.ask(of("stop", {"db"})), 0);
    house.engine.world().containers.clear();
    house.replace_supervisor();
    house.pass(hours(1));
    EXPECT_EQ(house.state("shop-web-1"), "absent");
    EXPECT_EQ(house.state("shop-db-1"), "absent");
}

TEST(Supervisor, DoesNotBringBackWhatHasNoPolicyToComeBack) {
    Household house;
    house.add("job").restart.condition = RestartCondition::no;
    house.add("web");
    ASSERT_EQ(house.up(), 0);
    std::erase_if(house.engine.world().containers,
                  [](const auto& one) { return one.service == "job"; });
    house.pass(hours(1));
    EXPECT_EQ(house.state("shop-job-1"), "absent");
}

TEST(Supervisor, TriesToBringBackAtItsLeisure) {
    Household house;
    house.add("web");
    ASSERT_EQ(house.up(), 0);
    house.engine.world().containers.clear();
    const int before = house.engine.calls("create");
    for (int i = 0; i < 1000; ++i)
        house.engine.fail_next("create", "no space left on device");
    house.pass(seconds(60));
    EXPECT_LE(house.engine.calls("create") - before, 7);
    EXPECT_GE(house.engine.calls("create") - before, 5);
}

TEST(Supervisor, PullsWithTheEnvironmentOfWhoeverAsks) {
    Household house;
    house.add("web");
    Request request;
    request.verb = "up";
    request.stack = house.stack;
    for (const auto* home : {"/home/one", "/home/two"}) {
        request.environment = {{"HOME", home}};
        ASSERT_EQ(house.ask(request), 0);
        EXPECT_EQ(house.engine.environment(), request.environment);
    }
    ASSERT_EQ(house.down(), 0);
    EXPECT_TRUE(house.engine.environment().empty());
}

TEST(Supervisor, UsesANewerImageInTheSameUp) {
    Household house;
    house.add("web");
    house.add("db").image = "other";
    house.engine.world().images.push_back({.reference = "other", .id = "sha256:other"});
    ASSERT_EQ(house.up(), 0);
    const std::string web = house.find("shop-web-1")->id;
    ASSERT_EQ(house.up({.services = {"web"}, .pull = "always"}), 0);
    EXPECT_NE(house.find("shop-web-1")->id, web);
    EXPECT_NE(house.find("shop-web-1")->image_id, "sha256:old");
    const int creations = house.engine.calls("create");
    ASSERT_EQ(house.up({.services = {"web"}, .pull = "always"}), 0);
    EXPECT_EQ(house.engine.calls("create"), creations) << "it is the newest";
}

TEST(Supervisor, StartsNothingWithAnImageThatIsAboutToBeAnOldOne) {
    Household house;
    house.add("job").restart.condition = RestartCondition::no;
    ASSERT_EQ(house.up(), 0);
    house.engine.crash("shop-job-1", 1);
    house.settle();
    const int starts = house.engine.calls("start");
    ASSERT_EQ(house.up({.pull = "always"}), 0);
    EXPECT_EQ(house.engine.calls("start"), starts + 1) << "with the newer image only";
}

TEST(Supervisor, RecreatesOnlyOnceWhereItIsForcedAndPulls) {
    Household house;
    house.add("web");
    ASSERT_EQ(house.up(), 0);
    const int before = house.engine.calls("create");
    ASSERT_EQ(house.up({.recreate = RecreatePolicy::always, .pull = "always"}), 0);
    EXPECT_LE(house.engine.calls("create") - before, 1);
}

TEST(Supervisor, PullsNotForEverWhatIsForAnotherPlatform) {
    Household house;
    house.add("web").platform = "linux/arm64";
    house.engine.world().images.front().platform = "linux/amd64";
    house.engine.bring_images_for("linux/amd64");
    EXPECT_EQ(house.up(), 0);
    EXPECT_EQ(house.engine.calls("pull"), 2) << "first, and with the rest";
    EXPECT_EQ(house.state("shop-web-1"), "running");
}

TEST(Supervisor, PutsOnRecordHowAHealthCheckWent) {
    Household house;
    house.add("web").healthcheck = Healthcheck{
        .test = {"CMD", "true"}, .interval = seconds(5), .timeout = seconds(3), .retries = 1};
    ASSERT_EQ(house.up(), 0);
    house.engine.answer_probes("shop-web-1", {.exit_code = 2, .output = "no answer"});
    house.pass(seconds(6));
    EXPECT_EQ(house.engine.latest_check().exit_code, 2);
    EXPECT_EQ(house.engine.latest_check().output, "no answer");
    EXPECT_GT(house.engine.latest_check().start, house.find("shop-web-1")->started);
    house.engine.answer_probes("shop-web-1",
                               {.exit_code = 137, .timed_out = true, .output = "so far"});
    house.pass(seconds(6));
    EXPECT_EQ(house.engine.latest_check().exit_code, -1);
    EXPECT_EQ(house.engine.latest_check().output, "Health check exceeded timeout (3s): so far");
}

TEST(Supervisor, RestartsTheUnhealthyWhereAsked) {
    Household house;
    auto& web = house.add("web");
    web.restart.condition = RestartCondition::no;
    web.restart_unhealthy = true;
    web.healthcheck = Healthcheck{.test = {"CMD", "true"}, .interval = seconds(5), .retries = 2};
    ASSERT_EQ(house.up(), 0);
    const Time first = house.find("shop-web-1")->started;
    house.engine.answer_probes("shop-web-1", {.exit_code = 1});
    house.pass(seconds(9));
    EXPECT_EQ(house.find("shop-web-1")->started, first);
    house.pass(seconds(2));
    EXPECT_EQ(house.state("shop-web-1"), "running");
    EXPECT_GT(house.find("shop-web-1")->started, first);
    house.engine.answer_probes("shop-web-1", {});
    const Time second = house.find("shop-web-1")->started;
    house.pass(hours(1));
    EXPECT_EQ(house.find("shop-web-1")->started, second);
    EXPECT_EQ(house.find("shop-web-1")->health, Health::healthy);
}

/// A house whose web is restarted when it is unhealthy, and is so, 6 s after it began.
void add_ailing(Household& house) {
    auto& web = house.add("web");
    web.restart = {.delay = seconds(5)};
    web.restart_unhealthy = true;
    web.healthcheck = Healthcheck{.test = {"CMD", "true"}, .interval = seconds(5), .retries = 1};
    house.engine.answer_probes("shop-web-1", {.exit_code = 1});
}

TEST(Supervisor, LeavesStoppedWhatAPersonStopsDuringOurOwnStop) {
    for (const auto* verb : {"stop", "kill"}) {
        Household house;
        add_ailing(house);
        ASSERT_EQ(house.up(), 0);
        house.engine.hold("stop");
        house.pass(seconds(6));
        house.ask(of(verb));
        house.engine.release("stop");
        house.pass(hours(1));
        EXPECT_EQ(house.state("shop-web-1"), "exited") << verb;
    }
}

TEST(Supervisor, LeavesStoppedWhatAPersonStopsAfterOurOwnStop) {
    Household house;
    add_ailing(house);
    ASSERT_EQ(house.up(), 0);
    house.pass(seconds(6));
    ASSERT_EQ(house.state("shop-web-1"), "exited");
    ASSERT_EQ(house.ask(of("stop", {"web"})), 0);
    house.replace_supervisor();
    house.pass(hours(1));
    EXPECT_EQ(house.state("shop-web-1"), "exited");
}

TEST(Supervisor, RestartsTheUnhealthyWhateverElseAPersonWants) {
    Household house;
    add_ailing(house);
    house.add("db");
    ASSERT_EQ(house.up(), 0);
    house.engine.hold("stop");
    house.pass(seconds(6));
    ASSERT_EQ(house.ask(of("pause", {"db"})), 0);
    house.engine.release("stop");
    house.pass(seconds(1));
    EXPECT_EQ(house.state("shop-web-1"), "exited");
    house.pass(seconds(5));
    EXPECT_EQ(house.state("shop-web-1"), "running");
}

TEST(Supervisor, LeavesTheUnhealthyAloneWhereNotAsked) {
    Household house;
    house.add("web").healthcheck =
        Healthcheck{.test = {"CMD", "true"}, .interval = seconds(5), .retries = 1};
    ASSERT_EQ(house.up(), 0);
    const Time first = house.find("shop-web-1")->started;
    house.engine.answer_probes("shop-web-1", {.exit_code = 1});
    house.pass(hours(1));
    EXPECT_EQ(house.find("shop-web-1")->health, Health::unhealthy);
    EXPECT_EQ(house.find("shop-web-1")->started, first);
}

TEST(Supervisor, RestartsThoseThatFollowWhatWasRestarted) {
    Household house;
    house.add("db");
    house.add("web").depends_on["db"].restart = true;
    house.add("side").depends_on["db"];
    auto& sidecar = house.add("sidecar");
    sidecar.network_mode = "service:db";
    sidecar.networks.clear();
    sidecar.depends_on["db"];
    ASSERT_EQ(house.up(), 0);
    const Time first = house.find("shop-side-1")->started;
    house.engine.crash("shop-db-1", 1);
    house.pass(seconds(1));
    EXPECT_GT(house.find("shop-web-1")->started, first);
    EXPECT_GT(house.find("shop-sidecar-1")->started, first);
    EXPECT_EQ(house.find("shop-side-1")->started, first);
}

TEST(Supervisor, RestartsOfThoseThatFollowOnlyWhatRuns) {
    Household house;
    house.add("db");
    auto& sidecar = house.add("sidecar");
    sidecar.network_mode = "service:db";
    sidecar.networks.clear();
    sidecar.restart = {};
    sidecar.scale = 3;
    ASSERT_EQ(house.up(), 0);
    const Time first = house.find("shop-sidecar-1")->started;
    house.engine.crash("shop-sidecar-2", 1);
    house.find("shop-sidecar-3")->state = ContainerState::paused;
    house.engine.crash("shop-db-1", 1);
    house.pass(seconds(20));
    EXPECT_GT(house.find("shop-sidecar-1")->started, first);
    EXPECT_EQ(house.state("shop-sidecar-2"), "exited");
    EXPECT_EQ(house.state("shop-sidecar-3"), "paused");
    EXPECT_EQ(house.find("shop-sidecar-3")->started, first);
    house.find("shop-sidecar-3")->state = ContainerState::running;
    house.find("shop-sidecar-3")->lenders = {""};  // that one's namespaces went with its first run
    house.pass(seconds(20));
    EXPECT_GT(house.find("shop-sidecar-3")->started, first) << "what it shares has another owner";
    EXPECT_EQ(house.state("shop-sidecar-2"), "exited");
}

TEST(Supervisor, RestartsThoseThatWhatComesBackHasLeftBehind) {
    Household house;
    house.add("db");
    auto& sidecar = house.add("sidecar");
    sidecar.network_mode = "service:db";
    sidecar.networks.clear();
    house.add("side").depends_on["db"];
    ASSERT_EQ(house.up(), 0);
    const Time first = house.find("shop-side-1")->started;
    house.pass(seconds(1));
    const std::string id = house.find("shop-db-1")->id;
    for (const Action& by_hand : {Action(StopContainer{id, "shop-db-1", {}}),
                                  Action(RemoveContainer{id, "shop-db-1", true})})
        house.engine.perform(
            by_hand, [](const Event&) {}, [](const Outcome&) {});
    house.pass(seconds(20));
    EXPECT_EQ(house.state("shop-db-1"), "running");
    EXPECT_EQ(house.state("shop-sidecar-1"), "running");
    EXPECT_GT(house.find("shop-sidecar-1")->started, first);
    EXPECT_EQ(house.find("shop-side-1")->started, first);
}

TEST(Supervisor, RestartsThoseThatSharedWithTheReplicaThatWentAway) {
    Household house;
    auto& db = house.add("db");
    db.scale = 2;
    db.restart = {};  // nobody brings it back
    auto& sidecar = house.add("sidecar");
    sidecar.network_mode = "service:db";
    sidecar.networks.clear();
    sidecar.depends_on["db"];
    ASSERT_EQ(house.up(), 0);
    const std::string id = house.find("shop-db-1")->id;
    ASSERT_EQ(house.find("shop-sidecar-1")->lenders, Strings{id});
    house.engine.crash("shop-db-1", 1);
    house.pass(seconds(20));
    EXPECT_EQ(house.state("shop-db-1"), "exited");
    EXPECT_EQ(house.state("shop-sidecar-1"), "running");
    EXPECT_EQ(house.find("shop-sidecar-1")->lenders, Strings{house.find("shop-db-2")->id});
}

TEST(Supervisor, IsOverWhenDownIsAnswered) {
    Household house;
    house.add("web");
    ASSERT_EQ(house.up(), 0);
    EXPECT_FALSE(house.is_over());
    ASSERT_EQ(house.down(), 0);
    EXPECT_TRUE(house.is_over());
}

TEST(Supervisor, KeepsWhatItWasToldWhereAnEditedFileGoesDown) {
    Household house;
    house.add("web");
    house.add("old");
    ASSERT_EQ(house.up(), 0);
    house.stack.services.erase("old");
    ASSERT_EQ(house.down(), 0);
    EXPECT_EQ(house.state("shop-web-1"), "absent");
    EXPECT_EQ(house.state("shop-old-1"), "running");
    house.engine.crash("shop-old-1", 1);
    house.pass(seconds(1));
    EXPECT_EQ(house.state("shop-old-1"), "running") << "it has its policy still";
}

/// Containers that end after different times with different policies, for a day: none is started
/// more often than its back-off allows, none is forgotten, and nothing is remembered of what is
/// gone.
TEST(Supervisor, LastsADayOfFlappingContainers) {
    Household house;

    struct Flapping {
        std::string name;
        Duration lives;
    };

    const std::vector<Flapping> all{{"quick", milliseconds(10)},
                                    {"second", seconds(1)},
                                    {"steady", seconds(11)},
                                    {"hourly", hours(1)}};
    for (const auto& one : all)
        house.add(one.name);
    house.add("limited").restart = {RestartCondition::on_failure, 5};
    ASSERT_EQ(house.up(), 0);
    const Time end = house.clock.now() + hours(24);
    while (house.clock.now() < end) {
        Time next = end;
        for (const auto& one : all) {
            const auto& container = *house.find("shop-" + one.name + "-1");
            const Time dies =
                container.started + std::chrono::duration_cast<Time::duration>(one.lives);
            if (container.state == ContainerState::running && dies <= house.clock.now())
                house.engine.crash(container.name, 1);
            else if (container.state == ContainerState::running)
                next = std::min(next, dies);
        }
        if (house.state("shop-limited-1") == "running")
            house.engine.crash("shop-limited-1", 1);
        const Duration most = std::min<Duration>(next - house.clock.now(), seconds(1));
        house.pass(std::max<Duration>(most, milliseconds(10)));
    }
    const auto restarts = [&](const std::string& name) {
        return house.find("shop-" + name + "-1")->restarts;
    };
    // A minute between starts, after ten that double; eleven seconds and a first delay; one an
    // hour.
    EXPECT_NEAR(restarts("quick"), 24 * 60 + 9, 20);
    EXPECT_NEAR(restarts("second"), 24 * 3600 / 61 + 9, 20);
    EXPECT_NEAR(restarts("steady"), 24 * 3600 / 11.1, 80);
    EXPECT_NEAR(restarts("hourly"), 23, 1);
    EXPECT_EQ(restarts("limited"), 5);
    EXPECT_EQ(house.state("shop-limited-1"), "exited");
}

TEST(Supervisor, AsksForHealthInTimeWhateverTheClockOnTheWallSays) {
    for (const int step : {-1, 1}) {
        Household house;
        house.add("web").healthcheck = Healthcheck{.test = {"CMD", "true"},
                                                   .interval = seconds(1),
                                                   .start_period = seconds(30),
                                                   .start_interval = seconds(1),
                                                   .retries = 1};
        house.engine.answer_probes("shop-web-1", {.exit_code = 1});
        ASSERT_EQ(house.up(), 0);
        house.pass(seconds(3));
        house.clock.step(hours(step));
        const int before = house.engine.calls("probe");
        house.pass(seconds(12));
        EXPECT_GE(house.engine.calls("probe") - before, 11) << step;
        EXPECT_EQ(house.find("shop-web-1")->health, Health::starting) << step;
        house.pass(seconds(17));
        EXPECT_EQ(house.find("shop-web-1")->health, Health::unhealthy) << step;
    }
}

TEST(Supervisor, BringsBackInTimeWhateverTheClockOnTheWallSays) {
    Household house;
    house.add("web").restart.delay = seconds(5);
    ASSERT_EQ(house.up(), 0);
    house.engine.crash("shop-web-1", 1);
    house.settle();
    house.clock.step(-hours(1));
    house.pass(seconds(16));
    EXPECT_EQ(house.state("shop-web-1"), "running");
    house.clock.step(-hours(1));
    house.engine.world().containers.clear();
    house.pass(seconds(10));
    EXPECT_EQ(house.state("shop-web-1"), "running");
}

TEST(Supervisor, WaitsNoLongerThanItWasToldWhateverTheClockOnTheWallSays) {
    Household house;
    house.add("db").healthcheck = Healthcheck{.test = {"CMD", "true"}};
    house.engine.hold("probe");
    PlanOptions options;
    options.wait = true;
    options.wait_timeout = seconds(3);
    EXPECT_EQ(house.up(options), -1);
    house.clock.step(-hours(1));
    house.pass(seconds(3));
    EXPECT_EQ(house.events.back().status, EventStatus::error);
}

TEST(Supervisor, WaitsForHealthOrAGoodEnd) {
    Household house;
    house.add("web");
    house.add("job").restart.condition = RestartCondition::no;
    house.add("db").healthcheck = Healthcheck{.test = {"CMD", "true"}};
    house.engine.hold("probe");
    Request request = of("up");
    request.stack = house.stack;
    request.up.wait = true;
    EXPECT_EQ(house.ask(request), -1) << "db is starting";
    house.engine.crash("shop-job-1", 0);
    house.pass(seconds(31));
    house.engine.become("shop-db-1", Health::healthy);
    house.pass(seconds(1));
    EXPECT_EQ(house.events.back().text, "Healthy");
    EXPECT_EQ(house.ask(request), 0) << "nothing is left to wait for";
}

TEST(Supervisor, MakesNothingAnewWhereABuildGivesTheImageThatItHas) {
    Household house;
    auto& app = house.add("app");
    app.image.clear();
    app.build.emplace().context = "https://example.org/app.git";  // nobody knows its sources
    auto& side = house.add("side");
    side.image.clear();
    side.build.emplace().context = "/side";
    house.engine.change_sources("side", "first");
    ASSERT_EQ(house.up(), 0);
    const std::string id = house.find("shop-app-1")->id;
    const int builds = house.engine.calls("build");
    PlanOptions options;
    options.build = true;
    ASSERT_EQ(house.up(options), 0);
    EXPECT_EQ(house.engine.calls("build"), builds + 1) << "the other one is known to be the same";
    EXPECT_EQ(house.find("shop-app-1")->id, id);
    EXPECT_EQ(house.up(), 0);
    EXPECT_EQ(house.engine.calls("build"), builds + 1);
    house.engine.change_sources("side", "second");
    const std::string before = house.find("shop-side-1")->id;
    ASSERT_EQ(house.up(options), 0);
    EXPECT_EQ(house.find("shop-app-1")->id, id);
    EXPECT_NE(house.find("shop-side-1")->id, before);
}

TEST(Supervisor, WaitsNoLongerThanItWasTold) {
    Household house;
    house.add("db").healthcheck = Healthcheck{.test = {"CMD", "true"}};
    house.engine.hold("probe");
    PlanOptions options;
    options.wait = true;
    options.wait_timeout = seconds(3);
    EXPECT_EQ(house.up(options), -1);
    house.pass(milliseconds(2999));
    EXPECT_EQ(house.events.back().text, "Waiting");
    house.pass(milliseconds(1));
    EXPECT_EQ(house.events.back().detail,
              "application not healthy after 3s: container shop-db-1 is still starting");
}

TEST(Supervisor, StartsWithoutADependencyOnlyWhatDoesNotRequireIt) {
    Household house;
    house.add("db").healthcheck = Healthcheck{.test = {"CMD", "true"}, .retries = 1};
    house.add("needs").depends_on["db"].condition = DependencyCondition::healthy;
    house.add("likes").depends_on["db"] = {DependencyCondition::healthy, false, false};
    house.engine.answer_probes("shop-db-1", {.exit_code = 1});
    EXPECT_EQ(house.up(), -1);
    house.pass(seconds(31));
    EXPECT_EQ(house.state("shop-needs-1"), "created");
    EXPECT_EQ(house.state("shop-likes-1"), "running");
    EXPECT_EQ(house.ask(of("ping")), 0) << "the command is over";
}

TEST(Supervisor, GoesOnAlsoWhereWhatItDoesNotRequireCannotStart) {
    Household house;
    house.add("db").healthcheck = Healthcheck{.test = {"CMD", "true"}};
    house.add("likes").depends_on["db"] = {DependencyCondition::healthy, false, false};
    house.engine.fail_next("start", "no space left on device");
    EXPECT_EQ(house.up(), 1);
    EXPECT_EQ(house.state("shop-likes-1"), "running");
}

TEST(Supervisor, DoesNoMoreAtOnceThanItWasTold) {
    Household house;
    for (const auto* name : {"a", "b", "c"})
        house.add(name).networks.clear();
    house.engine.hold("create");
    Request request = of("up");
    request.stack = house.stack;
    request.parallel = 2;
    EXPECT_EQ(house.ask(request), -1);
    EXPECT_EQ(house.engine.calls("create"), 2);
    house.engine.release("create");
    house.settle();
    EXPECT_EQ(house.state("shop-c-1"), "running");
}

TEST(Supervisor, BeginsWhatOthersWaitForHoweverManyWait) {
    constexpr int many = 70;
    Household house;
    for (int i = 0; i < many; ++i)
        house.add("web" + std::to_string(i)).healthcheck = Healthcheck{.test = {"CMD", "true"}};
    house.engine.hold("probe");
    PlanOptions options;
    options.wait = true;
    EXPECT_EQ(house.up(options), -1);
    for (int i = 0; i < many; ++i)
        EXPECT_EQ(house.state("shop-web" + std::to_string(i) + "-1"), "running") << i;
}

TEST(Supervisor, BringsToItsEndWhatItHasTouchedWhereWhoAskedGoes) {
    Household house;
    house.add("a");
    house.add("b").depends_on["a"] = {};
    ASSERT_EQ(house.up(), 0);
    house.engine.hold("stop");
    PlanOptions options;
    options.recreate = RecreatePolicy::always;
    EXPECT_EQ(house.up(options), -1);
    EXPECT_EQ(house.engine.calls("stop"), 1) << "who depends on it first";
    house.leave();
    house.engine.release("stop");
    house.settle();
    EXPECT_EQ(house.state("shop-b-1"), "running");
    EXPECT_EQ(house.state("shop-a-1"), "running");
    EXPECT_EQ(house.engine.calls("stop"), 1);
    EXPECT_EQ(house.engine.calls("create"), 4) << "a network, two containers, and the touched one";
}

TEST(Supervisor, WaitsForNothingThatHasFailed) {
    Household house;
    house.add("job").restart.condition = RestartCondition::no;
    house.engine.hold("start");
    PlanOptions options;
    options.wait = true;
    EXPECT_EQ(house.up(options), -1);
    house.engine.release("start");
    house.engine.run_pending();
    house.engine.crash("shop-job-1", 1);
    house.settle();
    EXPECT_EQ(house.events.back().detail, "container shop-job-1 exited (1)");
}

TEST(Supervisor, WaitsUntilWhatOthersNeedIsCompleted) {
    Household house;
    house.add("job").restart.condition = RestartCondition::no;
    house.add("web").depends_on["job"] = {DependencyCondition::completed_successfully};
    EXPECT_EQ(house.up(), -1) << "it still works";
    EXPECT_EQ(house.find("shop-web-1")->state, ContainerState::created);
    house.engine.crash("shop-job-1", 0);
    house.settle();
    EXPECT_EQ(house.find("shop-web-1")->state, ContainerState::running);
}

TEST(Supervisor, WaitsForOneThatItsPolicyStartsAgain) {
    Household house;
    house.add("job").restart.condition = RestartCondition::on_failure;
    house.add("web").depends_on["job"] = {DependencyCondition::completed_successfully};
    EXPECT_EQ(house.up(), -1);
    house.engine.crash("shop-job-1", 1);
    house.settle();
    EXPECT_EQ(house.find("shop-web-1")->state, ContainerState::created) << "it may yet succeed";
    house.pass(std::chrono::seconds(2));
    EXPECT_EQ(house.state("shop-job-1"), "running");
    house.engine.crash("shop-job-1", 0);
    house.settle();
    EXPECT_EQ(house.state("shop-web-1"), "running");
}

TEST(Supervisor, LetsWhoWaitsGoOnWhereAnotherCommandTakesNothingAway) {
    Household house;
    house.add("job").restart.condition = RestartCondition::no;
    house.add("web").depends_on["job"] = {DependencyCondition::completed_successfully};
    EXPECT_EQ(house.up(), -1);
    EXPECT_EQ(house.ask(of("unpause")), -1) << "it takes its turn";
    house.engine.crash("shop-job-1", 0);
    house.settle();
    EXPECT_EQ(house.state("shop-web-1"), "running");
}

TEST(Supervisor, LeavesTheBackOffOfWhatACommandDoesNotStart) {
    Household house;
    house.add("worker").restart = {.condition = RestartCondition::on_failure, .max_attempts = 1};
    house.add("web");
    EXPECT_EQ(house.up(), 0);
    for (int i = 0; i < 2; ++i) {
        house.engine.crash("shop-worker-1", 1);
        house.pass(std::chrono::seconds(5));
    }
    ASSERT_EQ(house.state("shop-worker-1"), "exited") << "its attempts are used up";
    Request pause = of("pause");
    pause.services = {"web"};
    EXPECT_EQ(house.ask(pause), 0);
    house.pass(std::chrono::minutes(2));
    EXPECT_EQ(house.state("shop-worker-1"), "exited");
}

}  // namespace
}  // namespace stack::test
