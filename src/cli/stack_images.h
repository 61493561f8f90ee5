#pragma once

// The images of a stack's services, and how `down --rmi` takes them away.

#include <stack/observed.h>

#include "cli/context.h"

namespace stack::cli {

/// What the named services (all where none is named) and their containers are made from. `local`:
/// only what is built under a name that the file does not give.
[[nodiscard]] Strings stack_images(const Stack& stack,
                                   const Observed& observed,
                                   const Strings& services,
                                   bool local);

/// Postcondition: they are gone, but for those that other containers are made from, which is said.
void remove_images(const Context& context, const Strings& references);

/// Says which of them are there to be removed; returns the exit code of a dry run.
int tell_removal(const Context& context, const Strings& references);

}  // namespace stack::cli
