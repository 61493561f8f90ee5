#pragma once

// The set-up stage: the first process of a container, from clone3(2) to execve(2).

#include "shim/spec.h"
#include "shim/user.h"

namespace stack::shim {

/// The child's ends of what its shim made for it.
struct StageStreams {
    int input = -1;  // -1: /dev/null
    int output = -1;
    int error = -1;
};

/// Never returns. `channel` is a SOCK_SEQPACKET socket to the shim: faults and the terminal go out,
/// one message "go" comes in when the interfaces are there; end of file there means that the
/// program runs.
[[noreturn]] void run_stage(const Spec& spec, StageStreams streams, int channel);

/// Places the streams on 0 to 2, takes the terminal if there is one, and closes every other
/// descriptor on exec.
void place_streams(StageStreams streams, int terminal);

/// Executes the program, found by the PATH of its own environment in its own root. Gives up with
/// 126 or 127.
[[noreturn]] void execute(const ProcessSpec& process, const Identity& identity);

/// Every signal as a new program expects it: not ignored, not blocked. What the shim ignores, and
/// the two that posix_spawn(3) of glibc leaves ignored (32, 33), would be inherited.
void reset_signals();

/// Goes to the working directory, made where it is missing; must end inside the root
/// (CVE-2024-21626).
void enter_working_directory(const std::string& path);

/// Puts this process into a container's control groups.
void join_cgroups(const std::vector<std::string>& attach_files, const std::string& v2_directory);

}  // namespace stack::shim
