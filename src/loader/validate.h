#pragma once

// What a file leaves implicit, and what contradicts itself (compose.md 1.1).

#include <stack/load.h>

#include "loader/reader.h"

namespace stack::loader {

/// Lower case, only [a-z0-9_-], beginning with a letter or digit: what a project may be called.
[[nodiscard]] std::string normalized_name(const std::string& name);

/// Default network, real names, implicit dependencies.
void normalize(Stack& stack);

/// Takes services away whose profile is neither active nor one of a service in `named`; names stay
/// in disabled_services.
void apply_profiles(Stack& stack, Strings active, const Strings& named);

/// References that lead nowhere, cycles, contradictions. `root` is the merged file, for places.
void validate(const Stack& stack, const Node& root, Reporter& reporter);

}  // namespace stack::loader
