#pragma once

// What a stack file says and no Stack holds, because nothing here acts on it: extensions (`x-…`),
// models, placement and their like; and what it says under `deploy` of an attribute that the service
// has by another name, too. `stack config` prints it all the same, and where it is written.

#include "loader/node.h"
#include "loader/print.h"

namespace stack::loader {

/// Of the merged file: the mappings around it, and it.
[[nodiscard]] Json remainder_of(const Node& root);

/// Adds it to a canonical file, where that has the service, network, volume, secret or config that
/// it is of. What is there already stays.
void add_remainder(Json& file, const Json& remainder);

}  // namespace stack::loader
