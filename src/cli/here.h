#pragma once

// Paths as who types them means them: from the current directory, which is asked for only where one
// is relative, for it may be gone.

#include <optional>
#include <string>

namespace stack::cli {

/// Throws where the path is relative and the current directory does not exist any more.
[[nodiscard]] std::string here(const std::string& path);

/// The current directory; nullopt where it does not exist any more.
[[nodiscard]] std::optional<std::string> find_here();

}  // namespace stack::cli
