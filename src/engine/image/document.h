#pragma once

// JSON that others wrote: manifests, indexes and configurations of images.

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace stack::image {

/// The document `text`; a discarded value where it is no JSON. Throws stack::Error, naming `what`,
/// where it is nested so deep that to copy it would end a program, or has a key twice, of which one
/// reader takes the first and another the last (CVE-2021-41190).
[[nodiscard]] nlohmann::json parse_document(std::string_view text, std::string_view what);

}  // namespace stack::image
