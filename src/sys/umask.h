#pragma once

// The umask of who calls is theirs: for files that they ask for. What this program keeps, and what
// containers see, has the modes that are written where it is made.

#include <cstdint>

namespace stack::sys {

/// From here on this process has the usual umask; the one it was started with is remembered.
void settle_umask();

/// While it lives, the process has the umask that it was started with (before settle_umask(): the
/// one that it has).
class CallersUmask {
  public:
    CallersUmask();
    ~CallersUmask();
    CallersUmask(const CallersUmask&) = delete;
    CallersUmask& operator=(const CallersUmask&) = delete;

  private:
    std::uint32_t before_;
};

}  // namespace stack::sys
