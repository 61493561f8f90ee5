#pragma once

namespace stack::shim {

/// Connects the caller's terminal (descriptors 0 and 1) with `master` until process `pid` ends: raw
/// mode, size changes, everything printed before its end. Returns the wait status; the terminal is
/// as it was.
int relay_terminal(int master, int pid);

}  // namespace stack::shim
