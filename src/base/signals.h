#pragma once

// Names of signals, as `stop_signal`, STOPSIGNAL and `kill -s` write them.

#include <optional>
#include <string>
#include <string_view>

namespace stack {

/// `TERM`, `SIGTERM`, `15`, `RTMIN+3`; case does not matter. nullopt where it names none.
[[nodiscard]] std::optional<int> parse_signal(std::string_view text);

/// `SIGTERM`; `SIG<number>` for one without a name of its own.
[[nodiscard]] std::string signal_name(int signal);

}  // namespace stack
