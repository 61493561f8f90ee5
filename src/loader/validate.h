#pragma once

// What a file leaves implicit, and what contradicts itself (compose.md 1.1).

#include <stack/load.h>

#include "loader/budget.h"

#include <initializer_list>

namespace stack::loader {

/// Lower case, only [a-z0-9_-], beginning with a letter or digit: what a project may be called.
[[nodiscard]] std::string normalized_name(const std::string& name);

/// Default network, real names, implicit dependencies. The names that links make, one in each
/// network, are paid for.
void normalize(Stack& stack, Budget& budget);

/// Takes networks, volumes, secrets and configs away that no service uses: they are not made.
void remove_unused(Stack& stack);

/// Takes services away whose profile is neither active nor one of a service in `named`; names stay
/// in disabled_services.
void apply_profiles(Stack& stack, Strings active, const Strings& named);

/// The place of a value in the merged file; of the nearest node above it where it has none of its
/// own. In a list, a name stands for the element that begins with it or refers to it.
[[nodiscard]] Location locate(const Node& root, std::initializer_list<std::string> path);

/// References that lead nowhere, cycles, contradictions. `root` is the merged file, for places.
void validate(const Stack& stack, const Node& root, Reporter& reporter);

}  // namespace stack::loader
