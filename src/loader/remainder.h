#pragma once

// What a stack file says and no Stack holds, because nothing here acts on it: extensions (`x-…`),
// models, placement and their like. `stack config` prints it all the same.

#include "loader/node.h"
#include "loader/print.h"

namespace stack::loader {

/// Of the merged file: the mappings around it, and it.
[[nodiscard]] Json remainder_of(const Node& root);

/// Adds it to a canonical file, where that has the service, network, volume, secret or config that
/// it is of. What is there already stays.
void add_remainder(Json& file, const Json& remainder);

}  // namespace stack::loader
