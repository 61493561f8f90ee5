#pragma once

// What an image is built from, as it is recorded with the image.

#include <string>
#include <string_view>

namespace stack::model {

/// Of a context that is elsewhere only what is asked for is known: where it is, for which platform,
/// with which arguments. Whether that gives another image now, only a build can tell.
inline constexpr std::string_view asked_scheme = "asked:";

/// Whether equal ones mean that a build would change nothing.
[[nodiscard]] inline bool tells_content(std::string_view source_digest) {
    return !source_digest.empty() && !source_digest.starts_with(asked_scheme);
}

}  // namespace stack::model
