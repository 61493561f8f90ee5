#pragma once

// What closes a container's file system off from the host's, and what opens a terminal in it:
// common to images and bundles.

#include "shim/rootfs.h"
#include "shim/spec.h"

#include <array>

namespace stack::shim {

/// Links that every /dev has: what they lead to, and their names.
constexpr std::array<std::array<const char*, 2>, 6> device_links{{{"/proc/self/fd", "fd"},
                                                                  {"/proc/self/fd/0", "stdin"},
                                                                  {"/proc/self/fd/1", "stdout"},
                                                                  {"/proc/self/fd/2", "stderr"},
                                                                  {"/proc/kcore", "core"},
                                                                  {"pts/ptmx", "ptmx"}}};

/// Mounts of the host still arrive, none of ours leaves.
void separate_mounts();

/// A terminal of the devpts at /dev/pts of `root`, which is /dev/console, too; `dev` is its /dev.
[[nodiscard]] Terminal open_terminal(int root, int dev);

void protect_paths(int root, const Spec& spec);

/// Files are covered by the host's /dev/null (never the container's: CVE-2025-31133), directories
/// by one empty one.
void mask_paths(int root, const Spec& spec);

/// From the namespace's own root, not a chroot's: what joins the container later begins there.
void change_root(int root, const Spec& spec);

/// That of this process.
void make_root_read_only();

}  // namespace stack::shim
