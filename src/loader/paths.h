#pragma once

// Relative paths made absolute, on nodes: each file's own, before files are merged
// (compose.md 1.2).

#include "loader/node.h"

#include <string>

namespace stack::loader {

/// Whether it names what is no file of this machine: https://…, git@host:…, oci://…
[[nodiscard]] bool is_remote(const std::string& path);

/// Rewrites the paths of a whole stack file (`whole`) or of one service against `directory`; `home`
/// is what `~` means.
void resolve_paths(Node& file, const std::string& directory, const std::string& home);
void resolve_service_paths(Node& service, const std::string& directory, const std::string& home);

/// Where a secret of a service is that names no target.
[[nodiscard]] std::string default_secret_target(const std::string& source);

/// A build that names no context has `directory`: for files that are included from another one.
void add_default_contexts(Node& file, const std::string& directory);

/// `path` against `directory`, cleaned by text alone.
[[nodiscard]] std::string absolute(const std::string& path,
                                   const std::string& directory,
                                   const std::string& home);

}  // namespace stack::loader
