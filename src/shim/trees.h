#pragma once

// The parts of a container's file system that are the host's: its root, and what of files, volumes
// and images is mounted into it. Each is a tree that is mounted nowhere yet.

#include "shim/spec.h"

#include <vector>

namespace stack::shim {

struct Trees {
    int root = -1;
    std::vector<int> mounts;  // as spec.mounts; -1: a tmpfs, which the container makes
    // where the container may not make any
    int dev = -1;
    std::vector<int> devices;  // as spec.devices
};

[[nodiscard]] Trees make_trees(const Spec& spec);

/// A tmpfs as the user wants it.
[[nodiscard]] int make_tmpfs(const MountSpec& mount);

/// For a container with a user namespace of its own, whose stage may not make them: another process
/// does, in a mount namespace of its own, and they go to `channel`. Their files belong in the
/// container to whom they belong on the disk: the ids are mapped by the mounts (mount_setattr(2),
/// MOUNT_ATTR_IDMAP). `pid`: a process in that namespace. Returns when that is done.
void send_trees(const Spec& spec, int pid, int channel);

/// On the other side.
[[nodiscard]] Trees receive_trees(const Spec& spec, int channel);

}  // namespace stack::shim
