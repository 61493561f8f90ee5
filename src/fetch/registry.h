#pragma once

// The dialogue with one registry about one repository (distribution-spec).

#include "engine/image/reference.h"
#include "fetch/http.h"

#include <string>
#include <vector>

namespace stack::fetch {

/// What a machine's owner says about registries: <state>/registries.json, else
/// /etc/stack/registries.json.
///
///     {"mirrors":  {"docker.io": ["http://127.0.0.1:5055"]},   tried in order before the registry
///     itself
///      "insecure": ["registry.local:5000"],                    certificates are not checked, plain
///      HTTP is tried "ca":       {"registry.example": "/etc/ssl/my-ca.pem"}}
///
/// STACK_REGISTRY_MIRROR in the environment is one more mirror of docker.io.
struct RegistrySettings {
    std::multimap<std::string, std::string> mirrors;
    std::vector<std::string> insecure;
    std::map<std::string, std::string> ca;
};

[[nodiscard]] RegistrySettings load_settings(const std::string& state);

struct Manifest {
    std::string bytes;
    std::string media_type;
    std::string digest;
};

class Registry {
  public:
    Registry(image::Reference reference, RegistrySettings settings);

    /// The manifest (or index) of a tag or digest, checked against the digest. Throws stack::Error
    /// for people.
    Manifest manifest(const std::string& tag_or_digest);

    /// Streams a blob of `size` bytes from `offset` on; resumes after broken transfers. Throws
    /// where it cannot be had: connection_aborted where the transfer broke too often.
    void blob(const std::string& digest,
              std::int64_t size,
              std::int64_t offset,
              const std::function<bool(std::string_view)>& on_bytes);

  private:
    struct Endpoint {
        std::string base;  // https://registry-1.docker.io
        std::string host;  // for credentials
    };

    HttpResponse ask(const std::string& path,
                     std::vector<std::string> headers,
                     const OnBody& on_body);
    HttpResponse ask_endpoint(const std::string& url,
                              std::vector<std::string> headers,
                              const OnBody& on_body);
    bool authorize(const HttpResponse& refusal);
    void choose_endpoint();
    [[nodiscard]] HttpRequest request(const std::string& url,
                                      std::vector<std::string> headers) const;
    [[noreturn]] void refuse(const HttpResponse& response, const std::string& what) const;

    image::Reference reference_;
    RegistrySettings settings_;
    std::vector<Endpoint> endpoints_;  // still to be tried; the first is in use
    std::string authorization_;        // value of the header; empty: none
};

}  // namespace stack::fetch
