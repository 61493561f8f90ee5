#pragma once

// One tree over another: several -f, override files, documents of one file, extends
// (compose.md 1.5). Works on nodes, so that every value keeps its own place.

#include "loader/node.h"

namespace stack::loader {

/// `over` on top of `base`. `path` is where in the file both are: "services.web.ports".
void merge_into(Node& base, Node over, const std::string& path);

/// Carries out `!reset` (takes the value away) and `!override` (takes only its tag off) where
/// nothing lies below.
void resolve_tags(Node& node);

/// What comes at most once is there once: environment by name, ports by their words, volumes by
/// target …
void drop_duplicates(Node& node, const std::string& path);

}  // namespace stack::loader
