#pragma once

// One tree over another: several -f, override files, documents of one file, extends
// (compose.md 1.5). Works on nodes, so that every value keeps its own place.

#include "loader/node.h"

#include <string>
#include <vector>

namespace stack::loader {

/// The keys from the root of a file to a value: {"services", "web", "ports"}.
using KeyPath = std::vector<std::string>;

/// `over` on top of `base`, both of which stand at `path`.
void merge_into(Node& base, Node over, const KeyPath& path);

/// Carries out `!reset` (takes the value away) and `!override` (takes only its tag off) where
/// nothing lies below.
void resolve_tags(Node& node);

/// What comes at most once is there once: environment by name, ports by what they publish, volumes
/// by target …
void drop_duplicates(Node& node, const KeyPath& path);

}  // namespace stack::loader
