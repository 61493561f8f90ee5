// Whatever a person and fate do, in whatever order: what is there in the end is what the person
// wanted last, as a model of a few lines has it. A failure names its seed and what was done.
// Actions fail meanwhile: the supervisor tries its own again, and a person whose command failed
// gives it again, until it is done.
// STACK_LIVES: how many lives are lived (default 60).

#include "tests/property/chance.h"
#include "tests/supervise/household.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::uint64_t lives() {
    const char* text = std::getenv("STACK_LIVES");  // NOLINT(concurrency-mt-unsafe)
    return text == nullptr ? 60 : std::stoull(text);
}

/// One stack, what is done to it, and how each of its containers should be once all is calm.
class Life {
  public:
    explicit Life(std::uint64_t seed) : chance_(seed) {
        add("always", RestartCondition::always).scale = 2;
        add("unless", RestartCondition::unless_stopped);
        add("failing", RestartCondition::on_failure);
        add("job", RestartCondition::no);
    }

    void live() {
        constexpr int steps = 30;
        for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
            step();
            if (chance_.one_in(3))
                expect_as_wanted();
            else
                house_.pass(milliseconds(chance_.below(3000)));
            expect_no_more_than_wanted();
        }
        if (!testing::Test::HasFailure())
            end();
    }

    [[nodiscard]] const std::string& story() const { return story_; }

  private:
    Service& add(const std::string& name, RestartCondition condition) {
        Service& service = house_.add(name);
        service.restart.condition = condition;
        service.scale = 1;
        names_.push_back(name);
        return service;
    }

    void tell(const std::string& what) { story_ += what + "\n"; }

    void step() {
        switch (chance_.below(11)) {
            case 0:
            case 1:
                up(some_services());
                return;
            case 2:
                return edit();
            case 3:
                return command("stop", "exited");
            case 4:
                return command("start", "running");
            case 5:
                return command("restart", "running");
            case 6:
                return remove(some_services());
            case 7:
                return take_away();
            case 8:
                tell("supervisor dies");
                return house_.replace_supervisor();
            default:
                return crash();
        }
    }

    /// The next actions of one kind fail.
    void arm(const Strings& verbs) {
        const std::string& verb = chance_.pick(verbs);
        const auto times = 1 + chance_.below(2);
        tell("to fail: " + verb + " " + std::to_string(times));
        for (std::uint64_t i = 0; i < times; ++i)
            house_.engine.fail_next(verb, "the disk is full");
    }

    /// A command of the person's, which is given again where it has failed, at once or later.
    void insist(const std::function<int()>& give) {
        constexpr int most_failures = 3;
        house_.engine.fail_no_more();
        for (int i = 0; i < most_failures && chance_.one_in(3); ++i) {
            arm({"create", "start", "stop", "remove", "update"});
            const int status = give();
            house_.engine.fail_no_more();
            if (status == 0)
                return;  // nothing of that kind was to be done
            EXPECT_EQ(status, 1);
            tell("failed");
            if (chance_.one_in(2))
                house_.pass(seconds(chance_.below(200)));
            if (chance_.one_in(4))
                house_.replace_supervisor();
        }
        EXPECT_EQ(give(), 0);
    }

    /// Some, in the file's order; or none, which is all.
    Strings some_services() {
        Strings some;
        for (const auto& name : names_)
            if (chance_.one_in(2))
                some.push_back(name);
        return some.size() == names_.size() ? Strings{} : some;
    }

    template <class Each>
    void for_containers(const Strings& services, const Each& each) {
        for (auto& [name, state] : wanted_)
            if (services.empty() ||
                std::find(services.begin(), services.end(), service_of(name)) != services.end())
                each(name, state);
    }

    static std::string service_of(const std::string& container) {
        const auto begin = container.find('-') + 1;
        return container.substr(begin, container.rfind('-') - begin);
    }

    static std::string listed(const Strings& services) {
        std::string text;
        for (const auto& name : services)
            text += " " + name;
        return text;
    }

    void up(const Strings& services) {
        tell("up" + listed(services));
        for (const auto& [name, service] : house_.stack.services) {
            if (!services.empty() &&
                std::find(services.begin(), services.end(), name) == services.end())
                continue;
            const auto numbers = numbers_after_up(name, service.scale.value_or(1));
            for (int i = 1; i <= most_replicas; ++i)
                wanted_[replica(name, i)] = numbers.contains(i) ? "running" : "absent";
        }
        insist([&] { return house_.up({.services = services}); });
    }

    static std::string replica(const std::string& service, int number) {
        return "shop-" + service + "-" + std::to_string(number);
    }

    /// Those that are there stay, the lowest first; then gaps are filled.
    std::set<int> numbers_after_up(const std::string& service, int scale) {
        std::set<int> numbers;
        for (int i = 1; i <= most_replicas; ++i)
            if (house_.state(replica(service, i)) != "absent" &&
                static_cast<int>(numbers.size()) < scale)
                numbers.insert(i);
        for (int i = 1; static_cast<int>(numbers.size()) < scale; ++i)
            numbers.insert(i);
        return numbers;
    }

    void edit() {
        Service& service = house_.stack.services[chance_.pick(names_)];
        if (chance_.one_in(2))
            service.scale = static_cast<int>(1 + chance_.below(most_replicas));
        else
            service.command = Strings{"sleep", std::to_string(chance_.below(1000))};
        tell("edit " + service.name + " scale " + std::to_string(service.scale.value_or(1)));
    }

    /// Of services that have containers: of others it is refused.
    void command(const std::string& verb, const std::string& becomes) {
        Strings services;
        for (const auto& name : some_services())
            if (house_.state("shop-" + name + "-1") != "absent")
                services.push_back(name);
        if (services.empty())
            return;
        tell(verb + listed(services));
        for_containers(services, [&](const auto& name, std::string& state) {
            // What somebody took away and could not be brought back yet is not stopped either.
            if (becomes == "exited" && house_.state(name) == "absent")
                state = "absent";
            if (state != "absent")
                state = becomes;
        });
        Request request;
        request.verb = verb;
        request.services = services;
        insist([&] { return house_.ask(request); });
    }

    void remove(const Strings& services) {
        tell("rm -s" + listed(services));
        for_containers(services, [](const auto&, std::string& state) { state = "absent"; });
        Request request;
        request.verb = "rm";
        request.stop = true;
        request.services = services;
        insist([&] { return house_.ask(request); });
    }

    [[nodiscard]] ObservedContainer* some_running() {
        std::vector<ObservedContainer*> running;
        for (auto& container : house_.engine.world().containers)
            if (container.state == ContainerState::running)
                running.push_back(&container);
        return running.empty() ? nullptr : chance_.pick(running);
    }

    void crash() {
        const auto* container = some_running();
        if (container == nullptr)
            return;
        const int status = chance_.one_in(2) ? 1 : 0;
        tell("crash " + container->name + " " + std::to_string(status));
        std::string& state = wanted_[container->name];
        const auto condition = container->service_config->restart.condition;
        if (state == "running" && (condition == RestartCondition::no ||
                                   (condition == RestartCondition::on_failure && status == 0)))
            state = "exited";
        if (chance_.one_in(3))
            arm({"start"});
        house_.engine.crash(container->name, status);
    }

    void take_away() {
        const auto* container = some_running();
        if (container == nullptr)
            return;
        const std::string name = container->name;
        tell("take away " + name);
        std::string& state = wanted_[name];
        if (state == "running" &&
            container->service_config->restart.condition == RestartCondition::no)
            state = "absent";
        if (chance_.one_in(3))
            arm({"create", "start"});
        std::erase_if(house_.engine.world().containers,
                      [&](const auto& one) { return one.name == name; });
        house_.pass(seconds(10));  // a command for it that comes before the look takes it as it is
    }

    /// Longer than any pause between two tries.
    void expect_as_wanted() {
        house_.pass(minutes(3));
        tell("calm");
        for (const auto& [name, state] : wanted_) {
            const std::string is = house_.state(name);
            const bool never_started = is == "created" && state == "exited";  // stopped, too
            EXPECT_TRUE(is == state || never_started) << name << " is " << is << ", not " << state;
        }
    }

    void expect_no_more_than_wanted() {
        std::map<std::string, int> count;
        for (const auto& container : house_.engine.world().containers) {
            EXPECT_EQ(++count[container.name], 1) << container.name;
            EXPECT_NE(wanted_[container.name], "") << container.name << " was never asked for";
        }
    }

    void end() {
        tell("the end");
        up({});
        expect_as_wanted();
        EXPECT_TRUE(
            plan_up(house_.stack, house_.engine.observe(house_.stack, {}), {}).actions.empty());
        EXPECT_FALSE(house_.is_over());
        insist([&] { return house_.down(); });
        EXPECT_TRUE(house_.engine.world().containers.empty());
        EXPECT_TRUE(house_.engine.world().networks.empty());
        EXPECT_TRUE(house_.is_over());
    }

    static constexpr int most_replicas = 3;
    Household house_;
    Chance chance_;
    Strings names_;
    std::map<std::string, std::string> wanted_;  // "running", "exited", "absent"
    std::string story_;
};

TEST(RandomLives, EndAsWasWantedLast) {
    for (std::uint64_t seed = 0; seed < lives(); ++seed) {
        Life life(seed);
        life.live();
        ASSERT_FALSE(HasFailure()) << "seed " << seed << ":\n" << life.story();
    }
}

}  // namespace
}  // namespace stack::test
