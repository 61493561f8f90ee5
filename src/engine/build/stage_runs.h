#pragma once

// The stages of a build under way: each once, in a thread of its own, as soon as those that it
// needs are there.

#include "engine/build/stages.h"

#include <cstddef>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <set>

namespace stack::build {

class StageRuns {
  public:
    using BuildStage = std::function<void(const PlannedStage&)>;

    StageRuns(const BuildPlan& plan, BuildStage build);

    /// Builds all that the target needs. Throws what a stage threw.
    void run();

    /// Postcondition: the stage has been built, or has failed. For what the plan does not know: the
    /// ONBUILD of a base names it, while the stage `by` is being built. Throws stack::Error where
    /// one of the two waits for the other.
    void need(std::size_t stage, std::size_t by);

  private:
    using Run = std::shared_future<void>;

    Run start(std::size_t stage);
    [[nodiscard]] bool leads_to(std::size_t from, std::size_t to) const;

    const BuildPlan& plan_;
    BuildStage build_;
    std::mutex mutex_;
    std::map<std::size_t, std::set<std::size_t>> needs_;
    std::map<std::size_t, Run> runs_;  // invalid: being started
};

}  // namespace stack::build
