#pragma once

// Making room: all that builds keep to be faster the next time, weighed against one another.

#include <stack/paths.h>

#include "engine/build/cache_policy.h"
#include "engine/build/kept.h"
#include "engine/image/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stack::build {

/// One thing that builds keep.
struct Holding {
    CachedStep step;  // for what is none: by a key that no step has
    std::string kind = "step";
    std::string id;
    std::optional<Kept> kept;
};

/// The last used first.
[[nodiscard]] std::vector<Holding> list_holdings(const Paths& paths);

/// The bytes that go with a step's layer, or with what stands for one.
[[nodiscard]] LayerCost cost_of(const image::Store& store, const std::vector<Holding>& holdings);

struct Room {
    Strings steps;  // forgotten
    std::int64_t freed = 0;
};

/// Postcondition: what the policy does not keep is gone, and so are layers that nothing needs any
/// more. What an image, a container or a running build needs stays; so does a cache mount that a
/// step has.
[[nodiscard]] Room make_room(const Paths& paths,
                             const CachePolicy& policy,
                             const image::FindInUse& find_in_use);

/// The same by the bounds of cache_policy.h; at most once an hour, for looking at everything costs
/// more than a build that finds all its steps. Where it cannot be done, a warning says so: what was
/// built is built.
void keep_within_bounds(const Paths& paths, const image::FindInUse& find_in_use);

}  // namespace stack::build
