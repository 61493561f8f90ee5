#pragma once

// overlayfs by the mount API (fsopen(2), fsconfig(2)), on every kernel from 5.12 on. Without
// exceptions: the shim, which has none, mounts its root with it.

#include <string>
#include <vector>

namespace stack::sys {

struct Overlay {
    std::vector<std::string> lowers;  // topmost first; two at least where there is no upper
    std::string upper;                // empty: read-only
    std::string work;                 // overlayfs's own, on the file system of `upper`
    bool is_volatile = false;         // nothing is synced: what is worthless after a crash
};

/// A new overlay, mounted nowhere: its descriptor. -1 with errno where the kernel refuses; `step`
/// is then what it refused. The working directory of the process is another one meanwhile.
[[nodiscard]] int make_overlay(const Overlay& overlay, std::string& step);

}  // namespace stack::sys
