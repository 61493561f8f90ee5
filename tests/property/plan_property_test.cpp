// What must hold for every stack and every world, tried on random ones, a hundred thousand in all.
// A failure names its seed: pair_for(seed) is the whole case. STACK_PROPERTY_PAIRS: how many of
// them each property is tried on.

#include <stack/error.h>

#include "tests/property/worlds.h"
#include "tests/support/fake_world.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

/// Of AddressSanitizer, which finds nothing less by it here: worlds are small and many, and would
/// be kept, with the traces of all that was ever allocated.
extern "C" const char* __asan_default_options();  // NOLINT(bugprone-reserved-identifier)

const char* __asan_default_options() {  // NOLINT(bugprone-reserved-identifier)
    return "quarantine_size_mb=8:malloc_context_size=5";
}

namespace stack::test {
namespace {

constexpr std::uint64_t default_pairs = 12'500;
constexpr std::uint64_t most_pairs = 1'000'000'000;

std::uint64_t pairs() {
    const char* text = std::getenv("STACK_PROPERTY_PAIRS");  // NOLINT(concurrency-mt-unsafe)
    return text == nullptr ? default_pairs : std::min(std::stoull(text), 0ULL + most_pairs);
}

/// Each property has pairs of its own.
enum Property : std::uint64_t {
    converges = 1,
    converges_after_a_crash,
    order_of_what_is_seen,
    order_of_actions,
    minds_its_own,
    keeps_data_safe,
    down_is_down,
    settled,
};

Plan plan_of(const Pair& pair, const Observed& observed) {
    return plan_up(pair.desired, observed, pair.options);
}

/// Calls check(pair, chance) for every seed of the property until one fails.
template <class Check>
void for_each_pair(Property property, const Check& check) {
    const std::uint64_t first = property * most_pairs;
    for (std::uint64_t seed = first; seed < first + pairs(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        try {
            const Pair pair = pair_for(seed);
            Chance chance(~seed);
            check(pair, chance);
        } catch (const Error& error) {
            ADD_FAILURE() << error.what() << "\n"
                          << to_text(plan_of(pair_for(seed), pair_for(seed).observed));
        }
        if (testing::Test::HasFailure())
            return;
    }
}

/// The first `steps` actions, in an order that the plan allows.
Observed apply_some(Observed world, const Plan& plan, std::size_t steps, Chance& chance) {
    Time now{};
    const auto order = some_order(plan, chance);
    for (std::size_t i = 0; i < steps; ++i)
        world = apply(std::move(world), plan.actions[order[i]].action, now += Time::duration(1));
    return world;
}

Observed apply_all(Observed world, const Plan& plan, Chance& chance) {
    return apply_some(std::move(world), plan, plan.actions.size(), chance);
}

/// A name that an orphan holds is the one thing that a plan may refuse here, and then it does
/// nothing.
bool is_refused(const Plan& plan) {
    if (plan.errors.empty())
        return false;
    EXPECT_TRUE(plan.actions.empty());
    for (const auto& error : plan.errors)
        EXPECT_NE(error.find("belongs to a container of"), std::string::npos) << error;
    return true;
}

void expect_settled(const Pair& pair, const Observed& world) {
    Pair calm = pair;
    calm.options.recreate_dependencies = false;  // what is forced is forced every time
    const Plan plan = plan_of(calm, world);
    EXPECT_TRUE(plan.errors.empty() && plan.actions.empty())
        << to_text(plan) << "\nafter\n"
        << to_text(plan_of(pair, pair.observed));
}

// --- who an action is about ---

template <class A>
const A* as(const PlannedAction& planned) {
    return std::get_if<A>(&planned.action);
}

/// The services of containers, by name: of those that are there and of those that a plan makes.
std::map<std::string, std::string> services_by_name(const Observed& world, const Plan& plan) {
    std::map<std::string, std::string> services;
    for (const auto& container : world.containers)
        if (container.project == "shop")
            services[container.name] = container.service;
    for (const auto& planned : plan.actions)
        if (const auto* create = as<CreateContainer>(planned))
            services[create->spec->name] = create->spec->service.name;
    return services;
}

std::string service_with_id(const Observed& world, const std::string& id) {
    for (const auto& container : world.containers)
        if (container.id == id)
            return container.service;
    return {};
}

/// Everything that must be over before each action starts.
std::vector<std::set<std::size_t>> all_before(const Plan& plan) {
    std::vector<std::set<std::size_t>> before(plan.actions.size());
    for (std::size_t i = 0; i < before.size(); ++i)
        for (const std::size_t j : plan.actions[i].after) {
            before[i].insert(j);
            before[i].insert(before[j].begin(), before[j].end());
        }
    return before;
}

/// Actions of kind A, by the service of their container.
template <class A>
std::multimap<std::string, std::size_t> actions_by_service(const Observed& world,
                                                           const Plan& plan) {
    const auto services = services_by_name(world, plan);
    std::multimap<std::string, std::size_t> found;
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const auto* action = as<A>(plan.actions[i]);
        if (!action)
            continue;
        // A name may go from one service to another; an id is one container's.
        if constexpr (requires { action->id; })
            found.emplace(service_with_id(world, action->id), i);
        else
            found.emplace(services.at(action->name), i);
    }
    return found;
}

/// Calls check(action of a service, action of one of its dependencies).
template <class A, class Check>
void for_each_dependency(const Stack& stack,
                         const Observed& world,
                         const Plan& plan,
                         const Check& check) {
    const auto actions = actions_by_service<A>(world, plan);
    for (const auto& [service, node] : actions) {
        const auto found = stack.services.find(service);
        if (found == stack.services.end())
            continue;
        for (const auto& [dependency, how] : found->second.depends_on) {
            const auto [first, last] = actions.equal_range(dependency);
            for (auto other = first; other != last; ++other)
                check(node, other->second);
        }
    }
}

void expect_order(const Stack& stack, const Observed& world, const Plan& plan) {
    for (std::size_t i = 0; i < plan.actions.size(); ++i)
        for (const std::size_t j : plan.actions[i].after)
            ASSERT_LT(j, i) << to_text(plan);
    const auto before = all_before(plan);
    for_each_dependency<StartContainer>(
        stack, world, plan, [&](std::size_t dependent, std::size_t dependency) {
            EXPECT_TRUE(before[dependent].contains(dependency))
                << "#" << dependent << " may start before #" << dependency << "\n"
                << to_text(plan);
        });
    for_each_dependency<StopContainer>(
        stack, world, plan, [&](std::size_t dependent, std::size_t dependency) {
            EXPECT_TRUE(before[dependency].contains(dependent))
                << "#" << dependency << " may stop before #" << dependent << "\n"
                << to_text(plan);
        });
}

/// What is not the stack's: it must be the same before and after.
Observed of_others(Observed world) {
    const auto is_ours = [](const auto& thing) { return thing.project == "shop"; };
    std::erase_if(world.containers, is_ours);
    std::erase_if(world.networks, is_ours);
    std::erase_if(world.volumes, is_ours);
    world.images.clear();
    world.builds.clear();
    return world;
}

template <class... Kinds>
bool has_any(const Plan& plan) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [](const PlannedAction& planned) {
        return (std::holds_alternative<Kinds>(planned.action) || ...);
    });
}

bool keeps_data(const Plan& plan) {
    return !has_any<RemoveVolume>(plan) &&
           std::none_of(plan.actions.begin(), plan.actions.end(), [](const auto& planned) {
               const auto* remove = as<RemoveContainer>(planned);
               return remove && remove->anonymous_volumes;
           });
}

}  // namespace

TEST(EveryPlan, ConvergesInOneRound) {
    for_each_pair(converges, [](const Pair& pair, Chance& chance) {
        const Plan plan = plan_of(pair, pair.observed);
        if (is_refused(plan))
            return;
        expect_settled(pair, apply_all(pair.observed, plan, chance));
    });
}

TEST(EveryPlan, ConvergesAlsoFromWhereACrashLeftIt) {
    for_each_pair(converges_after_a_crash, [](const Pair& pair, Chance& chance) {
        const Plan plan = plan_of(pair, pair.observed);
        const std::size_t steps = chance.below(plan.actions.size() + 1);
        const Observed crashed = apply_some(pair.observed, plan, steps, chance);
        const Plan rest = plan_of(pair, crashed);
        if (is_refused(plan))
            return;
        ASSERT_TRUE(rest.errors.empty()) << to_text(rest);
        expect_settled(pair, apply_all(crashed, rest, chance));
    });
}

TEST(EveryPlan, DoesNotDependOnTheOrderOfWhatIsSeen) {
    for_each_pair(order_of_what_is_seen, [](const Pair& pair, Chance& chance) {
        const Observed other = shuffled(pair.observed, chance);
        const Plan plan = plan_of(pair, pair.observed);
        const Plan again = plan_of(pair, other);
        EXPECT_TRUE(plan == again) << to_text(plan) << "\nand\n" << to_text(again);
        EXPECT_EQ(to_text(plan_down(pair.desired, pair.observed, {})),
                  to_text(plan_down(pair.desired, other, {})));
    });
}

TEST(EveryPlan, StartsDependenciesFirstAndStopsThemLast) {
    for_each_pair(order_of_actions, [](const Pair& pair, Chance&) {
        expect_order(pair.desired, pair.observed, plan_of(pair, pair.observed));
        expect_order(pair.desired, pair.observed, plan_down(pair.desired, pair.observed, {}));
        expect_order(pair.desired,
                     pair.observed,
                     plan_restart(pair.desired, pair.observed, {}, std::nullopt, false));
    });
}

TEST(EveryPlan, LeavesAloneWhatIsNotItsStacks) {
    for_each_pair(minds_its_own, [](const Pair& pair, Chance& chance) {
        const Observed before = of_others(pair.observed);
        const Observed up = apply_all(pair.observed, plan_of(pair, pair.observed), chance);
        EXPECT_EQ(of_others(up), before) << to_text(plan_of(pair, pair.observed));
        const Plan down = plan_down(pair.desired, up, {.volumes = true});
        EXPECT_EQ(of_others(apply_all(up, down, chance)), before) << to_text(down);
        const Plan stop = plan_stop(pair.desired, up, {}, std::nullopt);
        EXPECT_EQ(of_others(apply_all(up, stop, chance)), before) << to_text(stop);
    });
}

TEST(EveryPlan, LosesDataOnlyWhereAsked) {
    for_each_pair(keeps_data_safe, [](const Pair& pair, Chance&) {
        EXPECT_TRUE(keeps_data(plan_of(pair, pair.observed)));
        EXPECT_TRUE(keeps_data(plan_keep(pair.desired, pair.observed, pair.options)));
        EXPECT_TRUE(keeps_data(plan_down(pair.desired, pair.observed, {})));
        EXPECT_TRUE(keeps_data(plan_remove(pair.desired, pair.observed, {}, true, false)));
    });
}

TEST(EveryPlan, OfDownMakesNothingAndLeavesNothingRunning) {
    for_each_pair(down_is_down, [](const Pair& pair, Chance& chance) {
        const Plan plan = plan_down(pair.desired, pair.observed, {.remove_orphans = true});
        const bool makes = has_any<PullImage,
                                   BuildImage,
                                   CreateNetwork,
                                   CreateVolume,
                                   CreateContainer,
                                   StartContainer>(plan);
        EXPECT_FALSE(makes) << to_text(plan);
        const Observed world = apply_all(pair.observed, plan, chance);
        EXPECT_EQ(of_others(world).containers, world.containers) << to_text(plan);
        EXPECT_EQ(of_others(world).networks, world.networks) << to_text(plan);
        EXPECT_TRUE(plan_down(pair.desired, world, {.remove_orphans = true}).actions.empty());
    });
}

TEST(EveryPlan, OfASettledWorldSaysSo) {
    for_each_pair(settled, [](const Pair& pair, Chance& chance) {
        Pair fresh = pair;
        fresh.options = {};
        if (is_refused(plan_of(fresh, pair.observed)))
            return;
        const Observed world = apply_all(pair.observed, plan_of(fresh, pair.observed), chance);
        EXPECT_EQ(to_text(plan_keep(pair.desired, world, {})).find('#'), std::string::npos);
        const Plan plan = plan_of(fresh, world);
        EXPECT_TRUE(plan.actions.empty()) << to_text(plan);
        for (const auto& name : plan.running)
            EXPECT_NE(find_container(world, name), nullptr) << name;
    });
}

}  // namespace stack::test
