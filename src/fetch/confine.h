#pragma once

#include "sys/fd.h"

#include <string>

namespace stack::fetch {

/// Takes from this process what it does not need: new privileges, other programs and processes
/// (seccomp), capabilities beyond owning files, and (Landlock) writing anywhere but in the store of
/// images, the locks, and `target` (where it is a directory). What a kernel lacks is left out.
void confine(const std::string& state, const std::string& run, const sys::Fd& target = {});

/// The same for who unpacks an archive that is open already: nothing is read or written but what
/// lies below `directory`, and there is no network.
void confine_to(const sys::Fd& directory);

}  // namespace stack::fetch
