#pragma once

// What the store of images must keep beside what has a name there.

#include <stack/paths.h>

#include "engine/image/store.h"

namespace stack::engine {

/// The images and layers that containers were made from or mount, and the layers that builds would
/// reuse.
[[nodiscard]] image::InUse find_in_use(const Paths& paths);

/// Forgets what builds would reuse.
void clear_build_cache(const Paths& paths);

}  // namespace stack::engine
