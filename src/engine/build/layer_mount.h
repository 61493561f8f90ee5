#pragma once

// The merged view of layers, with a directory on top that takes what is written: an overlay that is
// attached nowhere and so is in nobody's mount table. It lasts as long as its descriptor.

#include <stack/model.h>

#include "sys/fd.h"

#include <string>

namespace stack::build {

/// The root of `lowers` (topmost first, at least one) with `upper` on top; `work` is an empty
/// directory on the file system of `upper`. The upper directory is the whole difference then: no
/// redirects, no metadata-only copies.
[[nodiscard]] sys::Fd mount_layers(const Strings& lowers,
                                   const std::string& upper,
                                   const std::string& work);

/// The same, read-only and without an upper directory.
[[nodiscard]] sys::Fd mount_layers(const Strings& lowers);

/// Gives the root of a new upper directory the mode and owner of the root below it: an overlay
/// shows the upper's.
void inherit_root(const Strings& lowers, const std::string& upper);

}  // namespace stack::build
