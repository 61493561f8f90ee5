#pragma once

// The engine as the supervisor sees it: look, and do one action at a time. The real one
// (src/engine/engine.h) drives the kernel; the fake one (tests/support/fake_engine.h) is a world in
// memory. Both pass the same contract test.
//
// Concurrency: everything is called from the thread of one event loop. A completion is called
// exactly once, from that loop, never from inside the call that it completes. Several actions may
// be under way at once.

#include <stack/error.h>
#include <stack/events.h>
#include <stack/model.h>
#include <stack/observed.h>
#include <stack/plan.h>

#include <functional>
#include <optional>
#include <string>

namespace stack {

/// nullopt: the action's postcondition holds.
using Outcome = std::optional<Error>;
using Done = std::function<void(Outcome)>;

/// What a health check or the process of a hook did. `timed_out`: it was ended after its timeout.
struct ProbeResult {
    int exit_code = 0;
    bool timed_out = false;
    std::string output;  // the first 4096 bytes
};

using ProbeDone = std::function<void(ProbeResult)>;

struct ObserveOptions {
    bool builds = false;  // compute the source digest of every service with a build section
    bool files = false;   // look whether bound files are still those that running containers have
};

class Engine {
  public:
    virtual ~Engine() = default;

    /// All that carries the stack's name, and the images its services name. Throws stack::Error.
    virtual Observed observe(const Stack& desired, const ObserveOptions& options) = 0;

    /// Pulls and builds that begin from here on see these variables, which are those of whoever
    /// asked for them: their credentials, proxies and agents. None: the engine's own.
    virtual void set_environment(StringMap variables) = 0;

    /// Brings about the postcondition of `action` (named in plan.h); succeeds at once where it
    /// holds already. AwaitHealthy and AwaitCompleted are not the engine's.
    virtual void perform(const Action& action, const EventSink& events, Done done) = 0;

    /// Ends the pulls and builds that are under way; their actions fail.
    virtual void give_up_work() = 0;

    /// Checks that every port in `desired` that is not held by one of its own containers can be
    /// bound; returns a sentence a conflict, naming the process or container that holds it.
    virtual Strings port_conflicts(const Stack& desired, const Observed& observed) = 0;

    /// Asks once as the check says: by its command inside a running container, or by a probe.
    virtual void probe(const std::string& container_id,
                       const Healthcheck& check,
                       ProbeDone done) = 0;

    /// Runs a hook's command inside a running container, for as long as it takes.
    virtual void run_hook(const std::string& container_id_or_name,
                          const Hook& hook,
                          ProbeDone done) = 0;

    /// Records a container's health where observe() finds it, what its name answers to, and the
    /// run of its check that says so.
    virtual void set_health(const std::string& container_id,
                            Health health,
                            int failing_streak,
                            const HealthResult& latest) = 0;

    /// Counts one restart by policy, where observe() finds the count.
    virtual void count_restart(const std::string& container_id) = 0;

    /// The health check that applies to a container: its own or its image's; nullopt when there is
    /// none.
    virtual std::optional<Healthcheck> healthcheck(const std::string& container_id) = 0;

    /// Publishes the names of the running containers of the stack to its name service, which runs
    /// while there are networks of the stack.
    virtual void publish_names(const Stack& desired, const Observed& observed) = 0;

    /// Puts right what others took away from under live containers (a bridge, rules), and takes
    /// away what makers that died have left. Cheap where nothing has changed.
    virtual void reconcile() = 0;

    /// Calls `wake` (from the loop) whenever something may have changed: a container ended, a shim
    /// spoke. A wake-up carries nothing: look again.
    virtual void on_change(std::function<void()> wake) = 0;
};

}  // namespace stack
