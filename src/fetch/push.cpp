#include "fetch/push.h"

#include <stack/error.h>

#include "base/digest.h"
#include "engine/image/reference.h"
#include "fetch/output.h"
#include "fetch/registry.h"
#include "fetch/together.h"
#include "fetch/travel.h"
#include "sys/file.h"

#include <mutex>
#include <set>

#include <fcntl.h>

namespace stack::fetch {
namespace {

class Push {
  public:
    Push(const Paths& paths,
         const std::string& name,
         const RegistrySettings& settings,
         const CredentialMap& credentials)
        : name_(name),
          reference_(parse(name)),
          store_(paths),
          registry_(reference_, Registry::Access::push, settings, credentials) {}

    std::string run() {
        const auto image = store_.find(name_);
        if (!image)
            throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                        "there is no image " + name_ +
                            " to push: give one this name with `stack image tag IMAGE " + name_ +
                            "`");
        const Travel travel = prepare(store_, *image);
        send_layers(travel.layers);
        send(registry_, travel.config, "");
        const std::string digest = "sha256:" + sha256_hex(travel.manifest);
        const std::string known =
            registry_.put_manifest(reference_.tag, travel.manifest, travel.manifest_type);
        if (!known.empty() && known != digest)
            throw Error(std::make_error_code(std::errc::protocol_error),
                        "registry " + reference_.domain + " has the manifest as " + known +
                            ", which was sent as " + digest);
        store_.tag(image->id, name_, digest);
        return digest;
    }

  private:
    static image::Reference parse(const std::string& name) {
        auto reference = image::require_reference(name);
        if (reference.tag.empty())
            throw Error("\"" + name + "\" is a digest, which a push gives: push a tag");
        return reference;
    }

    void tell(const image::PackedLayer& blob,
              EventStatus status,
              const std::string& text,
              std::int64_t current) const {
        say({.id = blob.digest.substr(7, 12),
             .status = status,
             .text = text,
             .parent = "Image " + name_,
             .current = current,
             .total = blob.size});
    }

    /// Repositories of the same registry that, as far as we know, have the blob.
    std::string find_elsewhere(const std::string& digest) const {
        for (const auto& image : store_.list()) {
            if (image.remote_digest.empty() || image.manifest.find(digest) == std::string::npos)
                continue;
            for (const auto& name : image.references)
                if (const auto other = image::parse_reference(name);
                    other && other->domain == reference_.domain && other->path != reference_.path)
                    return other->path;
        }
        return {};
    }

    void send_layers(const std::vector<image::PackedLayer>& layers) {
        constexpr std::size_t at_once = 3;
        std::vector<Registry> own(at_once, registry_);
        std::set<std::string> seen;  // a layer may come twice
        std::vector<image::PackedLayer> unique;
        for (const auto& layer : layers)
            if (seen.insert(layer.digest).second)
                unique.push_back(layer);
        work_together(unique.size(), at_once, [&](std::size_t worker, std::size_t index) {
            send(own[worker], unique[index], find_elsewhere(unique[index].digest));
        });
    }

    void send(Registry& registry,
              const image::PackedLayer& blob,
              const std::string& elsewhere) const {
        tell(blob, EventStatus::working, "Preparing", 0);
        if (registry.has_blob(blob.digest)) {
            tell(blob, EventStatus::done, "Layer already exists", blob.size);
            return;
        }
        if (!elsewhere.empty() && registry.mount(blob.digest, elsewhere)) {
            tell(blob, EventStatus::done, "Mounted from " + elsewhere, blob.size);
            return;
        }
        const sys::Fd file = sys::open_file(store_.blob_path(blob.digest), O_RDONLY);
        std::int64_t told = 0;
        registry.upload(blob.digest, file, blob.size, [&](std::int64_t sent) {
            constexpr std::int64_t step = 1 << 20;
            if (sent - told < step)
                return;
            told = sent;
            tell(blob, EventStatus::working, "Pushing", sent);
        });
        tell(blob, EventStatus::done, "Pushed", blob.size);
    }

    std::string name_;
    image::Reference reference_;
    image::Store store_;
    Registry registry_;
};

}  // namespace

std::string push(const Paths& paths,
                 const std::string& reference,
                 const RegistrySettings& settings,
                 const CredentialMap& credentials) {
    return Push(paths, reference, settings, credentials).run();
}

void check_login(const std::string& domain,
                 const RegistrySettings& settings,
                 const CredentialMap& credentials) {
    Connection connection(domain, {}, false, settings, credentials);
    const HttpResponse response = connection.ask_patiently({.path = ""});
    if (response.status == 401 || response.status == 403)
        throw Error(
            std::make_error_code(std::errc::permission_denied),
            "registry " + domain + " does not take these credentials of " + connection.identity());
    if (response.status != 200)
        throw Error(std::make_error_code(std::errc::protocol_error),
                    domain + " answered " + std::to_string(response.status) +
                        " where a registry says 200 or 401: is it one?");
}

}  // namespace stack::fetch
