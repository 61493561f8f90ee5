#pragma once

// The loop of one project: look, decide, act, wait. Level-triggered: an event only wakes it, and a
// look every ten seconds would find the same without any.

#include <stack/engine.h>
#include <stack/paths.h>
#include <stack/supervise.h>

#include "supervise/drift.h"
#include "supervise/executor.h"
#include "supervise/health_checks.h"
#include "supervise/history.h"
#include "supervise/hooks.h"
#include "supervise/restarts.h"
#include "supervise/timers.h"
#include "supervise/waits.h"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace stack::supervise {

/// The answer to a request: 0, or 1 after an event that says why.
using Answer = std::function<void(int exit)>;

class Supervisor {
  public:
    using Ticket = std::uint64_t;

    Supervisor(Engine& engine, Timers& timers, Paths paths, std::string project);
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    /// Takes up what runs. Call once, before anything else.
    void adopt();

    /// Carries requests out one after another.
    Ticket ask(Request request, EventSink events, Answer answer);

    /// Who asked has gone. An `up` or a `run` ends where it is: nothing more is begun, what is
    /// waited for, pulled or built is given up. What is on its way down goes on.
    void withdraw(Ticket ticket);

    /// Moves what it keeps together, for who then gives the memory between it back.
    void compact();

    /// Whether the project has nothing left and nothing to do: the process may end.
    [[nodiscard]] bool is_over() const { return over_ && queue_.empty() && !busy_; }

    /// Called (from the loop) whenever is_over() may have become true.
    void on_idle(std::function<void()> idle) { idle_ = std::move(idle); }

    /// Asked before anything is done unasked: whether the project is still this one's to look
    /// after. Where it is not, on_idle() is called instead.
    void while_in_charge(std::function<bool()> is_in_charge) {
        is_in_charge_ = std::move(is_in_charge);
    }

  private:
    struct Asked {
        Request request;
        EventSink events;
        Answer answer;
        bool own = false;  // the supervisor's own wish, not a person's
        Ticket ticket = 0;
        bool images_are_there = false;  // it is the rest of one that images_first() has divided
    };

    void wake();
    void look();
    void next_request();
    void abandon_waits(const std::string& reason);
    void proceed(const Asked& asked);
    void carry_out(const Asked& asked);
    void remember(const Asked& asked, Stack wanted);
    bool refuse(const Asked& asked,
                const Plan& plan,
                const Stack& wanted,
                const Observed& observed) const;
    void finish(const Asked& asked, bool succeeded);
    void perform(const Action& action, const EventSink& events, Done done);
    void start_container(const StartContainer& action, const EventSink& events, Done done);
    void tell_restart(const Strings& services);
    void started(const StartContainer& action, const Outcome& outcome);

    [[nodiscard]] Returning returning() const;
    [[nodiscard]] std::set<std::string> starting_names() const;
    void restart_followers(const Strings& services);
    void put_drift_right(const Observed& observed);
    void ask_myself(Request request);
    [[nodiscard]] bool is_abandoned(const ObservedContainer& container) const;
    void remove_ended(const Observed& observed);
    void leave_networks(const Observed& observed);
    void schedule();

    Engine& engine_;
    Timers& timers_;
    Hooks hooks_;
    Waits waits_;
    HealthChecks health_checks_;
    Paths paths_;
    std::string project_;
    Restarts restarts_;
    Drift drift_;
    History history_;
    Stack desired_;
    std::deque<Asked> queue_;
    bool busy_ = false;
    Ticket last_ticket_ = 0;
    Ticket under_way_ = 0;              // of the request that is being carried out
    std::weak_ptr<Executor> executor_;  // of an `up` or a `run`
    bool over_ = false;
    Moment next_reconcile_{};
    bool awake_ = false;  // a look is on its way
    std::map<std::string, std::vector<Done>>
        starting_;                    // by name: who waits for a start that is under way
    std::set<std::string> removing_;  // ids of ended containers
    bool keeps_anew_ = false;         // a command is over: what it left is yet to be noted
    std::function<void()> idle_ = [] {};
    std::function<bool()> is_in_charge_ = [] { return true; };
};

}  // namespace stack::supervise
