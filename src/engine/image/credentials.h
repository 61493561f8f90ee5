#pragma once

// Who we are to a registry: Docker's config.json (auths, credHelpers, credsStore), and podman's
// auth.json to read.

#include <string>

namespace stack::image {

struct Credentials {
    std::string username;
    std::string password;
    std::string identity_token;  // to be changed for an access token; from OAuth2 logins
    std::string registry_token;  // an access token as it is

    [[nodiscard]] bool empty() const {
        return username.empty() && identity_token.empty() && registry_token.empty();
    }

    bool operator==(const Credentials&) const = default;
};

/// For `domain` as a reference has it (docker.io, localhost:5000); empty where there are none.
/// Throws where a helper that is configured cannot be asked: another's credentials are not tried
/// instead.
[[nodiscard]] Credentials find_credentials(const std::string& domain);

/// Postcondition: find_credentials() gives these. Returns where they were put, for people.
std::string store_credentials(const std::string& domain, const Credentials& credentials);
/// Postcondition: there are none in config.json and its helpers. False where there were none.
bool erase_credentials(const std::string& domain);

}  // namespace stack::image
