#pragma once

// The dialogue with one registry about one repository (distribution-spec). A copy can be used by
// another thread.

#include "engine/image/reference.h"
#include "fetch/connection.h"

#include <string>
#include <vector>

namespace stack::fetch {

struct Manifest {
    std::string bytes;
    std::string media_type;
    std::string digest;
};

class Registry {
  public:
    enum class Access { pull, push };

    Registry(image::Reference reference,
             Access access,
             const RegistrySettings& settings,
             const CredentialMap& credentials);

    /// The manifest (or index) of a tag or digest, checked against the digest. Throws stack::Error
    /// for people.
    Manifest manifest(const std::string& tag_or_digest);
    /// The repository's tags, as the registry has them.
    [[nodiscard]] std::vector<std::string> tags();
    /// The digest that a tag has now; "" where the registry does not say.
    std::string digest_of(const std::string& tag);

    /// Streams a blob of `size` bytes from `offset` on; resumes after broken transfers. Throws
    /// where it cannot be had: connection_aborted where the transfer broke too often.
    void blob(const std::string& digest,
              std::int64_t size,
              std::int64_t offset,
              const std::function<bool(std::string_view)>& on_bytes);

    [[nodiscard]] bool has_blob(const std::string& digest);
    /// Has the registry take the blob from another repository of its own. False where it does not.
    bool mount(const std::string& digest, const std::string& repository);
    /// Sends a blob. In one request; in pieces where that breaks or is too much for the registry.
    void upload(const std::string& digest,
                const sys::Fd& file,
                std::int64_t size,
                const std::function<void(std::int64_t)>& on_progress);
    /// Returns the digest by which the registry knows it.
    std::string put_manifest(const std::string& tag_or_digest,
                             const std::string& bytes,
                             const std::string& media_type);

  private:
    [[nodiscard]] std::string path(const std::string& rest) const;
    [[noreturn]] void refuse(const HttpResponse& response, const std::string& what) const;

    image::Reference reference_;
    Access access_;
    Connection connection_;
};

}  // namespace stack::fetch
