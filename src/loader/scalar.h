#pragma once

// What a plain YAML scalar says, as the reference implementation reads it (go-yaml 3, resolve.go).

#include <optional>
#include <string>
#include <string_view>

namespace stack::loader {

/// The decimal writing of a plain scalar that is a number (022 is 18, 0x10 is 16, 1_000 is 1000,
/// 1.10 is 1.1, 1e3 is 1000); nullopt where it is none.
[[nodiscard]] std::optional<std::string> number_text(std::string_view plain);

/// "true" or "false" for each way of writing these; nullopt where it is none. `yes` and `on` are
/// texts.
[[nodiscard]] std::optional<std::string> boolean_text(std::string_view plain);

}  // namespace stack::loader
