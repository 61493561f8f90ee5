#pragma once

// The secrets that a build is given: files and variables of who builds.

#include <stack/model.h>

#include <optional>
#include <string>

namespace stack::build {

/// The secret with this id; a file has not been looked into yet. nullopt where none is given.
[[nodiscard]] std::optional<BuildSecret> find_secret(const Build& build,
                                                     const StringMap& environment,
                                                     const std::string& id);

/// Throws stack::Error where its file does not exist, or holds more than a secret may.
[[nodiscard]] std::string content_of(const BuildSecret& secret);

}  // namespace stack::build
