#pragma once

// Device nodes of a container: those that every one has, and those of the host's that it is given.

#include "shim/spec.h"

#include <vector>

namespace stack::shim {

[[nodiscard]] bool has_shared_memory(const Spec& spec);

/// A /dev, mounted nowhere: nodes and links that every one has, and places for what the kernel
/// mounts below it.
[[nodiscard]] int make_dev(const Spec& spec);

/// A device of the host's inside the container, by its number.
void add_device(int root, const DeviceSpec& device);

/// The same for a container that may not make any: a tree of each, owned by whoever of its own
/// users has the id. `place`: a directory to hang a file system over for a moment.
[[nodiscard]] std::vector<int> make_device_trees(const Spec& spec, int place);

}  // namespace stack::shim
