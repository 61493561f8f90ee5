#pragma once

// What a project's supervisor was told last, on disk.
//
//   <state>/projects/<name>/stack.json      {"checksum", "generation", "stack"}: durable
//   <state>/projects/<name>/restarts.json   restart states by container id

#include <stack/model.h>
#include <stack/paths.h>

#include "supervise/restart.h"

#include <map>
#include <optional>
#include <string>

namespace stack::supervise {

[[nodiscard]] std::optional<Stack> load_desired(const Paths& paths, const std::string& project);
void store_desired(const Paths& paths, const Stack& stack);

[[nodiscard]] std::map<std::string, RestartState> load_restarts(const Paths& paths,
                                                                const std::string& project);
void store_restarts(const Paths& paths,
                    const std::string& project,
                    const std::map<std::string, RestartState>& states);

/// Postcondition: nothing is remembered of the project.
void forget(const Paths& paths, const std::string& project);

/// <run>/projects/<name>: socket, lock, pid file, log.
[[nodiscard]] std::string project_run_directory(const Paths& paths, const std::string& project);

}  // namespace stack::supervise
