#pragma once

// Which services a command is about, and in which order they depend on each other.

#include <stack/model.h>

namespace stack::plan {

/// The named services (all where none is named), with their dependencies unless `no_deps`;
/// dependencies first, else by name. A dependency that is not in the stack is left out.
[[nodiscard]] Strings selected_services(const Stack& stack, const Strings& named, bool no_deps);

}  // namespace stack::plan
