#pragma once

// How a registry wants to know who asks (RFC 9110 section 11, distribution-spec token
// authentication): parsing and choice, without a network.

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stack::fetch {

struct Challenge {
    std::string scheme;  // lower case: bearer, basic
    std::map<std::string, std::string> parameters;

    bool operator==(const Challenge&) const = default;
};

/// All challenges of the WWW-Authenticate headers; what is malformed is left out.
[[nodiscard]] std::vector<Challenge> parse_challenges(const std::vector<std::string>& headers);

/// Bearer before basic; nullopt where it is neither.
[[nodiscard]] std::optional<Challenge> choose_challenge(const std::vector<Challenge>& challenges);

/// The URL at which a bearer challenge's token is to be had for `scope`.
[[nodiscard]] std::string token_url(const Challenge& challenge, const std::string& scope);

/// scheme://host:port of a URL.
[[nodiscard]] std::string origin(const std::string& url);

/// `localhost`, 127.0.0.0/8 or [::1], with or without a port: a registry there may speak http.
[[nodiscard]] bool is_loopback(const std::string& host);

/// Whether a token may be asked for at `url` for the registry at `endpoint`: by https, or where the
/// registry itself is, which then is one that may speak http.
[[nodiscard]] bool may_carry_secrets(const std::string& url, const std::string& endpoint);

/// The value for `Authorization: Basic` that config.json (Docker's format) holds for a registry; ""
/// where none.
[[nodiscard]] std::string basic_credentials(const std::string& config_json,
                                            const std::string& registry);

}  // namespace stack::fetch
