#pragma once

// The one-line forms of ports, volumes and the like (compose.md 1.4).

#include <stack/model.h>

#include "base/expected.h"

#include <string_view>
#include <vector>

namespace stack::loader {

/// `[[IP:]HOST[-HOST2]:]CONTAINER[-CONTAINER2][/protocol]`; ranges on both sides become several
/// ports.
[[nodiscard]] Expected<std::vector<Port>> parse_port(std::string_view text);

/// A port from 0 to 65535, or a range of them: `8000-8010`.
[[nodiscard]] bool is_port_range(std::string_view text);

/// `[SOURCE:]TARGET[:options]`. A source that begins with `.`, `/` or `~` is a path of the host.
[[nodiscard]] Expected<Mount> parse_volume(std::string_view text);

/// `source[:target[:permissions]]`.
[[nodiscard]] Expected<Device> parse_device(std::string_view text);

/// `host=address` or `host:address`.
[[nodiscard]] Expected<std::pair<std::string, std::string>> parse_extra_host(std::string_view text);

}  // namespace stack::loader
