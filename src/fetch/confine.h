#pragma once

#include "sys/fd.h"

#include <string>

namespace stack::fetch {

/// Takes from this process what it does not need: new privileges, capabilities beyond owning files,
/// and (Landlock) writing anywhere but in the store of images, the locks, and `target` (where it is
/// a directory). What a kernel lacks is left out.
void confine(const std::string& state, const std::string& run, const sys::Fd& target = {});

}  // namespace stack::fetch
