// What include/stack/engine.h promises, asked of every engine there is: what is tested against the
// fake one holds for the real one because both pass here.

#include "tests/contract/subject.h"

#include <csignal>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

using MakeSubject = std::unique_ptr<Subject> (*)();

class EngineContract : public testing::TestWithParam<MakeSubject> {
  protected:
    void SetUp() override {
        subject_ = GetParam()();
        stack_.name = "shop";
        network_.key = "default";
        network_.name = "shop_default";
        volume_.key = "data";
        volume_.name = "shop_data";
    }

    Engine& engine() { return subject_->engine(); }

    /// The outcome of an action. That it does not come from inside the call is part of the
    /// contract.
    Outcome perform(const Action& action) {
        bool over = false;
        Outcome outcome;
        engine().perform(
            action,
            [](const Event&) {},
            [&](Outcome result) {
                EXPECT_FALSE(over) << "completed twice";
                over = true;
                outcome = std::move(result);
            });
        EXPECT_FALSE(over) << verb(action) << " was completed from inside the call";
        EXPECT_TRUE(subject_->turn_until([&] { return over; })) << verb(action);
        return outcome;
    }

    void must(const Action& action) {
        const Outcome outcome = perform(action);
        EXPECT_FALSE(outcome) << verb(action) << ": " << outcome->what();
    }

    void must_not(const Action& action) {
        EXPECT_TRUE(perform(action)) << verb(action) << " succeeded";
    }

    Observed look() { return engine().observe(stack_, {}); }

    ObservedContainer only_container() {
        const Observed observed = look();
        EXPECT_EQ(observed.containers.size(), 1U);
        return observed.containers.empty() ? ObservedContainer{} : observed.containers.front();
    }

    /// Not the engine's business how: a program that ends when it is told to.
    static CreateContainer web() {
        CreateContainer create;
        create.spec->name = "shop-web-1";
        create.spec->project = "shop";
        create.spec->image = "busybox";
        create.spec->config_digest = "first";
        create.spec->service.name = "web";
        create.spec->service.image = "busybox";
        create.spec->service.network_mode = "none";
        create.spec->service.init = true;
        create.spec->service.command = Strings{"sleep", "1000"};
        return create;
    }

    ObservedContainer run(const CreateContainer& create) {
        must(create);
        must(StartContainer{create.spec->name});
        return only_container();
    }

    std::unique_ptr<Subject> subject_;
    Stack stack_;
    Network network_;
    Volume volume_;
};

TEST_P(EngineContract, SeesNothingWhereNothingIs) {
    EXPECT_EQ(look(), Observed{});
}

TEST_P(EngineContract, MakesANetworkOnceAndRemovesItOnce) {
    for (int i = 0; i < 2; ++i)
        must(CreateNetwork{"shop", network_, "digest"});
    const Observed observed = look();
    ASSERT_EQ(observed.networks.size(), 1U);
    EXPECT_EQ(observed.networks.front().name, "shop_default");
    EXPECT_EQ(observed.networks.front().project, "shop");
    EXPECT_EQ(observed.networks.front().key, "default");
    EXPECT_EQ(observed.networks.front().config_digest, "digest");
    for (int i = 0; i < 2; ++i)
        must(RemoveNetwork{"shop_default"});
    EXPECT_EQ(look(), Observed{});
}

TEST_P(EngineContract, MakesAVolumeOnceAndRemovesItOnce) {
    for (int i = 0; i < 2; ++i)
        must(CreateVolume{"shop", volume_, "digest"});
    const Observed observed = look();
    ASSERT_EQ(observed.volumes.size(), 1U);
    EXPECT_EQ(observed.volumes.front(),
              (ObservedVolume{"shop_data", "shop", "data", "digest", false}));
    for (int i = 0; i < 2; ++i)
        must(RemoveVolume{"shop_data"});
    EXPECT_EQ(look(), Observed{});
}

TEST_P(EngineContract, SeesTheImagesThatServicesName) {
    auto& service = stack_.services["web"];
    service.name = "web";
    service.image = "busybox";
    stack_.services["api"] = service;
    stack_.services["none"] = {.name = "none", .image = "not-there"};
    const Observed observed = look();
    ASSERT_EQ(observed.images.size(), 1U);
    EXPECT_EQ(observed.images.front().reference, "busybox");
    EXPECT_FALSE(observed.images.front().id.empty());
}

TEST_P(EngineContract, ACreatedContainerCarriesItsIdentity) {
    CreateContainer create = web();
    create.spec->number = 3;
    create.spec->service.restart.condition = RestartCondition::always;
    must(create);
    const ObservedContainer made = only_container();
    constexpr std::size_t id_length = 64;
    EXPECT_EQ(made.id.size(), id_length);
    EXPECT_EQ(made.name, "shop-web-1");
    EXPECT_EQ(made.project, "shop");
    EXPECT_EQ(made.service, "web");
    EXPECT_EQ(made.number, 3);
    EXPECT_EQ(made.config_digest, "first");
    EXPECT_EQ(made.image, "busybox");
    EXPECT_FALSE(made.image_id.empty());
    EXPECT_EQ(*made.service_config, create.spec->service);
    EXPECT_EQ(made.state, ContainerState::created);
    EXPECT_EQ(made.health, Health::none);
    EXPECT_FALSE(made.oneoff);
    EXPECT_FALSE(made.stopped_by_user);
}

TEST_P(EngineContract, CreatingTheSameAgainChangesNothing) {
    must(web());
    const ObservedContainer before = only_container();
    must(web());
    EXPECT_EQ(only_container(), before);
}

TEST_P(EngineContract, ANameIsTakenByWhatDiffers) {
    must(web());
    const ObservedContainer before = only_container();
    CreateContainer other = web();
    other.spec->config_digest = "second";
    must_not(other);
    EXPECT_EQ(only_container(), before);
}

TEST_P(EngineContract, ACommandsContainerIsANewOneOrNone) {
    CreateContainer command = web();
    command.spec->oneoff = true;
    command.spec->anonymous_salt = command.spec->name;
    must(command);
    const ObservedContainer before = only_container();
    must_not(command);
    EXPECT_EQ(only_container(), before);
}

TEST_P(EngineContract, NoContainerIsMadeFromAnImageThatIsMissing) {
    CreateContainer create = web();
    create.spec->image = "not-there";
    must_not(create);
    EXPECT_EQ(look(), Observed{});
}

TEST_P(EngineContract, AnotherStackSeesNothingOfThis) {
    must(CreateNetwork{"shop", network_, "digest"});
    must(CreateVolume{"shop", volume_, "digest"});
    run(web());
    stack_.name = "blog";
    EXPECT_EQ(look(), Observed{});
}

TEST_P(EngineContract, StartingAgainChangesNothing) {
    const ObservedContainer before = run(web());
    EXPECT_EQ(before.state, ContainerState::running);
    EXPECT_GT(before.pid, 0);
    EXPECT_GT(before.started, Time{});
    must(StartContainer{"shop-web-1"});
    EXPECT_EQ(only_container(), before);
}

TEST_P(EngineContract, WhatDoesNotExistCannotBeStarted) {
    must_not(StartContainer{"shop-web-1"});
}

TEST_P(EngineContract, AStopIsAUsersWord) {
    const ObservedContainer running = run(web());
    const StopContainer stop{running.id, running.name, std::nullopt};
    must(stop);
    const ObservedContainer stopped = only_container();
    EXPECT_EQ(stopped.state, ContainerState::exited);
    EXPECT_TRUE(stopped.stopped_by_user);
    EXPECT_EQ(stopped.exit.code, 128 + SIGTERM);
    EXPECT_EQ(stopped.pid, 0);
    EXPECT_TRUE(stopped.addresses.empty());
    EXPECT_GE(stopped.finished, stopped.started);
    must(stop);
    EXPECT_EQ(only_container(), stopped);
}

TEST_P(EngineContract, AStartTakesTheWordBack) {
    const ObservedContainer first = run(web());
    must(StopContainer{first.id, first.name, std::nullopt});
    must(StartContainer{first.name});
    const ObservedContainer again = only_container();
    EXPECT_EQ(again.id, first.id);
    EXPECT_EQ(again.state, ContainerState::running);
    EXPECT_FALSE(again.stopped_by_user);
    EXPECT_EQ(again.exit, ExitStatus{});
    EXPECT_GT(again.started, first.started);
}

TEST_P(EngineContract, AKillIsAPersonsWordAndWakes) {
    const ObservedContainer running = run(web());
    bool woken = false;
    engine().on_change([&] { woken = true; });
    must(KillContainer{running.id, running.name, "SIGKILL"});
    EXPECT_TRUE(subject_->turn_until([&] { return woken; }));
    const ObservedContainer killed = only_container();
    EXPECT_EQ(killed.state, ContainerState::exited);
    EXPECT_TRUE(killed.stopped_by_user);
    EXPECT_EQ(killed.exit, (ExitStatus{128 + SIGKILL, SIGKILL, false}));
}

TEST_P(EngineContract, AnEndThatNobodyAskedForWakes) {
    const ObservedContainer running = run(web());
    bool woken = false;
    engine().on_change([&] { woken = true; });
    subject_->kill_behind_its_back(running);
    EXPECT_TRUE(subject_->turn_until([&] { return woken; }));
    const ObservedContainer ended = only_container();
    EXPECT_EQ(ended.state, ContainerState::exited);
    EXPECT_EQ(ended.exit.code, 128 + SIGKILL);
    EXPECT_FALSE(ended.stopped_by_user);
}

TEST_P(EngineContract, TheEndOfTheNameServiceWakes) {
    bool woken = false;
    engine().on_change([&] { woken = true; });
    must(CreateNetwork{"shop", network_, "digest"});
    engine().publish_names(stack_, look());
    if (subject_->kill_name_service()) {
        EXPECT_TRUE(subject_->turn_until([&] { return woken; }));
        engine().publish_names(stack_, look());
        EXPECT_TRUE(subject_->kill_name_service()) << "it is back";
        engine().publish_names(stack_, look());
    }
    must(RemoveNetwork{"shop_default"});
    engine().publish_names(stack_, look());
}

TEST_P(EngineContract, APausedContainerGoesOn) {
    const ObservedContainer running = run(web());
    for (const bool paused : {true, true, false, false}) {
        must(PauseContainer{running.id, running.name, paused});
        EXPECT_EQ(only_container().state,
                  paused ? ContainerState::paused : ContainerState::running);
    }
    EXPECT_EQ(only_container().pid, running.pid);
}

TEST_P(EngineContract, APausedContainerCanBeStopped) {
    const ObservedContainer running = run(web());
    must(PauseContainer{running.id, running.name, true});
    must(StopContainer{running.id, running.name, std::nullopt});
    EXPECT_EQ(only_container().state, ContainerState::exited);
}

TEST_P(EngineContract, OnlyWhatHasEndedIsRemoved) {
    const ObservedContainer running = run(web());
    const RemoveContainer remove{running.id, running.name, false};
    must_not(remove);
    EXPECT_EQ(only_container().state, ContainerState::running);
    must(StopContainer{running.id, running.name, std::nullopt});
    must(remove);
    EXPECT_EQ(look(), Observed{});
    must(remove);
}

TEST_P(EngineContract, AnonymousVolumesGoOnlyWhereAsked) {
    CreateContainer create = web();
    create.spec->service.volumes.push_back({.target = "/data"});
    for (const bool too : {false, true}) {
        const ObservedContainer made = run(create);
        ASSERT_EQ(made.mounts.size(), 1U);
        ASSERT_EQ(look().volumes.size(), 1U);
        EXPECT_TRUE(look().volumes.front().anonymous);
        EXPECT_EQ(look().volumes.front().name, made.mounts.front().source);
        must(StopContainer{made.id, made.name, std::nullopt});
        must(RemoveContainer{made.id, made.name, too});
        EXPECT_EQ(look().volumes.empty(), too);
    }
}

TEST_P(EngineContract, WhatIsInUseIsNotRemoved) {
    must(CreateNetwork{"shop", network_, "digest"});
    must(CreateVolume{"shop", volume_, "digest"});
    CreateContainer create = web();
    create.spec->service.network_mode = "";
    create.spec->service.networks["shop_default"];
    create.spec->service.volumes.push_back({.source = "shop_data", .target = "/data"});
    const ObservedContainer running = run(create);
    ASSERT_EQ(running.addresses.size(), 1U);
    EXPECT_EQ(running.addresses.front().network, "shop_default");
    must_not(RemoveNetwork{"shop_default"});
    must_not(RemoveVolume{"shop_data"});
    must(StopContainer{running.id, running.name, std::nullopt});
    must(RemoveContainer{running.id, running.name, true});
    must(RemoveNetwork{"shop_default"});
    ASSERT_EQ(look().volumes.size(), 1U) << "a named volume went with its container";
    must(RemoveVolume{"shop_data"});
    EXPECT_EQ(look(), Observed{});
}

TEST_P(EngineContract, WhatTheKernelCanChangeIsChangedInPlace) {
    const ObservedContainer running = run(web());
    Service service = web().spec->service;
    service.restart.condition = RestartCondition::on_failure;
    service.resources.pids = 100;
    must(UpdateContainer{running.id, running.name, service, "second"});
    const ObservedContainer updated = only_container();
    EXPECT_EQ(updated.pid, running.pid);
    EXPECT_EQ(updated.config_digest, "second");
    EXPECT_EQ(*updated.service_config, service);
    must_not(UpdateContainer{std::string(64, 'f'), "none", service, "second"});
}

TEST_P(EngineContract, NetworksOfARunningContainerAreChangedInPlace) {
    CreateContainer create = web();
    create.spec->service.network_mode = "";
    create.spec->service.networks["shop_default"];
    must(CreateNetwork{"shop", network_, "digest"});
    const ObservedContainer running = run(create);
    Service service = create.spec->service;
    service.networks = {{"shop_back", {.aliases = {"main"}}}};
    must_not(UpdateContainer{running.id, running.name, service, "second"});
    Network back = network_;
    back.key = "back";
    back.name = "shop_back";
    must(CreateNetwork{"shop", back, "digest"});
    must(UpdateContainer{running.id, running.name, service, "second"});
    const ObservedContainer updated = only_container();
    EXPECT_EQ(updated.pid, running.pid);
    EXPECT_EQ(*updated.service_config, service);
    ASSERT_EQ(updated.addresses.size(), 1U);
    EXPECT_EQ(updated.addresses.front().network, "shop_back");
    must(RemoveNetwork{"shop_default"});
    must_not(RemoveNetwork{"shop_back"});
}

TEST_P(EngineContract, AwaitingIsTheSupervisorsWork) {
    run(web());
    must_not(AwaitHealthy{"shop-web-1"});
    must_not(AwaitCompleted{"shop-web-1"});
}

TEST_P(EngineContract, HealthIsWhereItIsLookedFor) {
    CreateContainer create = web();
    create.spec->service.healthcheck = subject_->check_that_exits(create.spec->name, 0);
    const ObservedContainer running = run(create);
    EXPECT_EQ(running.health, Health::starting);
    EXPECT_EQ(engine().healthcheck(running.id), create.spec->service.healthcheck);
    engine().set_health(running.id, Health::unhealthy, 3, {});
    EXPECT_EQ(only_container().health, Health::unhealthy);
    must(StopContainer{running.id, running.name, std::nullopt});
    EXPECT_EQ(only_container().health, Health::none);
}

TEST_P(EngineContract, WithoutAHealthCheckThereIsNone) {
    const ObservedContainer running = run(web());
    EXPECT_EQ(engine().healthcheck(running.id), std::nullopt);
    EXPECT_EQ(engine().healthcheck(std::string(64, 'f')), std::nullopt);
}

TEST_P(EngineContract, AProbeTellsItsStatusLater) {
    CreateContainer create = web();
    create.spec->service.healthcheck = subject_->check_that_exits(create.spec->name, 7);
    const ObservedContainer running = run(create);
    std::optional<ProbeResult> result;
    engine().probe(running.id, *create.spec->service.healthcheck, [&](const ProbeResult& told) {
        result = told;
    });
    EXPECT_FALSE(result) << "completed from inside the call";
    ASSERT_TRUE(subject_->turn_until([&] { return result.has_value(); }));
    EXPECT_EQ(result->exit_code, 7);
    EXPECT_FALSE(result->timed_out);
}

TEST_P(EngineContract, WhatDoesNotRunIsNotProbed) {
    must(web());
    const ObservedContainer made = only_container();
    EXPECT_THROW(engine().probe(
                     made.id, subject_->check_that_exits(made.name, 0), [](const ProbeResult&) {}),
                 Error);
}

TEST_P(EngineContract, AHookRunsInsideAndIsRefusedWhereNothingRuns) {
    const ObservedContainer running = run(web());
    Hook hook;
    hook.command = {"true"};
    std::optional<ProbeResult> result;
    engine().run_hook(running.name, hook, [&](const ProbeResult& told) { result = told; });
    EXPECT_FALSE(result) << "completed from inside the call";
    ASSERT_TRUE(subject_->turn_until([&] { return result.has_value(); }));
    EXPECT_EQ(result->exit_code, 0) << result->output;
    must(StopContainer{running.id, running.name, std::nullopt});
    EXPECT_THROW(engine().run_hook(running.name, hook, [](const ProbeResult&) {}), Error);
}

TEST_P(EngineContract, RestartsAreCounted) {
    const ObservedContainer running = run(web());
    engine().count_restart(running.id);
    engine().count_restart(running.id);
    EXPECT_EQ(only_container().restarts, 2);
}

INSTANTIATE_TEST_SUITE_P(Fake, EngineContract, testing::Values(&make_fake_subject));
INSTANTIATE_TEST_SUITE_P(Real, EngineContract, testing::Values(&make_real_subject));

}  // namespace
}  // namespace stack::test
