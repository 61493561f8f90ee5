#pragma once

// Requests to one registry: which address answers, who we are there, redirects, patience. What the
// requests mean is registry.h's.

#include "engine/image/credentials.h"
#include "fetch/http.h"
#include "fetch/settings.h"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace stack::fetch {

/// Credentials by domain, as they were found before the worker gave up its rights.
using CredentialMap = std::map<std::string, image::Credentials>;

struct Ask {
    std::string method = "GET";
    std::string path;  // below the registry's /v2/, or a whole URL that the registry named
    std::vector<std::string> headers{};
    std::string body{};
    std::optional<FilePart> upload{};
    std::function<void(std::int64_t)> on_upload{};
    OnBody on_body{};
};

/// A copy has a connection of its own and knows what this one has learned.
class Connection {
  public:
    /// `scopes` are what a token is asked for: repository:library/nginx:pull. Mirrors are for
    /// reading only.
    Connection(std::string domain,
               std::vector<std::string> scopes,
               bool with_mirrors,
               RegistrySettings settings,
               CredentialMap credentials);

    /// Throws stack::Error: host_unreachable where nobody answers, connection_reset where the
    /// transfer broke.
    HttpResponse ask(const Ask& ask);
    /// Asks again where the registry has a bad moment (408, 429, 5xx) or the transfer breaks; waits
    /// as long as it wants.
    HttpResponse ask_patiently(const Ask& ask);

    /// A copy that asks for one more right.
    [[nodiscard]] Connection with_scope(const std::string& scope) const;

    [[nodiscard]] const std::string& domain() const { return domain_; }

    /// For people: nobody, or by what name we came.
    [[nodiscard]] std::string identity() const;

    /// Whether who we are was asked, and nobody is what we said.
    [[nodiscard]] bool is_guest() const {
        return !authorization_.empty() && identity() == "nobody";
    }

    /// The hosts whose credentials this would use.
    [[nodiscard]] static std::vector<std::string> domains(const std::string& domain,
                                                          const RegistrySettings& settings);

  private:
    struct Endpoint {
        std::string base;    // https://registry-1.docker.io
        std::string domain;  // whose credentials are meant
        bool mirror = false;
    };

    HttpResponse ask_endpoint(const Ask& ask);
    bool authorize(const HttpResponse& refusal);
    bool take_token(const std::map<std::string, std::string>& challenge);
    [[nodiscard]] HttpResponse ask_for_token(const HttpRequest& request);
    [[noreturn]] void refuse_token(const HttpResponse& response, const std::string& from) const;
    [[nodiscard]] image::Credentials credentials() const;

    std::string domain_;
    std::vector<std::string> scopes_;
    RegistrySettings settings_;
    CredentialMap credentials_;
    std::vector<Endpoint> endpoints_;  // still to be tried; the first is in use
    std::string authorization_;        // value of the header; empty: none
    HttpClient client_;
};

/// A GET of `url`, with what the settings say about trusting its host.
[[nodiscard]] HttpRequest request_for(const std::string& url, const RegistrySettings& settings);

constexpr int most_redirects = 10;
[[nodiscard]] bool is_redirect(const std::string& method, long status);
/// Where a redirect leads; throws stack::Error where it may not be followed.
[[nodiscard]] std::string redirect_target(const std::string& from, const std::string& location);

/// What a refusal says of itself, short; "" where it says nothing.
[[nodiscard]] std::string words_of(const HttpResponse& response);
/// How people get a login there.
[[nodiscard]] std::string login_command(const std::string& domain);

/// Whether it is a bad moment.
[[nodiscard]] bool worth_another_try(long status);
/// How long to wait before trial `attempt` (from 0): what the registry asked for, up to a minute,
/// or doubling from half a second.
[[nodiscard]] std::chrono::milliseconds pause_before(int attempt, const HttpResponse& response);

constexpr int most_tries = 5;

}  // namespace stack::fetch
