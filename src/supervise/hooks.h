#pragma once

// Commands that a service wants run inside its containers at the turns of their life.

#include <stack/engine.h>

#include "supervise/timers.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace stack::supervise {

/// One turn of one container's life.
struct HookRun {
    std::string name;  // post_start, pre_stop
    std::string container;
    std::vector<Hook> hooks;
};

class Hooks {
  public:
    Hooks(Engine& engine, Timers& timers) : engine_(engine), timers_(timers) {}

    /// Runs the hooks one after another; the first that fails is the outcome. Where there is no
    /// process left to prepare for its stop, there is nothing to do.
    void run(HookRun what, Done done);

    /// Whoever waits for hooks waits no longer; what runs inside goes on.
    void abandon(const std::string& reason);

  private:
    struct Run {
        HookRun what;
        Done done;
        std::size_t next = 0;
    };

    void proceed(const std::shared_ptr<Run>& run);
    void finish(const std::shared_ptr<Run>& run, Outcome outcome);

    Engine& engine_;
    Timers& timers_;
    std::set<std::shared_ptr<Run>> running_;
};

}  // namespace stack::supervise
