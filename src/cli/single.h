#pragma once

// Containers that belong to no stack. Whoever works on one of them does it with the engine in its
// own process; those that need somebody while no client is there (a restart policy, a health check,
// a removal at the end) have the supervisor of their common project.

#include <stack/observed.h>

#include "cli/context.h"
#include "cli/local.h"
#include "model/image.h"
#include "sys/lock.h"

#include <string>

namespace stack::cli {

/// The project of all of them, with nothing in it.
[[nodiscard]] Stack single_project();

/// Whether it needs somebody while no client is there, but for its removal.
[[nodiscard]] bool needs_supervisor(const Service& service, const ImageConfig& image);

/// Postcondition: where the container, of whichever stack, needs somebody while no client is there,
/// to start it again, to ask after its health, or to remove it at its end, its supervisor lives.
void ensure_keeper(const Context& context, const ObservedContainer& container);

/// Held while a container is made and started: what they share stays meanwhile.
[[nodiscard]] sys::Lock use_single_project(const Paths& paths);

/// Postcondition: the name service of their networks knows of all that run now.
void publish_single_names(LocalEngine& local);

/// Postcondition: the container and its anonymous volumes are gone.
void remove_single(LocalEngine& local, const Context& context, const ObservedContainer& container);

/// Postcondition: what they share (bridge, name service, supervisor) is gone where none of them is
/// left.
void leave_single_project(const Context& context);

/// Removes those that were to be removed at their end, and whose client died before.
void sweep_single(const Context& context);

}  // namespace stack::cli
