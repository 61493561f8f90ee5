#pragma once

// What stands between a caller and its command in a container: terminal, window size and signals.

namespace stack::shim {

/// Keeps the signals that the relays pass on for them; called before the command is made, so that
/// none is lost. The command itself unblocks them.
void hold_signals();

/// The ends of a command's standard streams that this process holds; -1: it has no other.
struct CommandStreams {
    int input = -1;
    int output = -1;
    int error = -1;
    bool is_terminal = false;
};

/// All three of one whose terminal has this master.
[[nodiscard]] CommandStreams streams_of_terminal(int master);

/// Passes signals, and between this process's standard streams and the command's all that comes,
/// until `pid` has ended and what it printed is passed on; returns its wait status. This process's
/// own terminal is raw meanwhile, where the command has one.
/// What others who still hold the command's pipes print is passed on until they close them, at most
/// two seconds longer (as Docker does).
[[nodiscard]] int relay(const CommandStreams& streams, int pid);

/// A wait status as a shell has it: the exit code, or 128 + signal.
[[nodiscard]] int shell_status(int status);

}  // namespace stack::shim
