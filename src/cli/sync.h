#pragma once

// Paths of this machine made the same in a container.

#include "cli/watch_rules.h"
#include "engine/runtime/runtime.h"

#include <string>
#include <vector>

namespace stack::cli {

/// Postcondition: each target in the container is what the path is here (root's, as `cp` has it),
/// or is gone where nothing is here. Throws stack::Error where the container is gone, or has a
/// directory where a file goes.
void sync_paths(runtime::Runtime& runtime,
                const std::string& container_id,
                const std::vector<SyncedPath>& paths);

}  // namespace stack::cli
