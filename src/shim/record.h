#pragma once

// Records that others read: written whole, beside and renamed into place.

#include <string>

namespace stack::shim {

/// Postcondition: `<directory>/<name>` holds `text`, or the disk refused.
void write_record(const std::string& directory, const std::string& name, const std::string& text);

/// Field 22 of /proc/PID/stat: tells a process from a later one of the same number. 0 where it is
/// gone.
[[nodiscard]] unsigned long long start_time(int pid);

/// The number behind "oom_kill" in a cgroup file; 0 where there is none.
[[nodiscard]] unsigned long long oom_kills(const std::string& file);

/// Nanoseconds since 1970.
[[nodiscard]] long long wall_clock();

}  // namespace stack::shim
