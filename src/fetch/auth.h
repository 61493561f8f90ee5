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

/// The URL at which a bearer challenge's token is to be had for `scopes`.
[[nodiscard]] std::string token_url(const Challenge& challenge,
                                    const std::vector<std::string>& scopes);
/// What is posted to the realm for a token, where there is an identity token (OAuth2).
[[nodiscard]] std::string token_form(const std::map<std::string, std::string>& challenge,
                                     const std::vector<std::string>& scopes,
                                     const std::string& identity_token);

/// scheme://host:port of a URL.
[[nodiscard]] std::string origin(const std::string& url);

/// `localhost`, 127.0.0.0/8 or [::1], with or without a port: a registry there may speak http.
[[nodiscard]] bool is_loopback(const std::string& host);

/// 169.254.0.0/16 or [fe80::]/10: what only this machine's own network has, as clouds' secrets.
[[nodiscard]] bool is_link_local(const std::string& host);

/// Whether a token may be asked for at `url` for the registry at `endpoint`: by https, or where the
/// registry itself is, which then is one that may speak http, or from loopback on loopback.
[[nodiscard]] bool may_carry_secrets(const std::string& url, const std::string& endpoint);

}  // namespace stack::fetch
