#pragma once

// The variables of containers and builds: env_file, pass-through, secrets and configs from the
// environment.

#include "loader/files.h"

namespace stack::loader {

/// Fills in what `stack` leaves to files and to the environment. `root` is what it was read from.
void resolve_environment(Session& session, Files& files, Stack& stack, const Node& root);

/// What an included file takes from its own environment, which is gone afterwards: values of
/// variables that are only named, in `environment` and `build.args`, and those of secrets and
/// configs.
void take_variables(Session& session, Node& included);

}  // namespace stack::loader
