#pragma once

// Asking the project's supervisor for something, with progress on the terminal.

#include <stack/supervise.h>

#include "cli/context.h"

#include <optional>
#include <string>

namespace stack::cli {

/// What is not shown of pulls and builds: their layers and steps.
struct Quiet {
    bool pull = false;
    bool build = false;
};

/// `events` without what `quiet` keeps back.
[[nodiscard]] EventSink hushed(const Quiet& quiet, EventSink events);

/// Sends the request and shows its events; returns its exit code, or `given_up` after a request to
/// `stop`.
int ask(const Context& context,
        const Stack& stack,
        Request request,
        const std::string& title,
        const Quiet& quiet = {},
        const std::stop_token& stop = {});

/// With --dry-run: prints the plan and returns how the command ends: with 0 where there is nothing
/// to do, 2 where there is, 1 where it cannot be done.
std::optional<int> only_plan(const Context& context, const Plan& plan);

}  // namespace stack::cli
