#pragma once

// The engine as a world in memory, with switches to make it fail, for tests of what drives an
// engine. Nothing happens by itself: the effect and the completion of an action come with
// run_pending(), as if from an event loop.

#include <stack/engine.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace stack::test {

class FakeEngine final : public Engine {
  public:
    /// `clock` dates what happens; without one, time stands still at the epoch.
    explicit FakeEngine(std::function<Time()> clock = {});

    /// Everything there is, of any stack. Tests may change it at will.
    [[nodiscard]] Observed& world() { return world_; }

    /// Does what is under way and calls completions and wake-ups, also those that come up
    /// meanwhile, until there is nothing left but what is held. Returns how many calls it made.
    std::size_t run_pending();

    /// The next action of this verb (stack::verb(): "create", "start", …) fails, with `message` and
    /// without an effect. Calls add up: two of them are two failures.
    void fail_next(const std::string& verb, const std::string& message);

    /// What fail_next() asked for and has not come yet does not come.
    void fail_no_more() { failures_.clear(); }

    /// Actions of this verb stay under way until release().
    void hold(const std::string& verb) { held_.insert(verb); }

    void release(const std::string& verb) { held_.erase(verb); }

    /// The container's process ends by itself, with that status; wakes.
    void crash(const std::string& container, int status);
    /// Health as observe() shows it from now on; wakes.
    void become(const std::string& container, Health health);
    /// What health checks of the container find from now on. Without it: status 0.
    void answer_probes(const std::string& container, ProbeResult result);
    /// What a hook with this command ends with from now on. Without it: status 0.
    void answer_hook(const Strings& command, ProbeResult result);
    /// What a service would be built from now.
    void change_sources(const std::string& service, const std::string& source_digest);

    /// Pulls bring images for this platform from now on, whatever was asked for.
    void bring_images_for(std::string platform) { brought_platform_ = std::move(platform); }

    /// What port_conflicts() returns.
    void take_ports(Strings sentences) { port_conflicts_ = std::move(sentences); }

    /// How often a verb was asked for, failures included; and how often "observe", "probe",
    /// "set_health", "count_restart", "publish_names" were.
    [[nodiscard]] int calls(const std::string& verb) const;

    /// `verb object` of every action, and `hook NAME: COMMAND` of every hook, in the order in which
    /// they were asked for.
    [[nodiscard]] const Strings& history() const { return history_; }

    /// The run of a check that set_health() was told of last.
    [[nodiscard]] const HealthResult& latest_check() const { return latest_check_; }

    /// The names of running containers at the last publish_names(), in order.
    [[nodiscard]] const Strings& published() const { return published_; }

    /// As set_environment() gave them last.
    [[nodiscard]] const StringMap& environment() const { return environment_; }

    Observed observe(const Stack& desired, const ObserveOptions& options) override;
    void perform(const Action& action, const EventSink& events, Done done) override;

    void set_environment(StringMap variables) override { environment_ = std::move(variables); }

    void give_up_work() override { ++calls_["give_up_work"]; }

    Strings port_conflicts(const Stack& desired, const Observed& observed) override;
    void probe(const std::string& container_id, const Healthcheck& check, ProbeDone done) override;
    void run_hook(const std::string& container, const Hook& hook, ProbeDone done) override;
    void set_health(const std::string& container_id,
                    Health health,
                    int failing_streak,
                    const HealthResult& latest) override;
    void count_restart(const std::string& container_id) override;
    std::optional<Healthcheck> healthcheck(const std::string& container_id) override;
    void publish_names(const Stack& desired, const Observed& observed) override;

    void reconcile() override {}

    void on_change(std::function<void()> wake) override { wake_ = std::move(wake); }

  private:
    struct Pending {
        std::string verb;
        std::function<void()> call;
    };

    [[nodiscard]] ObservedContainer* find_id(const std::string& id);
    [[nodiscard]] Outcome carry_out(const Action& action);
    void wake_later();

    std::function<Time()> clock_;
    Observed world_;
    std::deque<Pending> pending_;
    std::set<std::string> held_;
    std::map<std::string, std::deque<std::string>> failures_;  // by verb
    std::map<std::string, ProbeResult> probe_results_;         // by container name
    std::map<Strings, ProbeResult> hook_results_;              // by command
    std::map<std::string, std::string> sources_;               // by service
    std::map<std::string, int> calls_;
    std::string brought_platform_;  // empty: the one that was asked for
    StringMap environment_;
    Strings history_;
    HealthResult latest_check_;
    Strings published_;
    Strings port_conflicts_;
    std::function<void()> wake_ = [] {};
};

}  // namespace stack::test
