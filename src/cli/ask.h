#pragma once

// Asking the project's supervisor for something, with progress on the terminal.

#include <stack/supervise.h>

#include "cli/context.h"

namespace stack::cli {

/// Sends the request and shows its events; returns its exit code.
int ask(const Context& context,
        const Stack& stack,
        const Request& request,
        const std::string& title);

/// With --dry-run: prints the plan and returns true.
bool only_plan(const Context& context, const Plan& plan);

}  // namespace stack::cli
