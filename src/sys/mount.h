#pragma once

// Mounts that are nowhere in the host's table: used through their descriptor, gone with it.

#include "sys/fd.h"

#include <string>
#include <vector>

namespace stack::sys {

/// The merged content of directories (topmost first), read-only, as a directory descriptor.
[[nodiscard]] Fd merged_view(const std::vector<std::string>& lowers);

/// The same with `upper` on top, writable; `work` is overlayfs's own, empty, and must lie on the
/// same file system. The upper directory is the whole difference then: no redirects, no
/// metadata-only copies. The overlay syncs nothing: whoever keeps the upper directory does.
[[nodiscard]] Fd writable_view(const std::vector<std::string>& lowers,
                               const std::string& upper,
                               const std::string& work);

/// The file or directory at `path` through a mount of its own, in no mount namespace, that refuses
/// whoever wants to write, through /proc/PID/exe, too (mount_setattr(2), Linux 5.12).
[[nodiscard]] Fd read_only_view(const std::string& path);

}  // namespace stack::sys
