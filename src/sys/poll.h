#pragma once

// Waiting for the kernel to say that something changed, for a bounded time.

#include <chrono>
#include <string>

namespace stack::sys {

/// Returns when a file that signals changes by POLLPRI (cgroup.events) has changed, or after
/// `longest`.
void wait_for_change(const std::string& file, std::chrono::milliseconds longest);

/// Lets time pass, where the kernel offers nothing to wait for.
void pause(std::chrono::milliseconds time);

}  // namespace stack::sys
