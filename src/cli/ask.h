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

/// A plan made here as the supervisor would have it: with what it says where another directory's
/// stack has the name.
[[nodiscard]] Plan as_supervised(const Context& context, const Stack& stack, Plan plan);

/// The forms of show_plan().
[[nodiscard]] const Strings& plan_formats();

/// Prints the plan in one of these forms, and returns how the command ends: with 0 where there is
/// nothing to do, 2 where there is, 1 where it cannot be done.
[[nodiscard]] int show_plan(const Plan& plan, const std::string& format);

/// With --dry-run: shows the plan in the form that it asks for, and returns how the command ends.
[[nodiscard]] std::optional<int> only_plan(const Context& context, const Plan& plan);

}  // namespace stack::cli
