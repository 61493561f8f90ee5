#pragma once

// Programs that a bundle has run at moments of its container's life (runtime-spec config.md,
// "POSIX-platform Hooks").

#include "shim/spec.h"

#include <functional>
#include <string>
#include <vector>

namespace stack::shim {

/// The state that a hook reads before the program runs, with the status that the specification has
/// for its moment: "creating" before the change of root, "created" after it.
[[nodiscard]] std::string hook_state(const BundleSpec& bundle, const char* status, int pid);

/// Runs a hook to its end, `state` as its standard input; `prepare` is called in its process first.
/// False where it failed: `problem` says how.
[[nodiscard]] bool run_hook(const HookSpec& hook,
                            const std::string& state,
                            const std::function<void()>& prepare,
                            std::string& problem);

/// All of them, one after another; what is wrong with one is the fault of the set-up stage.
void run_hooks(const std::vector<HookSpec>& hooks,
               const std::string& state,
               const std::function<void()>& prepare);

}  // namespace stack::shim
