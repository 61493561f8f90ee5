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

/// Waits for the word of those on the other side; ends where they have ended.
void await_go(int channel);

/// Sends the terminal's master, which is not this process's any more.
void hand_over_terminal(int channel, int master);

/// Names the machine that the container is, where that is its own.
void name_host(const Spec& spec);

/// A procfs that nobody mounts on: the container's own /proc may be covered, and is partly
/// read-only. To be had before that is there: a user namespace's own may have one only while none
/// that is in sight has parts covered (user_namespaces(7)).
[[nodiscard]] int private_proc();

/// `proc` is a procfs.
void set_sysctls(const std::vector<SettingSpec>& sysctls, int proc);

/// A session of its own, with the terminal if there is one.
void begin_session(int terminal);

/// Places the streams on 0 to 2, or the terminal if there is one, and closes every other descriptor
/// on exec.
void place_descriptors(StageStreams streams, int terminal);

/// Both.
void place_streams(StageStreams streams, int terminal);

/// Executes the program, found by the PATH of its own environment in its own root. Gives up with
/// 126 or 127.
[[noreturn]] void execute(const ProcessSpec& process, const Identity& identity);

/// Gives up, with 126 or 127, where execute() would not find the program.
void check_program(const ProcessSpec& process);

/// The program's descriptors from 3 on, so many, are those from `first` on.
void preserve_descriptors(std::uint32_t first, std::uint32_t count);

/// So that /dev/stdout can be opened again by whom it is for; devices are others', too.
void own_streams(const Identity& identity);

/// A terminal becomes its user's, in the size that is known.
void prepare_terminal(const ProcessSpec& process, int terminal, const Identity& identity);

/// Every signal as a new program expects it: not ignored, not blocked. What the shim ignores, and
/// the two that posix_spawn(3) of glibc leaves ignored (32, 33), would be inherited.
void reset_signals();

/// A working directory that is not there: a container's own is made, that of a command in one that
/// runs is a mistake.
enum class Missing { made, refused };

/// Goes to the working directory; must end inside the root (CVE-2024-21626).
void enter_working_directory(const std::string& path, Missing missing);

/// Puts this process into a container's control groups.
void join_cgroups(const std::vector<std::string>& attach_files, const std::string& v2_directory);

}  // namespace stack::shim
