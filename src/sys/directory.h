#pragma once

// What is in a directory, with what the directory itself says of it: walks of large trees ask
// about each file once.

#include "sys/fd.h"

#include <string>
#include <vector>

#include <sys/types.h>

namespace stack::sys {

struct DirectoryEntry {
    std::string name;
    mode_t type = 0;  // S_IFREG, S_IFDIR …; 0 where the file system does not say
};

/// Sorted by name, without . and .. `directory` is new: it is read from where it stands.
[[nodiscard]] std::vector<DirectoryEntry> entries_in(const Fd& directory);

}  // namespace stack::sys
