#pragma once

// Processes as `ps -ef` shows them, from what proc(5) says.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stack::cli {

/// The machine's clock, as the kernel counts it.
struct MachineTime {
    std::int64_t now = 0;  // Unix seconds
    double up = 0;         // seconds since it began
};

struct ProcessFiles {
    std::string stat;     // /proc/PID/stat
    std::string cmdline;  // /proc/PID/cmdline
};

/// UID, PID, PPID, C, STIME, TTY, TIME, CMD; nullopt where the files are those of a process that
/// has just ended. `user` is what its owner is called.
[[nodiscard]] std::optional<std::vector<std::string>> process_row(const ProcessFiles& files,
                                                                  const std::string& user,
                                                                  const MachineTime& time);

/// The name that a passwd(5) file's text gives a number; the number where it gives none.
[[nodiscard]] std::string user_name(const std::string& passwd, std::uint32_t number);

/// What stands above the columns of process_row().
[[nodiscard]] std::vector<std::string> process_head();

/// The rows of those of `pids` that are there still.
[[nodiscard]] std::vector<std::vector<std::string>> process_rows(const std::vector<int>& pids);

}  // namespace stack::cli
