#pragma once

// What a project's supervisor was told last, on disk.
//
//   <state>/projects/<name>/stack.json      {"checksum", "generation", "stack"}: durable
//   <state>/projects/<name>/restarts.json   restart states by container id
//   <state>/projects/<name>/kept.json       Kept

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

/// How many containers of each service the last command left to live: those that vanish without a
/// command are put back. Empty while a command is under way.
using Kept = std::map<std::string, int>;

[[nodiscard]] Kept load_kept(const Paths& paths, const std::string& project);
void store_kept(const Paths& paths, const std::string& project, const Kept& kept);

/// Postcondition: nothing is remembered of the project.
void forget(const Paths& paths, const std::string& project);

/// A lock that is held, shared, while a container of `single_containers` is made and started: their
/// common network stays meanwhile, though none of them may be there yet.
[[nodiscard]] std::string single_use_lock(const Paths& paths);

/// <run>/projects/<name>: socket, lock, pid file, log.
[[nodiscard]] std::string project_run_directory(const Paths& paths, const std::string& project);

}  // namespace stack::supervise
