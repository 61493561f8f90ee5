#pragma once

// Which steps the cache forgets, and which of what else builds keep (room.h weighs all of it).
//
// After a build, at most once an hour: what was not used for 30 days, and of the rest the longest
// unused until what only builds need takes at most 20 GB. `stack builder prune` forgets more. A
// layer goes from the disk with the last image, container, build and step that needs it.

#include <stack/model.h>

#include "engine/build/cache.h"
#include "engine/image/store.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace stack::build {

constexpr std::int64_t longest_unused = std::int64_t{30} * 24 * 3600;  // seconds

struct CachePolicy {
    std::optional<std::int64_t> unused_for;  // seconds: younger ones stay
    std::optional<std::int64_t> most_bytes;  // that the layers of those that stay may take
    bool all = false;                        // also steps whose layers cost nothing
};

/// The bytes of a layer that goes with the step; 0 where an image has it, too, or it is not there.
using LayerCost = std::function<std::int64_t(const std::string& layer)>;
[[nodiscard]] LayerCost cost_in(const image::Store& store);

/// The keys of the steps to forget. Pure. Where the policy sets no bound, every step goes that
/// costs something.
[[nodiscard]] Strings steps_to_forget(std::vector<CachedStep> steps,
                                      const CachePolicy& policy,
                                      const LayerCost& cost,
                                      std::int64_t now);

/// Those that a build forgets: either bound is enough. Pure.
[[nodiscard]] Strings steps_over_bounds(const std::vector<CachedStep>& steps,
                                        const LayerCost& cost,
                                        std::int64_t now);

}  // namespace stack::build
