// Plans that once were wrong, in the product's own words.

#include <stack/plan.h>

#include "model/digest.h"
#include "tests/support/fake_world.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

Stack shop() {
    Stack stack;
    stack.name = "shop";
    auto& network = stack.networks["default"];
    network.key = "default";
    network.name = "shop_default";
    auto& web = stack.services["web"];
    web.name = "web";
    web.image = "busybox";
    web.networks["default"];
    web.restart.condition = RestartCondition::always;
    return stack;
}

Observed up(const Stack& stack) {
    return apply({}, plan_up(stack, {}, {}), Time{});
}

}  // namespace

TEST(Plan, LeavesTheNetworkOfAnotherStackAsItIs) {
    const Stack stack = shop();
    Observed world = up(stack);
    world.networks.front().project = "blog";
    world.networks.front().config_digest = "another";
    EXPECT_EQ(to_text(plan_up(stack, world, {})),
              "warning: network shop_default was not made by this stack; it is used as it is "
              "(declare it external to say so)\nnothing to do\n");
    EXPECT_EQ(to_text(plan_down(stack, world, {})),
              "#0 stop container/shop-web-1: down\n"
              "#1 remove container/shop-web-1: down (after #0)\n");
}

TEST(Plan, OfAnotherStackHasNoPartInDown) {
    const Stack stack = shop();
    const Observed world = up(stack);
    Stack other;
    other.name = "blog";
    EXPECT_EQ(to_text(plan_down(other, world, {.volumes = true})), "nothing to do\n");
    EXPECT_EQ(to_text(plan_kill(other, world, {}, "KILL")), "nothing to do\n");
    EXPECT_EQ(to_text(plan_remove(other, world, {}, true, true)), "nothing to do\n");
}

TEST(Plan, RenewsNoNetworkThatOthersOfTheStackStillUse) {
    Stack stack = shop();
    stack.services["db"] = stack.services["web"];
    stack.services["db"].name = "db";
    const Observed world = up(stack);
    stack.networks["default"].internal = true;
    EXPECT_EQ(to_text(plan_up(stack, world, {.services = {"web"}})),
              "warning: network shop_default differs from its description in the stack file; it is "
              "kept as it is, since container shop-db-1 uses it and is not part of this command\n"
              "nothing to do\n");
}

TEST(Plan, RefusesANameThatAnotherContainerKeeps) {
    Stack stack = shop();
    stack.services["web"].container_name = "one";
    const Observed world = up(stack);
    Stack edited = shop();
    edited.services["api"] = stack.services["web"];
    edited.services["api"].name = "api";
    edited.services.erase("web");
    const Plan plan = plan_up(edited, world, {});
    EXPECT_TRUE(plan.actions.empty());
    ASSERT_EQ(plan.errors.size(), 1U);
    EXPECT_EQ(plan.errors.front(),
              "the name one belongs to a container of service web: remove it, or give the service "
              "another container_name");
    EXPECT_TRUE(plan_up(edited, world, {.remove_orphans = true}).errors.empty());
}

namespace {

/// `web`, published, in the networks front and back, which has a name for it.
Stack shop_in_two_networks() {
    Stack stack = shop();
    for (const auto* key : {"back", "front"}) {
        stack.networks[key].key = key;
        stack.networks[key].name = std::string("shop_") + key;
    }
    auto& web = stack.services["web"];
    web.ports.push_back({.published = "8080", .target = 80});
    web.networks = {{"back", {.aliases = {"main"}}}, {"front", {}}};
    return stack;
}

}  // namespace

TEST(Plan, ChangesNetworksAndTheirAliasesInPlace) {
    const Stack before = shop_in_two_networks();
    const Observed world = up(before);
    Stack stack = before;
    auto& networks = stack.services["web"].networks;
    networks.erase("front");
    networks["back"].aliases = {"other"};
    networks["default"].aliases = {"shown"};
    const Plan plan = plan_up(stack, world, {});
    EXPECT_EQ(to_text(plan),
              "#0 create network/shop_default: not found\n"
              "#1 update container/shop-web-1: networks changed (after #0)\n"
              "      networks.shop_back.aliases.0: main -> other\n"
              "      networks.shop_default: (none) -> connected\n"
              "      networks.shop_default.aliases.0: (none) -> shown\n"
              "      networks.shop_front: connected -> (none)\n");
    EXPECT_EQ(plan.running, Strings{"shop-web-1"});
    EXPECT_EQ(to_text(plan_up(stack, apply(world, plan, Time{}), {})), "nothing to do\n");
    stack.services["web"].resources.pids = 10;
    EXPECT_NE(to_text(plan_up(stack, world, {})).find("networks, and limits or restart policy"),
              std::string::npos);
}

TEST(Plan, MakesAnewWhatWouldLoseTheNetworkThatItsPortsLeadTo) {
    const Stack before = shop_in_two_networks();
    const Observed world = up(before);
    Stack stack = before;
    stack.services["web"].networks.erase("back");
    EXPECT_EQ(to_text(plan_up(stack, world, {})),
              "#0 stop container/shop-web-1: configuration changed\n"
              "#1 remove container/shop-web-1: configuration changed (after #0)\n"
              "      networks.shop_back: connected -> (none)\n"
              "      networks.shop_back.aliases.0: main -> (none)\n"
              "#2 create container/shop-web-1: configuration changed (after #1)\n"
              "#3 start container/shop-web-1: configuration changed (after #2)\n");
}

TEST(Plan, MakesAnewWhatGetsAnotherAddress) {
    const Stack before = shop_in_two_networks();
    const Observed world = up(before);
    Stack stack = before;
    stack.services["web"].networks["front"].ipv4_address = "10.0.0.9";
    EXPECT_NE(to_text(plan_up(stack, world, {}))
                  .find("#1 remove container/shop-web-1: configuration changed (after #0)\n"
                        "      networks.shop_front.ipv4_address: (none) -> 10.0.0.9\n"),
              std::string::npos);
    EXPECT_EQ(to_text(plan_up(stack, world, {.recreate = RecreatePolicy::never})),
              "nothing to do\n");
}

TEST(Plan, LeavesItsNetworksToWhatMayStayAsItIs) {
    const Observed world = up(shop_in_two_networks());
    Stack stack = shop_in_two_networks();
    stack.services["web"].networks.erase("front");
    EXPECT_EQ(to_text(plan_up(stack, world, {.recreate = RecreatePolicy::never})),
              "nothing to do\n");
    EXPECT_NE(to_text(plan_up(stack, world, {})), "nothing to do\n");
}

TEST(Plan, DisconnectsFromANetworkBeforeThatIsRenewed) {
    Stack stack = shop_in_two_networks();
    stack.services["db"] = shop().services["web"];
    stack.services["db"].name = "db";
    stack.services["db"].networks = {{"front", {}}};
    const Observed world = up(stack);
    stack.services["web"].networks.erase("front");
    stack.networks["front"].internal = true;
    const std::string text = to_text(plan_up(stack, world, {}));
    EXPECT_NE(text.find("#2 update container/shop-web-1: networks changed\n"), std::string::npos);
    EXPECT_NE(text.find("remove network/shop_front: configuration changed (after #1 #2)"),
              std::string::npos)
        << text;
}

TEST(Plan, FinishesAConnectThatDiedInTheMiddle) {
    const Stack stack = shop_in_two_networks();
    Observed world = up(stack);
    auto& addresses = world.containers.front().addresses;
    addresses.back().network = "shop_default";
    EXPECT_EQ(to_text(plan_up(stack, world, {})),
              "#0 update container/shop-web-1: networks changed\n"
              "      networks.shop_default: connected -> (none)\n"
              "      networks.shop_front: (none) -> connected\n");
}

TEST(Plan, KeepsStaticAddressesFromOtherServices) {
    Stack stack = shop();
    const auto add = [&](const std::string& name, const NetworkAttachment& attachment) {
        auto& service = stack.services[name] = stack.services["web"];
        service.name = name;
        service.networks["default"] = attachment;
    };
    add("db", {.ipv4_address = "10.5.0.2", .ipv6_address = "fd05::2"});
    add("cache", {.ipv4_address = "10.5.0.3"});
    const auto avoided_by = [&](const Plan& plan, const std::string& name) {
        for (const auto& planned : plan.actions)
            if (const auto* create = std::get_if<CreateContainer>(&planned.action))
                if (create->spec->service.name == name)
                    return create->spec->avoided_addresses;
        return std::map<std::string, Strings>{{"no such container", {}}};
    };
    using Avoided = std::map<std::string, Strings>;
    const Plan plan = plan_up(stack, {}, {});
    EXPECT_EQ(avoided_by(plan, "web"),
              (Avoided{{"shop_default", {"10.5.0.3", "10.5.0.2", "fd05::2"}}}));
    EXPECT_EQ(avoided_by(plan, "cache"), (Avoided{{"shop_default", {"fd05::2"}}}));
    EXPECT_EQ(avoided_by(plan, "db"), Avoided{});
    Observed world = up(stack);
    std::erase_if(world.containers, [](const auto& one) { return one.service == "web"; });
    EXPECT_EQ(avoided_by(plan_keep(stack, world, {.services = {"web"}}), "web").size(), 1U);
}

TEST(Plan, RefusesMoreContainersThanABridgeCarries) {
    Stack stack = shop();
    stack.networks["default"].ipam.push_back({.subnet = "10.5.0.0/16"});
    stack.services["web"].scale = 1000;
    stack.services["db"] = stack.services["web"];
    stack.services["db"].name = "db";
    stack.services["db"].scale = 23;
    EXPECT_TRUE(plan_up(stack, {}, {}).errors.empty());
    const Plan plan = plan_up(stack, {}, {.scale = {{"db", 24}}});
    EXPECT_TRUE(plan.actions.empty());
    EXPECT_EQ(plan.errors,
              Strings{"network shop_default would have 1024 containers (db: 24, web: 1000), but a "
                      "bridge carries 1023: spread them over several networks"});
}

TEST(Plan, RefusesMoreContainersThanASubnetHasAddresses) {
    Stack stack = shop();
    stack.services["web"].scale = 1022;
    EXPECT_EQ(plan_up(stack, {}, {}).errors,
              Strings{"network shop_default would have 1022 containers (web: 1022), but its "
                      "subnet, a /22, has addresses for 1021: give it a larger subnet, or "
                      "spread them over several networks"});
    stack.networks["default"].ipam.push_back({.subnet = "10.5.0.0/28"});
    const Observed world = up(shop());
    const PlanOptions rest{.scale = {{"web", 13}}};
    EXPECT_TRUE(plan_up(stack, world, rest).errors.empty());
    stack.services["db"] = stack.services["web"];
    stack.services["db"].name = "db";
    EXPECT_NE(to_text(plan_up(stack, world, {.services = {"db"}, .scale = {{"db", 13}}}))
                  .find("would have 14 containers (db: 13, web: 1), but its subnet 10.5.0.0/28 has "
                        "addresses for 13"),
              std::string::npos);
}

TEST(Plan, OfStopEndsAWaitForARestart) {
    const Stack stack = shop();
    Observed world = up(stack);
    auto& web = world.containers.front();
    web.state = ContainerState::exited;
    web.exit.code = 1;
    EXPECT_EQ(to_text(plan_stop(stack, world, {}, std::nullopt)),
              "#0 stop container/shop-web-1: asked for\n");
    web.stopped_by_user = true;
    EXPECT_EQ(to_text(plan_stop(stack, world, {}, std::nullopt)), "nothing to do\n");
}

TEST(Plan, OfUpEndsAWaitForARestartBeforeItRemoves) {
    Stack stack = shop();
    Observed world = up(stack);
    auto& web = world.containers.front();
    web.state = ContainerState::exited;
    web.exit.code = 1;
    stack.services["web"].environment["DEBUG"] = "1";
    const Plan plan = plan_up(stack, world, {});
    ASSERT_EQ(plan.actions.size(), 4U) << to_text(plan);
    EXPECT_EQ(verb(plan.actions[0].action), "stop");
    EXPECT_EQ(verb(plan.actions[1].action), "remove");
    EXPECT_EQ(plan.actions[1].after, std::vector<std::size_t>{0});
}

TEST(Plan, OfDownWithoutAFileStillStopsDependentsFirst) {
    Stack stack = shop();
    stack.services["db"] = stack.services["web"];
    stack.services["db"].name = "db";
    stack.services["db"].depends_on["web"];
    const Observed world = up(stack);
    Stack nameless;
    nameless.name = "shop";
    EXPECT_EQ(to_text(plan_stop(nameless, world, {}, std::nullopt)),
              "#0 stop container/shop-db-1: asked for\n"
              "#1 stop container/shop-web-1: asked for (after #0)\n");
}

namespace {

/// `web`, and `side` in its network namespace.
Stack shop_with_sidecar() {
    Stack stack = shop();
    auto& side = stack.services["side"];
    side.name = "side";
    side.image = "busybox";
    side.network_mode = "service:web";
    side.depends_on["web"];
    return stack;
}

}  // namespace

TEST(Plan, MakesAnewWhatLivesInANamespaceThatIsMadeAnew) {
    Stack stack = shop_with_sidecar();
    const Observed world = up(stack);
    stack.services["web"].labels["changed"] = "yes";
    constexpr const char* both =
        "#0 stop container/shop-side-1: it shares a namespace or volumes with web, which is made "
        "anew\n";
    const Plan plan = plan_up(stack, world, {});
    EXPECT_NE(to_text(plan).find(both + 3), std::string::npos) << to_text(plan);
    // Also where the command is about the other one only.
    EXPECT_EQ(to_text(plan_up(stack, world, {.services = {"web"}})), to_text(plan));
    EXPECT_EQ(to_text(plan_up(stack, world, {.services = {"web"}, .no_deps = true})),
              to_text(plan));
}

TEST(Plan, MakesAnewWhatLivesInANamespaceThatVanished) {
    const Stack stack = shop_with_sidecar();
    Observed world = up(stack);
    std::erase_if(world.containers, [](const auto& one) { return one.service == "web"; });
    const std::string text = to_text(plan_up(stack, world, {}));
    EXPECT_NE(text.find("remove container/shop-side-1"), std::string::npos) << text;
    EXPECT_NE(text.find("create container/shop-side-1"), std::string::npos) << text;
}

TEST(Plan, StartsAgainWhatLivesInANamespaceThatStartsAgain) {
    const Stack stack = shop_with_sidecar();
    Observed world = up(stack);
    auto& web = *find_container(world, "shop-web-1");
    web.state = ContainerState::exited;
    EXPECT_EQ(to_text(plan_up(stack, world, {})),
              "#0 start container/shop-web-1: exited (unknown)\n"
              "#1 stop container/shop-side-1: a dependency starts anew\n"
              "#2 start container/shop-side-1: a dependency starts anew (after #0 #1)\n");
    EXPECT_EQ(to_text(plan_restart(stack, up(stack), {"web"}, std::nullopt, true)),
              "#0 stop container/shop-side-1: restart\n"
              "#1 stop container/shop-web-1: restart (after #0)\n"
              "#2 start container/shop-web-1: restart (after #1)\n"
              "#3 start container/shop-side-1: restart (after #0 #2)\n");
}

TEST(Plan, StartsAgainWhatSharedWithTheReplicaThatVanished) {
    Stack stack = shop_with_sidecar();
    stack.services["web"].scale = 2;
    const auto without = [&](const std::string& name) {
        Observed world = up(stack);
        std::erase_if(world.containers, [&](const auto& one) { return one.name == name; });
        return world;
    };
    const Observed left_behind = without("shop-web-1");
    EXPECT_EQ(to_text(plan_up(stack, left_behind, {})),
              "#0 create container/shop-web-1: not found\n"
              "#1 start container/shop-web-1: not found (after #0)\n"
              "#2 stop container/shop-side-1: a dependency starts anew\n"
              "#3 start container/shop-side-1: a dependency starts anew (after #1 #2)\n");
    EXPECT_EQ(to_text(plan_up(stack, left_behind, {.services = {"side"}, .no_deps = true})),
              "#0 stop container/shop-side-1: a dependency starts anew\n"
              "#1 start container/shop-side-1: a dependency starts anew (after #0)\n");
    EXPECT_EQ(stranded_services(stack, left_behind), Strings{"side"});
    EXPECT_EQ(to_text(plan_up(stack, without("shop-web-2"), {})),
              "#0 create container/shop-web-2: not found\n"
              "#1 start container/shop-web-2: not found (after #0)\n");
    EXPECT_EQ(stranded_services(stack, without("shop-web-2")), Strings{});
    const Observed whole = up(stack);
    stack.services["web"].scale = 3;
    EXPECT_EQ(to_text(plan_up(stack, whole, {})).find("side"), std::string::npos);
}

TEST(Plan, StartsAgainWhatSharesWithAReplicaThatGoes) {
    Stack stack = shop_with_sidecar();
    stack.services["web"].scale = 2;
    Observed world = up(stack);
    find_container(world, "shop-web-1")->image_id = "sha256:older";
    stack.services["web"].scale = 1;
    EXPECT_EQ(to_text(plan_up(stack, world, {})),
              "#0 stop container/shop-side-1: a dependency starts anew\n"
              "#1 stop container/shop-web-1: more than the scale of 1 (after #0)\n"
              "#2 remove container/shop-web-1: more than the scale of 1 (after #1)\n"
              "#3 start container/shop-side-1: a dependency starts anew (after #0 #1)\n");
}

TEST(Plan, BuildsAnImageThatAnotherServiceUsesAndDoesNotPullIt) {
    Stack stack = shop();
    stack.services["web"].image = "shop/app";
    auto& worker = stack.services["zworker"] = stack.services["web"];
    worker.name = "zworker";
    worker.build.emplace();
    EXPECT_EQ(to_text(plan_up(stack, {}, {})),
              "#0 build image/shop/app: not found\n"
              "#1 create network/shop_default: not found\n"
              "#2 create container/shop-web-1: not found (after #0 #1)\n"
              "#3 start container/shop-web-1: not found (after #2)\n"
              "#4 create container/shop-zworker-1: not found (after #0 #1)\n"
              "#5 start container/shop-zworker-1: not found (after #4)\n");
    Observed world = up(stack);
    world.builds.push_back({"zworker", "other sources"});
    const std::string text = to_text(plan_up(stack, world, {.build = true}));
    EXPECT_NE(text.find("stop container/shop-web-1: its image is built anew"), std::string::npos)
        << text;
}

TEST(Plan, BuildsWhatABuildTakesFromFirst) {
    Stack stack = shop();
    auto& app = stack.services["app"] = stack.services["web"];
    app.name = "app";
    app.build.emplace().additional_contexts["base"] = "service:zbase";
    auto& base = stack.services["zbase"] = stack.services["web"];
    base.name = "zbase";
    base.build.emplace();
    app.image = base.image = "";
    const Plan plan = plan_up(stack, {}, {});
    const std::string text = to_text(plan);
    EXPECT_NE(text.find("#0 build image/shop-zbase: not found\n"
                        "#1 build image/shop-app: not found (after #0)\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(std::get<BuildImage>(plan.actions[1].action).build->additional_contexts.at("base"),
              "docker-image://shop-zbase");
    Observed world;
    world.images = {{"shop-app", "sha256:1", "app's", {}, {}},
                    {"shop-zbase", "sha256:2", "base's", {}, {}},
                    {"busybox", "sha256:3", "", {}, {}}};
    world.builds = {{"app", "app's"}, {"zbase", "others"}};
    const std::string stale = to_text(plan_up(stack, world, {.build = true}));
    EXPECT_NE(stale.find("#0 build image/shop-zbase: its sources changed\n"
                         "#1 build image/shop-app: its sources changed (after #0)\n"),
              std::string::npos)
        << stale;
    world.builds[1].source_digest = "base's";
    EXPECT_EQ(to_text(plan_up(stack, world, {.build = true})).find("build image"),
              std::string::npos);
    base.build->additional_contexts["app"] = "service:app";
    EXPECT_NE(to_text(plan_up(stack, {}, {})).find("need one another"), std::string::npos);
    base.build.reset();
    EXPECT_NE(to_text(plan_up(stack, {}, {})).find("not built by this stack"), std::string::npos);
}

TEST(Plan, LetsOnlyThoseGoOnWithoutADependencyThatDoNotRequireIt) {
    Stack stack = shop();
    stack.services["likes"] = stack.services["needs"] = stack.services["db"] =
        stack.services["web"];
    stack.services.erase("web");
    for (auto& [name, service] : stack.services) {
        service.name = name;
        service.networks.clear();
    }
    stack.services["db"].healthcheck = Healthcheck{.test = {"CMD", "true"}};
    stack.services["needs"].depends_on["db"].condition = DependencyCondition::healthy;
    stack.services["likes"].depends_on["db"] = {DependencyCondition::healthy, false, false};
    Observed world;
    world.images.push_back({.reference = "busybox", .id = "sha256:1"});
    EXPECT_EQ(to_text(plan_up(stack, world, {})),
              "#0 create container/shop-db-1: not found\n"
              "#1 start container/shop-db-1: not found (after #0)\n"
              "#2 create container/shop-likes-1: not found\n"
              "#3 await-healthy container/shop-db-1: others need it healthy (after #1)\n"
              "#4 start container/shop-likes-1: not found (after #2 #3 or its failure)\n"
              "#5 create container/shop-needs-1: not found\n"
              "#6 start container/shop-needs-1: not found (after #3 #5)\n");
    stack.services.erase("needs");
    EXPECT_TRUE(plan_up(stack, world, {}).actions[3].optional) << "nobody needs it healthy";
}

TEST(Plan, OfDownSaysWhetherTheNetworkGoes) {
    const Stack stack = shop();
    const Observed world = up(stack);
    const auto goes = [&](const DownOptions& options) {
        const Plan plan = plan_down(stack, world, options);
        return std::any_of(plan.actions.begin(), plan.actions.end(), [](const auto& planned) {
            const auto* stop = std::get_if<StopContainer>(&planned.action);
            return stop != nullptr && stop->network_goes;
        });
    };
    EXPECT_TRUE(goes({}));
    EXPECT_FALSE(goes({.services = {"web"}}));
}

TEST(Plan, OfDownLeavesWhatLeftTheFile) {
    Stack stack = shop();
    stack.services["old"] = stack.services["web"];
    stack.services["old"].name = "old";
    const Observed world = up(stack);
    stack.services.erase("old");
    EXPECT_EQ(to_text(plan_down(stack, world, {})),
              "warning: network shop_default is still in use by container shop-old-1, whose "
              "service is not in the stack file: it stays (--remove-orphans removes both)\n"
              "#0 stop container/shop-web-1: down\n"
              "#1 remove container/shop-web-1: down (after #0)\n");
    EXPECT_EQ(to_text(plan_down(stack, world, {.remove_orphans = true})),
              "#0 stop container/shop-old-1: down\n"
              "#1 stop container/shop-web-1: down\n"
              "#2 remove container/shop-old-1: down (after #0)\n"
              "#3 remove container/shop-web-1: down (after #1)\n"
              "#4 remove network/shop_default: down (after #2 #3)\n");
    stack.disabled_services.push_back("old");
    EXPECT_EQ(plan_down(stack, world, {}).warnings, Strings{});
}

TEST(Plan, OfABuildWaitsForWhatItTakesFromAndForNothingElse) {
    Stack stack = shop();
    for (const auto* name : {"app", "zbase", "tool"})
        stack.services[name] = {.name = name, .build = Build{.context = "/src"}};
    stack.services["app"].build->additional_contexts["base"] = "service:zbase";
    EXPECT_EQ(to_text(plan_build(stack, {"app", "tool"})),
              "#0 build image/shop-zbase: asked for\n"
              "#1 build image/shop-app: asked for (after #0)\n"
              "#2 build image/shop-tool: asked for\n");
    stack.services["app"].build->additional_contexts.clear();
    stack.services["app"].image = stack.services["tool"].image = "one";
    EXPECT_EQ(to_text(plan_build(stack, {"app", "tool"})),
              "#0 build image/one: asked for\n"
              "#1 build image/one: asked for (after #0)\n");
}

TEST(Plan, OfKeepBringsBackWhatVanishedAndTakesNothingAway) {
    Stack stack = shop();
    stack.services["web"].scale = 3;
    Observed world = up(stack);
    world.containers.erase(world.containers.begin() + 1);
    const PlanOptions two{.services = {"web"}, .scale = {{"web", 2}}, .no_deps = true};
    EXPECT_EQ(to_text(plan_keep(stack, world, two)), "nothing to do\n");
    world.containers.pop_back();
    world.networks.clear();
    EXPECT_EQ(to_text(plan_keep(stack, world, two)),
              "#0 create network/shop_default: not found\n"
              "#1 create container/shop-web-2: not found (after #0)\n"
              "#2 start container/shop-web-2: not found (after #1)\n");
}

TEST(Plan, OfKeepStartsWhatWasMadeAndCouldNotStart) {
    Stack stack = shop();
    stack.services["web"].scale = 2;
    Observed world = up(stack);
    world.containers[0].state = ContainerState::created;
    world.containers[1].state = ContainerState::exited;
    EXPECT_EQ(to_text(plan_keep(stack, world, {.services = {"web"}, .no_deps = true})),
              "#0 start container/shop-web-1: created, not started\n");
}

}  // namespace stack::test
