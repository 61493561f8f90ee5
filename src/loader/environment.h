#pragma once

// The variables of containers and builds: env_file, pass-through, secrets and configs from the
// environment.

#include "loader/files.h"

namespace stack::loader {

/// Fills in what `stack` leaves to files and to the environment. `root` is what it was read from.
void resolve_environment(Session& session, Files& files, Stack& stack, const Node& root);

}  // namespace stack::loader
