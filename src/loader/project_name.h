#pragma once

// The project's name: -p or COMPOSE_PROJECT_NAME, else the last `name:`, else the directory's.

#include "loader/files.h"

namespace stack::loader {

/// What ${COMPOSE_PROJECT_NAME} becomes in `files`, which were read.
[[nodiscard]] std::string early_name(const Session& session, Files& files, const Strings& paths);

/// Gives `stack` its name. `root` is what it was read from.
void choose_name(Session& session, Stack& stack, const Node& root);

}  // namespace stack::loader
