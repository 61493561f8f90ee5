#pragma once

// The world of an integration test: namespaces of its own (mount, network, pid, uts, ipc, cgroup),
// control groups of its own, and a directory of its own. What a test leaves behind, however it
// ends, ends with it.

#include <string>

namespace stack::test {

/// Postcondition: the caller is a process inside a new sandbox, the child of an init that reaps
/// orphans. The process that called waits for it and exits with its status. Loopback is up; nothing
/// else is there. STACK_ROOT, HOME and TMPDIR lead into the sandbox's directory.
/// Call it in main(), before there are threads. Needs root; says so and exits where it is not.
void enter_sandbox();

/// A directory on disk, empty at the start, removed at the end.
[[nodiscard]] const std::string& sandbox_directory();

}  // namespace stack::test
