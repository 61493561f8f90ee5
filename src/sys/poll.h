#pragma once

// Waiting for the kernel to say that something changed, for a bounded time.

#include <chrono>
#include <string>
#include <vector>

namespace stack::sys {

/// Returns when a file that signals changes by POLLPRI (cgroup.events) has changed, or after
/// `longest`.
void wait_for_change(const std::string& file, std::chrono::milliseconds longest);

/// A descriptor (-1: none) and what is waited for on it; after wait_ready(), what it is ready for.
/// One whose other end is gone is ready to be read.
struct Wait {
    int fd = -1;
    bool readable = false;
    bool writable = false;
};

/// Waits until one of them is ready, or a signal has come.
void wait_ready(std::vector<Wait>& waits);

/// Lets time pass, where the kernel offers nothing to wait for.
void pause(std::chrono::microseconds time);

}  // namespace stack::sys
