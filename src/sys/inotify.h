#pragma once

// The kernel's word that files have changed.

#include "sys/fd.h"

namespace stack::sys {

/// A new instance of inotify(7) that does not block. There may be few of them: an error says how
/// to have more.
[[nodiscard]] Fd make_inotify();

}  // namespace stack::sys
