#pragma once

// Health checks that start no process in the container: what `healthcheck: {x-stack: {http: URL}}`
// and `{x-stack: {tcp: ADDRESS}}` ask, as values. In a Healthcheck, their `test` is HTTP or TCP and
// that text.

#include <stack/model.h>

#include "base/expected.h"
#include "base/ip.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stack {

/// The part of a GET that the address does not say.
struct HttpQuestion {
    std::string host;    // as the header has it: `localhost:5000`
    std::string target;  // path and query: `/health`

    bool operator==(const HttpQuestion&) const = default;
};

/// A server inside a container, asked in the container's own network.
struct NativeProbe {
    IpAddress address;
    std::uint16_t port = 0;
    std::optional<HttpQuestion> http;  // none: a connection is the answer

    bool operator==(const NativeProbe&) const = default;
};

/// `http://HOST[:PORT][/PATH]`, where HOST is `localhost` (127.0.0.1) or an IP address: the names
/// of others are not known where this is asked.
[[nodiscard]] Expected<NativeProbe> parse_http_probe(std::string_view url);

/// `[HOST:]PORT`, HOST as above and `localhost` where there is none.
[[nodiscard]] Expected<NativeProbe> parse_tcp_probe(std::string_view address);

/// nullopt: it is a command that this check runs, or none.
[[nodiscard]] std::optional<NativeProbe> native_probe(const Healthcheck& check);

}  // namespace stack
