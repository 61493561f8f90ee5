#pragma once

// Files of variables: .env, --env-file and env_file (compose.md 1.3 "`.env`/env_file syntax").

#include <stack/diagnostics.h>

#include "loader/interpolate.h"

#include <string>
#include <utility>
#include <vector>

namespace stack::loader {

/// A variable; without a value it is taken from the environment.
using Assignment = std::pair<std::string, std::optional<std::string>>;

/// In order. ${…} sees `above`, then the file's own earlier lines, then `below`: what files before
/// it say. `raw`: docker's
/// --env-file rules, no quotes and no interpolation. A file that makes more than `most_text` of
/// itself is refused.
[[nodiscard]] std::vector<Assignment> parse_dotenv(const std::string& file,
                                                   const std::string& text,
                                                   const Variables& above,
                                                   const Variables& below,
                                                   bool raw,
                                                   Reporter& reporter);

}  // namespace stack::loader
