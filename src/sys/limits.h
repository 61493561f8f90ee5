#pragma once

namespace stack::sys {

/// Which limits are reached where a process or a thread cannot be made for EAGAIN.
inline constexpr const char* no_more_processes =
    " (a limit of processes is reached: the sysctl kernel.pid_max or kernel.threads-max, "
    "`ulimit -u`, or pids.max of a control group)";

}  // namespace stack::sys
