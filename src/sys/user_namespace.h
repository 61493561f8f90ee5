#pragma once

// Who this process is for files that belong to users of another user namespace.

#include "sys/fd.h"

#include <cstdint>

namespace stack::sys {

/// Postcondition: this process, which has one thread, is the root of the namespace `users` (an open
/// /proc/PID/ns/user).
void join_users(const Fd& users);

/// While it lives, files that this thread makes belong to user and group `id`; its rights stay.
class FilesOf {
  public:
    explicit FilesOf(std::uint32_t id);
    ~FilesOf();
    FilesOf(const FilesOf&) = delete;
    FilesOf& operator=(const FilesOf&) = delete;

  private:
    unsigned long bits_;
};

}  // namespace stack::sys
