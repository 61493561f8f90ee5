#pragma once

// Base64 (RFC 4648 section 4), as HTTP and Docker's config.json use it.

#include <string>
#include <string_view>

namespace stack {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// What is no base64 ends the text; padding may be missing.
[[nodiscard]] std::string base64_decode(std::string_view text);

}  // namespace stack
