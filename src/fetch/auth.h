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

/// The value for `Authorization: Basic` that config.json (Docker's format) holds for a registry; ""
/// where none.
[[nodiscard]] std::string basic_credentials(const std::string& config_json,
                                            const std::string& registry);

}  // namespace stack::fetch
