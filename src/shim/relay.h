#pragma once

// What stands between a caller and its command in a container: terminal, window size and signals.

namespace stack::shim {

/// Keeps the signals that the relays pass on for them; called before the command is made, so that
/// none is lost. The command itself unblocks them.
void hold_signals();

/// Copies between this process's standard streams and a terminal until `pid` has ended; returns its
/// wait status. This process's own terminal is raw meanwhile.
[[nodiscard]] int relay_terminal(int master, int pid);

/// Waits until `pid` has ended; returns its wait status.
[[nodiscard]] int relay_signals(int pid);

/// A wait status as a shell has it: the exit code, or 128 + signal.
[[nodiscard]] int shell_status(int status);

}  // namespace stack::shim
