#pragma once

// One stage of a build, instruction by instruction: from its base to the state that it ends with.

#include <stack/events.h>
#include <stack/paths.h>

#include "base/once.h"
#include "engine/build/build.h"
#include "engine/build/cache.h"
#include "engine/build/complaints.h"
#include "engine/build/inputs.h"
#include "engine/build/shared_cache.h"
#include "engine/build/sources.h"
#include "engine/image/store.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace stack::build {

/// What the stages of a build share. Each of them works in a thread of its own.
struct Workshop {
    const Paths& paths;
    const BuildRequest& request;
    const BuildInputs& inputs;
    image::Store& store;
    const StepCache& cache;
    Sources& sources;
    Complaints& complaints;
    const EventSink& sink;
    /// What the caches that the build names say of steps that this machine has not run.
    StepLayers imported{};
    /// Postcondition: the stage is built, or has failed; `by` is the one that asks (stage_runs.h).
    std::function<void(std::size_t stage, std::size_t by)> need_stage{};
    /// The layers of the steps, by cache key: what two stages have in common is done once. nullopt
    /// where the step failed.
    Once<std::optional<std::string>> layers{};
};

/// nullopt where it cannot be built (the complaints say why), or another stage has failed.
[[nodiscard]] std::optional<State> build_stage(Workshop& shop, const PlannedStage& stage);

}  // namespace stack::build
