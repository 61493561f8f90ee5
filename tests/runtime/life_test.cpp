// A container's life as its user sees it: start, output, end, and nothing left.

#include <stack/error.h>

#include "base/text.h"
#include "engine/runtime/record.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/poll.h"
#include "sys/process.h"
#include "tests/runtime/bed.h"

#include <atomic>
#include <csignal>
#include <functional>
#include <future>
#include <regex>
#include <set>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::runtime {
namespace {

using test::Bed;
using test::script;

std::string refusal(Bed& bed, const Service& service) {
    try {
        bed.start(bed.create(service));
    } catch (const Error& error) {
        return error.what();
    }
    return "it started";
}

TEST(ContainerLife, EndsWithTheStatusOfItsProgram) {
    Bed bed;
    const auto seen = bed.run(script("exit 7"));
    EXPECT_EQ(seen.state, ContainerState::exited);
    EXPECT_EQ(seen.exit, (ExitStatus{7, 0, false}));
    EXPECT_GE(seen.finished, seen.started);
}

TEST(ContainerLife, EndsWithTheSignalThatKilledIt) {
    Bed bed;
    const auto id = bed.create(script("echo up; exec sleep 1000"));
    bed.start(id);
    EXPECT_EQ(bed.runtime.observe(id)->state, ContainerState::running);
    bed.runtime.kill(id);
    EXPECT_EQ(bed.wait(id).exit, (ExitStatus{137, SIGKILL, false}));
}

TEST(ContainerLife, CanBeStartedAgainAndKeepsWhatItWrote) {
    Bed bed;
    const auto id = bed.create(script("cat /srv/count; echo more >>/srv/count"));
    for (int i = 0; i < 3; ++i) {
        bed.start(id);
        bed.wait(id);
    }
    EXPECT_EQ(bed.output(id).find("more\nmore\n") == std::string::npos, false) << bed.output(id);
}

TEST(ContainerLife, KnowsThatItWasKilledForWantOfMemory) {
    Bed bed;
    auto service = script("head -c 200000000 /dev/zero | tail -c 150000000 >/dev/null");
    service.command->back() += "; exit 137";
    service.resources.memory = 24 << 20;
    const auto seen = bed.run(service);
    EXPECT_EQ(seen.exit.code, 137);
    EXPECT_TRUE(seen.exit.oom_killed);
}

TEST(ContainerLife, SurvivesItsShimAndThenEndsWithAnUnknownStatus) {
    Bed bed;
    const auto id = bed.create(script("trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done"));
    bed.start(id);
    bed.await_output(id, "up");
    const auto shim = bed.runtime.watch(id);
    sys::send_signal(*shim, SIGKILL);
    sys::wait_for_end(*shim, std::chrono::seconds(10));
    ASSERT_EQ(bed.runtime.observe(id)->state, ContainerState::running);
    bed.runtime.kill(id);
    const auto seen = bed.wait(id);
    EXPECT_EQ(seen.state, ContainerState::exited);
    EXPECT_EQ(seen.exit.code, std::nullopt);
}

TEST(ContainerLife, EndsWhatItsFirstProcessLeaves) {
    Bed bed;
    const auto id = bed.create(script("sleep 1000 & sleep 1000 & echo left; exit 0"));
    bed.start(id);
    EXPECT_EQ(bed.wait(id).exit.code, 0);
    EXPECT_TRUE(bed.runtime.processes(id).empty());
}

TEST(ContainerLife, EndsUnseenWhereWhoeverStartedItDiedOverThat) {
    Bed bed;
    const auto id = bed.create(script("exit 0"));
    bed.start(id);
    bed.wait(id);
    bed.runtime.settle(id);
    const Places places = places_of(bed.paths, id);
    change_life(places, [](Life& life) { life.ended = false; });
    sys::ensure_directory(places.run);
    {
        const auto starting = sys::Lock::acquire(run_lock(places));
        EXPECT_EQ(bed.runtime.observe(id)->state, ContainerState::created);
    }
    EXPECT_EQ(bed.runtime.observe(id)->state, ContainerState::exited);
    EXPECT_EQ(bed.runtime.observe(id)->exit.code, std::nullopt);
    bed.runtime.settle(id);
    EXPECT_FALSE(sys::exists(places.run));
}

TEST(ContainerLife, HasBegunWhereAPowerCutEmptiedItsRecord) {
    Bed bed;
    const auto id = bed.create(script("exit 0"));
    bed.start(id);
    bed.wait(id);
    bed.runtime.settle(id);
    sys::overwrite(places_of(bed.paths, id).state + "/life.json", "");
    EXPECT_EQ(bed.runtime.observe(id)->state, ContainerState::exited);
}

TEST(ContainerLife, OfOneIsSeenBesideTheDamagedRecordOfAnother) {
    Bed bed;
    const auto whole = bed.create(script("exit 0"));
    const auto damaged = bed.create(script("exit 0"));
    const std::string file = places_of(bed.paths, damaged).state + "/config.json";
    const auto before = sys::read_file(file).value();
    sys::replace_file(file, "");
    const auto project = bed.runtime.observe(whole)->project;
    const auto seen = bed.runtime.observe_project(project);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen.front().id, whole);
    try {
        static_cast<void>(bed.runtime.find(damaged));
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("remove " + places_of(bed.paths, damaged).state),
                  std::string::npos);
    }
    sys::replace_file(file, before);
}

TEST(ContainerRecord, IsForgottenWithItsContainer) {
    Bed bed;
    const auto id = bed.create(script("exit 0"));
    EXPECT_NE(bed.runtime.find(id), nullptr);
    bed.runtime.sweep();  // which moves it
    const std::weak_ptr<const ContainerRecord> record = bed.runtime.find(id);
    bed.runtime.sweep();
    EXPECT_FALSE(record.expired());
    bed.take_away(id);
    bed.runtime.sweep();
    EXPECT_TRUE(record.expired());
}

TEST(ContainerRecord, IsMovedOnceAndIsTheSame) {
    Bed bed;
    const auto id = bed.create(script("exit 0"));
    const auto before = bed.runtime.find(id);
    bed.runtime.sweep();
    const auto after = bed.runtime.find(id);
    EXPECT_NE(before, after);
    EXPECT_EQ(encode(*before), encode(*after));
    bed.runtime.sweep();
    EXPECT_EQ(bed.runtime.find(id), after);
}

TEST(ContainerStart, OfOneThatRunsIsRefused) {
    Bed bed;
    const auto id = bed.create(script("exec sleep 1000"));
    bed.start(id);
    EXPECT_THROW(bed.start(id), Error);
    EXPECT_EQ(bed.runtime.observe(id)->state, ContainerState::running);
}

TEST(ContainerHealth, KeepsTheLastFiveRunsOfItsCheck) {
    Bed bed;
    const auto id = bed.create(script("exec sleep 1000"));
    bed.start(id);
    EXPECT_TRUE(bed.runtime.health(id).log.empty());
    for (int i = 0; i < 7; ++i)
        bed.runtime.set_health(id, Health::unhealthy, i, {Time{}, Time{}, i, "bad \xff"});
    const auto health = bed.runtime.health(id);
    EXPECT_EQ(health.failing_streak, 6);
    ASSERT_EQ(health.log.size(), 5U);
    EXPECT_EQ(health.log.front().exit_code, 2);
    EXPECT_EQ(health.log.back().exit_code, 6);
    EXPECT_TRUE(health.log.back().output.starts_with("bad "));
    bed.runtime.kill(id);
    EXPECT_EQ(bed.wait(id).state, ContainerState::exited);
    bed.runtime.settle(id);
    EXPECT_EQ(bed.runtime.health(id).failing_streak, 6);
    EXPECT_EQ(bed.runtime.health(id).log.size(), 5U);
    bed.start(id);
    EXPECT_TRUE(bed.runtime.health(id).log.empty());
}

TEST(ContainerStop, LetsAProgramThatListensFinish) {
    Bed bed;
    const auto id =
        bed.create(script("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.01; done"));
    bed.start(id);
    bed.await_output(id, "up");
    EXPECT_EQ(bed.runtime.begin_stop(id, std::nullopt, std::nullopt, bed.warnings),
              std::chrono::seconds(10));
    const auto seen = bed.wait(id);
    EXPECT_EQ(seen.exit.code, 5);
    EXPECT_TRUE(seen.stopped_by_user);
    EXPECT_EQ(bed.output(id), "up\nbye\n");
}

TEST(ContainerStop, DoesNotWaitForAFirstProcessThatCannotHear) {
    Bed bed;
    const auto id = bed.create(script("exec sleep 1000"));
    bed.start(id);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (bed.runtime.begin_stop(id, std::nullopt, std::nullopt, bed.warnings) != Duration::zero())
        ASSERT_LT(std::chrono::steady_clock::now(), until);
}

TEST(ContainerStop, ReachesTheProgramBehindAnInit) {
    Bed bed;
    auto service = script("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.01; done");
    service.init = true;
    const auto id = bed.create(service);
    bed.start(id);
    bed.await_output(id, "up");
    EXPECT_EQ(bed.runtime.begin_stop(id, std::nullopt, std::nullopt, bed.warnings),
              std::chrono::seconds(10));
    EXPECT_EQ(bed.wait(id).exit.code, 5);
}

TEST(ContainerLife, WithAnInitHasNoZombiesAndStillItsProgramsStatus) {
    Bed bed;
    auto service = script(
        "i=0; while [ $i -lt 1000 ]; do (true &); i=$((i+1)); done; "
        "while grep -qs '^State:.Z' /proc/[0-9]*/status; do sleep 0.01; done; exit 7");
    service.init = true;
    const auto id = bed.create(service);
    bed.start(id);
    EXPECT_EQ(bed.wait(id).exit.code, 7);
}

TEST(ContainerLife, EndsWithItsOwnStatusHoweverManyEndAtOnce) {
    Bed bed;
    constexpr int containers = 24;
    const std::string word = bed.directory() + "/word";
    sys::ensure_directory(word);
    Strings ids;
    for (int i = 0; i < containers; ++i) {
        auto service =
            script("until [ -e /word/go ]; do sleep 0.01; done; exit " + std::to_string(100 + i));
        service.volumes.push_back({.type = MountType::bind, .source = word, .target = "/word"});
        ids.push_back(bed.create(service));
        bed.start(ids.back());
    }
    sys::replace_file(word + "/go", "");
    for (int i = 0; i < containers; ++i)
        EXPECT_EQ(bed.wait(ids[static_cast<std::size_t>(i)]).exit.code, 100 + i);
}

TEST(ContainerStop, UsesTheSignalOfTheImage) {
    Bed bed;
    bed.image_config.stop_signal = "SIGINT";
    const auto id = bed.create(script("trap 'exit 6' INT; echo up; while :; do sleep 0.01; done"));
    bed.start(id);
    bed.await_output(id, "up");
    bed.runtime.begin_stop(id, std::nullopt, std::nullopt, bed.warnings);
    EXPECT_EQ(bed.wait(id).exit.code, 6);
}

TEST(ContainerStop, UsesTheSignalThatIsAskedForBeforeTheContainersOwn) {
    Bed bed;
    bed.image_config.stop_signal = "SIGINT";
    const auto id = bed.create(
        script("trap 'exit 6' INT; trap 'exit 7' USR1; echo up; while :; do sleep 0.01; done"));
    bed.start(id);
    bed.await_output(id, "up");
    EXPECT_EQ(bed.runtime.begin_stop(id, std::nullopt, SIGUSR1, bed.warnings),
              std::chrono::seconds(10));
    const auto seen = bed.wait(id);
    EXPECT_EQ(seen.exit.code, 7);
    EXPECT_TRUE(seen.stopped_by_user);
}

TEST(ContainerSignals, AreAtTheirDefaults) {
    Bed bed;
    EXPECT_EQ(bed.output_of(script("grep -E 'Sig(Ign|Blk)' /proc/self/status | tr '\\t' ' '")),
              "SigBlk: 0000000000000000\nSigIgn: 0000000000000000\n");
}

TEST(ContainerPause, Freezes) {
    Bed bed;
    const auto id = bed.create(script("echo up; exec sleep 1000"));
    bed.start(id);
    bed.runtime.pause(id, true);
    EXPECT_EQ(bed.runtime.observe(id)->state, ContainerState::paused);
    bed.runtime.kill(id);
    EXPECT_EQ(bed.wait(id).exit.signal, SIGKILL);
}

TEST(ContainerStart, SaysWhatWentWrongAlsoWhereItHasBeenSettled) {
    Bed bed;
    auto service = script("");
    service.command = Strings{"no-such-program"};
    const auto id = bed.create(service);
    const auto starting = bed.runtime.start(id);
    const std::string status = sys::read_all(starting.status);
    sys::wait_for_end(starting.shim.pidfd, std::chrono::seconds(60));
    bed.runtime.settle(id);
    try {
        bed.runtime.finish_start(starting, status);
        ADD_FAILURE() << "it started";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("no-such-program"), std::string::npos)
            << error.what();
    }
    EXPECT_EQ(bed.runtime.observe(id)->exit.code, 127);
    EXPECT_EQ(bed.runtime.start_error(id),
              "executable \"no-such-program\" is not in the container's PATH");
}

TEST(ContainerStart, SaysWhichProgramIsMissing) {
    Bed bed;
    auto service = script("");
    service.command = Strings{"no-such-program"};
    const auto id = bed.create(service);
    EXPECT_THROW(bed.start(id), Error);
    EXPECT_EQ(bed.runtime.observe(id)->exit.code, 127);
    service.container_name = "other";
    EXPECT_EQ(refusal(bed, service),
              "container other cannot be started: executable \"no-such-program\" is not in the "
              "container's PATH");
}

TEST(ContainerStart, SaysWhyAProgramCannotRun) {
    Bed bed;
    sys::replace_file(bed.image() + "/bin/garbage", "\1\2\3\4", 0755);
    sys::replace_file(bed.image() + "/bin/orphan", "#!/bin/nowhere\n", 0755);
    auto service = script("");
    service.command = Strings{"garbage"};
    const auto id = bed.create(service);
    EXPECT_THROW(bed.start(id), Error);
    EXPECT_EQ(bed.runtime.observe(id)->exit.code, 126);
    service.command = Strings{"orphan"};
    EXPECT_NE(refusal(bed, service).find("its interpreter or loader is missing"),
              std::string::npos);
    service.command = Strings{"/etc/passwd"};
    EXPECT_NE(refusal(bed, service).find("Permission denied"), std::string::npos);
}

TEST(ContainerStart, LeavesNothingOfARefusal) {
    Bed bed;
    auto service = script("true");
    service.user = "nobody-here";
    const auto id = bed.create(service);
    EXPECT_THROW(bed.start(id), Error);
    EXPECT_TRUE(bed.cgroups.children("stack-" + bed.paths.instance).empty());
    EXPECT_FALSE(sys::exists(bed.paths.run + "/containers/" + id));
    EXPECT_EQ(bed.runtime.observe(id)->state, ContainerState::exited);
}

TEST(ContainerStart, IsNotDisturbedByOthersWhoSettleWhatHasEnded) {
    Bed bed;
    const auto id = bed.create(script("sleep 1000"));
    std::atomic<bool> done = false;
    std::set<Time> starts;
    auto others = std::async(std::launch::async, [&] {
        cgroup::Cgroups cgroups;
        network::Networks networks(bed.paths);
        Runtime runtime(bed.paths, cgroups, networks);
        while (!done) {
            const auto seen = runtime.observe(id);
            starts.insert(seen->started);
            if (seen->state == ContainerState::exited)
                runtime.settle(id);
        }
    });
    constexpr int times = 20;
    for (int i = 0; i < times; ++i) {
        bed.start(id);
        EXPECT_EQ(bed.runtime.observe(id)->state, ContainerState::running) << i;
        bed.runtime.kill(id);
        const auto ended = bed.wait(id);
        EXPECT_EQ(ended.state, ContainerState::exited) << i;
        EXPECT_EQ(ended.exit.code, 137) << i;
        EXPECT_TRUE(ended.stopped_by_user) << i;
    }
    done = true;
    others.get();
    EXPECT_LE(starts.size(), 1U + times);  // a run begins at one time, and before the first at none
}

TEST(ContainerStart, ByPolicyIsNotOfOneThatAPersonHasStoppedMeanwhile) {
    Bed bed;
    const auto id = bed.create(script("sleep 1000"));
    bed.start(id);
    bed.runtime.kill(id);
    bed.wait(id);
    EXPECT_THROW((void)bed.runtime.start(id, Starter::policy), Error);
    EXPECT_TRUE(bed.runtime.observe(id)->stopped_by_user);
    bed.start(id);
    EXPECT_EQ(bed.runtime.observe(id)->state, ContainerState::running);
}

/// Whether `work` succeeds.
bool succeeds(const std::function<void()>& work) {
    try {
        work();
        return true;
    } catch (const Error&) {
        return false;
    }
}

TEST(ContainerStart, BesideARemovalOneOfThemIsRefusedAndNothingIsLeft) {
    Bed bed;
    constexpr int times = 15;
    for (int i = 0; i < times; ++i) {
        const auto id = bed.create(script("sleep 1000"));
        auto removed = std::async(std::launch::async, [&] {
            cgroup::Cgroups cgroups;
            network::Networks networks(bed.paths);
            Runtime runtime(bed.paths, cgroups, networks);
            return succeeds([&] { static_cast<void>(runtime.remove(id, true)); });
        });
        const bool started = succeeds([&] { bed.start(id); });
        EXPECT_NE(removed.get(), started);
        bed.take_away(id);
        EXPECT_EQ(bed.runtime.observe(id), std::nullopt);
        EXPECT_FALSE(sys::exists(bed.paths.run + "/containers/" + id));
        EXPECT_FALSE(sys::exists(bed.paths.state + "/containers/" + id));
        EXPECT_TRUE(bed.cgroups.children("stack-" + bed.paths.instance).empty());
    }
}

TEST(ContainerRecord, KeepsItsNewNameBesideAnUpdate) {
    Bed bed;
    const auto id = bed.create(script("true"));
    Service changed = bed.runtime.find(id)->spec.service;
    changed.resources.pids = 50;
    auto other = std::async(std::launch::async, [&] {
        cgroup::Cgroups cgroups;
        network::Networks networks(bed.paths);
        Runtime runtime(bed.paths, cgroups, networks);
        for (int i = 0; i < 20; ++i)
            runtime.update(id, changed, "digest");
    });
    for (int i = 0; i < 20; ++i) {
        const std::string name = "name" + std::to_string(i);
        bed.runtime.rename(id, name);
        EXPECT_EQ(bed.runtime.observe(id)->name, name);
    }
    other.get();
    EXPECT_EQ(bed.runtime.observe(id)->name, "name19");
    EXPECT_EQ(bed.runtime.find(id)->spec.service.resources.pids, 50);
}

TEST(ContainerRemove, IsRefusedWhileItRuns) {
    Bed bed;
    const auto id = bed.create(script("sleep 1000"));
    bed.start(id);
    try {
        bed.runtime.remove(id, true);
        FAIL() << "it runs";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(" is running: stop it first"), std::string::npos)
            << error.what();
    }
    EXPECT_EQ(bed.runtime.observe(id)->state, ContainerState::running);
}

TEST(ContainerCreate, ReturnsTheSameForTheSame) {
    Bed bed;
    auto service = script("true");
    service.container_name = "one";
    const auto id = bed.create(service);
    EXPECT_EQ(bed.create(service), id);
    EXPECT_EQ(bed.runtime.find("one")->id, id);
    EXPECT_EQ(bed.runtime.find(id.substr(0, 8))->id, id);
    bed.runtime.remove(id, true);
    EXPECT_EQ(bed.runtime.find("one"), nullptr);
    EXPECT_NE(bed.create(service), id);
}

TEST(ContainerCreate, RefusesANameThatIsNone) {
    Bed bed;
    auto service = script("true");
    for (const auto* name : {"../x", "a/b", ".a", "-a", "a b"}) {
        service.container_name = name;
        EXPECT_THROW(bed.create(service), Error) << name;
    }
}

TEST(ContainerLog, HasTimeStreamAndText) {
    Bed bed;
    const auto id = bed.create(script("echo one; printf 'half' >&2"));
    bed.start(id);
    bed.wait(id);
    const auto log = *sys::read_file(bed.runtime.log_path(id));
    const std::string time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{9}Z ";
    EXPECT_TRUE(std::regex_search(log, std::regex(time + "stdout F one\n"))) << log;
    EXPECT_TRUE(std::regex_search(log, std::regex(time + "stderr P half\n"))) << log;
}

TEST(ContainerLog, HasAllThatWasPrintedBeforeTheEnd) {
    Bed bed;
    const auto id = bed.create(script("seq 1 200000"));
    bed.start(id);
    bed.wait(id);
    const auto lines = split(bed.output(id), '\n');
    ASSERT_EQ(lines.size(), 200001U);
    EXPECT_EQ(lines[199999], "200000");
}

TEST(ContainerLog, IsBounded) {
    Bed bed;
    auto service = script("seq 1 50000");
    service.logging.options = {{"max-size", "200k"}, {"max-file", "3"}};
    const auto id = bed.create(service);
    bed.start(id);
    bed.wait(id);
    const auto path = bed.runtime.log_path(id);
    EXPECT_TRUE(sys::exists(path + ".1"));
    EXPECT_TRUE(sys::exists(path + ".2"));
    EXPECT_FALSE(sys::exists(path + ".3"));
    for (const auto* suffix : {"", ".1", ".2"})
        EXPECT_LE(sys::read_file(path + suffix)->size(), 200U << 10U) << suffix;
    EXPECT_TRUE(bed.output(id).ends_with("50000\n"));
}

TEST(ContainerLog, GoesOnWhereSomebodyTookItsFileAway) {
    Bed bed;
    const auto id = bed.create(script("while :; do echo tick; sleep 0.05; done"));
    bed.start(id);
    bed.await_output(id, "tick");
    const auto path = bed.runtime.log_path(id);
    sys::remove_file(path);
    constexpr int tries = 100;
    for (int i = 0; i < tries && !sys::exists(path); ++i)
        sys::pause(std::chrono::milliseconds(50));
    ASSERT_TRUE(sys::exists(path));
    bed.await_output(id, "tick");
}

TEST(ContainerPorts, AreHeldWhileItRuns) {
    Bed bed;
    Network network;
    network.name = "test";
    static_cast<void>(bed.networks.ensure("", network, "digest"));
    auto service = script("echo up; exec sleep 1000");
    service.network_mode.clear();
    service.networks["test"] = {};
    service.ports.push_back({.host_ip = "127.0.0.1", .published = "18080", .target = 80});
    const auto id = bed.create(service);
    bed.start(id);
    EXPECT_FALSE(network::conflicts({{"127.0.0.1", 18080, 80, Protocol::tcp}}).empty());
    EXPECT_EQ(bed.runtime.observe(id)->addresses.size(), 1U);
    bed.take_away(id);
    EXPECT_TRUE(network::conflicts({{"127.0.0.1", 18080, 80, Protocol::tcp}}).empty());
    bed.networks.remove("test");
}

TEST(ContainerStart, ThatFailsHoldsNoAddress) {
    Bed bed;
    Network network;
    network.name = "test";
    static_cast<void>(bed.networks.ensure("", network, "digest"));
    auto service = script("exec sleep 1000");
    service.network_mode.clear();
    service.networks["test"] = {};
    service.ports.push_back({.host_ip = "127.0.0.1", .published = "18080", .target = 80});
    const auto first = bed.create(service);
    const auto second = bed.create(service);
    bed.start(first);
    EXPECT_THROW(bed.start(second), Error) << "its port is the first one's";
    EXPECT_TRUE(bed.networks.held_addresses(second).empty());
    EXPECT_FALSE(sys::exists(bed.paths.run + "/containers/" + second));
    EXPECT_EQ(bed.cgroups.children("stack-" + bed.paths.instance).size(), 1U);
    const auto end = [&](const std::string& id) {
        bed.runtime.kill(id);
        static_cast<void>(bed.wait(id));
    };
    end(first);
    bed.runtime.remove(first, true);
    bed.start(second);
    const auto held = bed.networks.held_addresses(second);
    end(second);
    const auto third = bed.create(service);
    bed.start(third);
    EXPECT_THROW(bed.start(second), Error);
    EXPECT_EQ(bed.networks.held_addresses(second).at(0).ipv4, held.at(0).ipv4)
        << "which it had before";
    end(third);
    for (const auto& id : {second, third})
        bed.runtime.remove(id, true);
    bed.networks.remove("test");
}

TEST(ContainerNetwork, CarriesTrafficBetweenTwo) {
    Bed bed;
    Network network;
    network.name = "test";
    static_cast<void>(bed.networks.ensure("", network, "digest"));
    auto service = script("echo up; echo hello | nc -l -p 80; exec sleep 1000");
    service.network_mode.clear();
    service.networks["test"] = {};
    const auto server = bed.create(service);
    bed.start(server);
    const auto address = bed.runtime.observe(server)->addresses.at(0).ipv4;
    service.command = Strings{"sh",
                              "-c",
                              "i=0; while [ $i -lt 500 ]; do nc -w 5 " + address +
                                  " 80 </dev/null && exit 0; i=$((i+1)); sleep 0.01; done; exit 1"};
    EXPECT_EQ(bed.output_of(service), "hello\n");
    for (const auto& id : bed.runtime.list())
        bed.take_away(id);
    bed.networks.remove("test");
}

TEST(ContainerNetwork, OfTheHostHasACopyOfTheHostsResolver) {
    Bed bed;
    auto service = script("cat /etc/resolv.conf; stat -c '%d %i' /etc/resolv.conf");
    service.network_mode = "host";

    struct stat host {};

    ASSERT_EQ(::stat("/etc/resolv.conf", &host), 0);
    const std::string text = bed.output_of(service);
    const std::string identity = std::to_string(host.st_dev) + " " + std::to_string(host.st_ino);
    EXPECT_TRUE(text.starts_with(*sys::read_file("/etc/resolv.conf"))) << text;
    EXPECT_EQ(text.find(identity), std::string::npos) << "it could write to the host's";
}

TEST(ContainerNetwork, CanBeAnother) {
    Bed bed;
    auto service = script("echo up; exec sleep 1000");
    service.container_name = "first";
    const auto id = bed.create(service);
    bed.start(id);
    const std::string look =
        "readlink /proc/self/ns/net; stat -c '%n %i' /etc/hosts /etc/resolv.conf";
    service = script(look);
    service.network_mode = "container:first";
    const auto other = bed.output_of(service);
    const auto own = bed.exec(id, {.command = {"sh", "-c", look}});
    EXPECT_EQ(other, own.output);
}

}  // namespace
}  // namespace stack::runtime
