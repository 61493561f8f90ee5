#pragma once

// Durations and byte sizes as stack files and command lines write them.

#include "base/expected.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace stack {

/// `1h30m`, `1.5s`, `100ms`, `2d`; units us ms s m h d w. A bare `0` is zero.
/// (compose-spec "Specifying durations", plus d and w as the reference implementation takes them.)
[[nodiscard]] Expected<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// `1024`, `1.5g`, `64mb`, `2KiB`; all units are powers of 1024 (compose-spec "Specifying byte
/// values").
[[nodiscard]] Expected<std::int64_t> parse_bytes(std::string_view text);

/// The shortest text that parses back to the same duration: `1m30s`.
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds duration);

/// For people: `1.2 MB`, powers of 1000 as docker prints them.
[[nodiscard]] std::string format_bytes(std::int64_t bytes);

/// For people: `3 hours`, `About a minute`, as docker prints ages.
[[nodiscard]] std::string format_age(std::chrono::seconds age);

}  // namespace stack
