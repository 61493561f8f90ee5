#pragma once

// Processes: starting them without copying this one, and telling them apart from later ones of the
// same pid.

#include "sys/fd.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stack::sys {

/// Variables as exec(2) takes them.
[[nodiscard]] std::vector<std::string> environment_strings(
    const std::map<std::string, std::string>& variables);

struct SpawnOptions {
    std::vector<std::string> arguments;                   // with argv[0]
    std::optional<std::vector<std::string>> environment;  // nullopt: this process's
    std::vector<std::pair<int, int>>
        descriptors;  // {ours, the child's}; nothing else but 0-2 is inherited
    bool new_session = false;
};

/// A child process that this process must wait for.
struct Child {
    int pid = 0;
    Fd pidfd;
};

/// Runs the program at `path` by posix_spawn (no copy of this process's memory). Signals are at
/// their defaults in the child.
[[nodiscard]] Child spawn(const std::string& path, const SpawnOptions& options);
/// The same with the program that is open, whatever its number is.
[[nodiscard]] Child spawn(const Fd& program, const SpawnOptions& options);

/// This process may have as many descriptors as the hard limit allows, from here on. What it spawns
/// has the limit that it had itself.
void raise_descriptor_limit();

/// SIGTERM comes when the thread that started this process ends, or its process.
void end_with_parent();

/// The working directory of the calling thread is its own from here on (CLONE_FS of unshare(2)).
void own_working_directory();

/// Waits for the end of a child; the status follows the shell: exit code, or 128 + signal.
[[nodiscard]] int wait(const Child& child);
/// As wait(), without waiting: nullopt while it runs.
[[nodiscard]] std::optional<int> try_wait(const Child& child);

/// Runs to the end and returns {status, standard output}. Standard error is inherited.
[[nodiscard]] std::pair<int, std::string> run_and_capture(
    const std::string& path, const std::vector<std::string>& arguments);

/// Identifies a process for as long as the machine is up: field 22 of /proc/PID/stat. nullopt when
/// it is not there.
[[nodiscard]] std::optional<std::uint64_t> start_time(int pid);

/// "<pid> <start time>" of this process: tells it from a later one.
[[nodiscard]] std::string identity_of_self();

/// A process's parent and the leader of its session, by pid; nullopt when it is not there.
struct Lineage {
    int parent = 0;
    int session = 0;
};

[[nodiscard]] std::optional<Lineage> lineage_of(int pid);

/// A pidfd of the process, where it is the one that started at `started`; an empty Fd where it is
/// gone.
[[nodiscard]] Fd open_process(int pid, std::uint64_t started);

/// Waits until one of the processes, which are some, has ended; its index.
[[nodiscard]] std::size_t wait_for_first(const std::vector<Fd>& pidfds);

/// Postcondition: the signal was sent, or the process has ended.
void send_signal(const Fd& pidfd, int signal);
[[nodiscard]] bool has_ended(const Fd& pidfd);
/// Waits until the process has ended, or `longest` has passed.
void wait_for_end(const Fd& pidfd, std::chrono::milliseconds longest);
/// Collects an ended child by its pid; nothing where it is none of ours.
void reap(int pid);

/// Whether this process may mount, make namespaces and configure networks (CAP_SYS_ADMIN and
/// CAP_NET_ADMIN).
[[nodiscard]] bool may_administer();

/// How readily the kernel ends this process when memory runs out (oom_score_adj, proc(5)); less
/// than before only as the rights allow. What it starts inherits that.
void set_own_oom_score(int score);

/// The path of a program, searched for as a shell does (PATH, or the name where it has a slash);
/// nullopt where there is none that could be executed.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name);

/// The path of the running program.
[[nodiscard]] std::string own_program();
/// A helper program (stack-shim, stack-dns, stack-fetch): beside this program, or in
/// ../libexec/stack, or in $STACK_LIBEXEC. Throws where it is in none of them.
[[nodiscard]] std::string helper_program(const std::string& name);

}  // namespace stack::sys
