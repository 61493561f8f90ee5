#pragma once

// The container's file system, built inside its own mount namespace: an overlay, what the kernel
// offers, what the user mounts, and nothing of the host's. Every path of the container is resolved
// from a descriptor of its root with openat2(2) RESOLVE_IN_ROOT; every mount is attached to a
// descriptor (move_mount(2)).

#include "shim/spec.h"
#include "shim/trees.h"

namespace stack::shim {

/// A terminal of the container's own devpts; -1 where there is none.
struct Terminal {
    int master = -1;
    int slave = -1;
};

/// Builds everything up to, and including, the change of root, in a mount namespace that is
/// separate already; with a user namespace of its own, as its root from then on. Gives up with the
/// step that failed.
Terminal enter_root(const Spec& spec, const Trees& trees);

/// Likewise, of the files alone: the overlay and what the user mounts, for those who look at them
/// while nothing runs.
void enter_files(const Spec& spec);

}  // namespace stack::shim
