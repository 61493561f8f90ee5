#include "fetch/pull.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "engine/image/manifest.h"
#include "engine/image/reference.h"
#include "engine/image/store.h"
#include "fetch/layer.h"
#include "fetch/output.h"
#include "fetch/partial_file.h"
#include "fetch/registry.h"
#include "fetch/together.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <algorithm>
#include <atomic>

namespace stack::fetch {
namespace {

struct RemoteLayer {
    image::PackedLayer packed;
    std::string diff_id;
};

/// The media type is said twice; a reader that goes by one and a reader that goes by the other
/// would see two images.
image::Manifest content_of(const Manifest& manifest) {
    image::Manifest content = image::parse_manifest(manifest.bytes);
    if (!content.media_type.empty() && content.media_type != manifest.media_type)
        throw Error("the manifest says that it is a " + content.media_type +
                    ", and the registry that it is a " + manifest.media_type);
    return content;
}

std::string wanted_platform(const std::string& platform) {
    return platform.empty() ? image::this_platform() : platform;
}

/// Whether the transfer was broken off, and what has come of it is good. Otherwise it is of no use,
/// or there is no room for it.
bool may_go_on_later(const Error& error) {
    return error.code() == std::errc::connection_aborted ||
           error.code() == std::errc::host_unreachable ||
           error.code() == std::errc::permission_denied ||
           error.code() == std::errc::resource_unavailable_try_again ||
           error.code() == std::errc::operation_canceled;
}

class Pull {
  public:
    Pull(const Paths& paths,
         const PullRequest& request,
         const RegistrySettings& settings,
         const CredentialMap& credentials)
        : paths_(paths),
          name_(request.reference),
          platform_(request.platform),
          reference_(image::require_reference(name_)),
          registry_(reference_, Registry::Access::pull, settings, credentials),
          store_(paths),
          limit_(request.limit) {}

    std::string run() {
        if (const std::string id = unchanged(); !id.empty()) {
            store_.tag(id, name_);  // it is so from now on
            return id;
        }
        std::string remote_digest;
        const Manifest manifest = choose_manifest(remote_digest);
        const image::Manifest content = content_of(manifest);
        STACK_FAILPOINT("manifest.get");
        const std::string config = fetch_config(*content.config);
        image::check_config(config);
        check_platform(image::parse_config(config));
        const auto layers = layers_of(content, config);
        Strings diff_ids;
        for (const auto& layer : layers)
            diff_ids.push_back(layer.diff_id);
        store_.hold(diff_ids);
        fetch_layers(layers);
        image::NewImage image;
        image.config_json = config;
        image.manifest = manifest.bytes;
        image.manifest_type = manifest.media_type;
        image.references = {image::canonical(reference_)};
        image.remote_digest = remote_digest;
        return store_.put(image).id;
    }

  private:
    /// The id of the image that is here already, where its tag is still what it was: one request.
    std::string unchanged() {
        const auto image = store_.find(name_);
        if (!image || image->remote_digest.empty() ||
            !image::is_for(image->config, wanted_platform(platform_)))
            return {};
        store_.hold(image->layers);
        const bool whole = std::all_of(image->layers.begin(), image->layers.end(), [&](auto& one) {
            return store_.has_layer(one);
        });
        const std::string digest =
            reference_.digest.empty() ? registry_.digest_of(reference_.tag) : reference_.digest;
        return whole && digest == image->remote_digest ? image->id : "";
    }

    Manifest choose_manifest(std::string& remote_digest) {
        Manifest manifest =
            registry_.manifest(reference_.digest.empty() ? reference_.tag : reference_.digest);
        remote_digest = manifest.digest;
        constexpr int deepest_index = 3;
        image::Manifest content = content_of(manifest);
        for (int depth = 0; content.is_index; ++depth) {
            const auto* chosen = image::choose_platform(content.entries, platform_);
            if (chosen == nullptr || depth == deepest_index)
                throw Error(std::make_error_code(std::errc::not_supported),
                            "image " + name_ + " has no variant for " + wanted_platform(platform_));
            manifest = registry_.manifest(chosen->digest);
            content = content_of(manifest);
        }
        return manifest;
    }

    /// An image that came without an index has told only now what it is for.
    void check_platform(const ImageConfig& config) const {
        if (image::is_for(config, wanted_platform(platform_)))
            return;
        const std::string sentence = "image " + name_ + " is for " + image::platform_of(config) +
                                     ", not for " + wanted_platform(platform_);
        if (!platform_.empty())
            throw Error(std::make_error_code(std::errc::not_supported),
                        sentence + ", and has no other variant");
        const Event warning{.id = "Image " + name_,
                            .status = EventStatus::warning,
                            .text = "Warning",
                            .detail = sentence};
        say(warning);
    }

    std::string fetch_config(const image::Descriptor& wanted) {
        constexpr std::int64_t largest = 8 << 20;
        if (wanted.size == 0 || wanted.size > largest)
            throw Error("the manifest names no usable configuration");
        std::string config;
        registry_.blob(wanted.digest, wanted.size, 0, [&](std::string_view bytes) {
            config += bytes;
            return true;
        });
        if ("sha256:" + sha256_hex(config) != wanted.digest)
            throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                        "the configuration that came is not the one with digest " + wanted.digest);
        return config;
    }

    static std::vector<RemoteLayer> layers_of(const image::Manifest& manifest,
                                              const std::string& config) {
        const Strings diff_ids = image::parse_diff_ids(config);
        image::check_layer_count(manifest.layers.size(), diff_ids.size());
        std::vector<RemoteLayer> list;
        for (std::size_t i = 0; i < diff_ids.size(); ++i) {
            const auto& layer = manifest.layers[i];
            list.push_back({{layer.media_type, layer.digest, layer.size}, diff_ids[i]});
        }
        return list;
    }

    void tell(const RemoteLayer& layer,
              EventStatus status,
              const char* text,
              std::int64_t current) const {
        say({.id = layer.packed.digest.substr(7, 12),
             .status = status,
             .text = text,
             .parent = "Image " + name_,
             .current = current,
             .total = layer.packed.size});
    }

    /// The largest first, a few at a time: each has a thread that downloads and inflates, and one
    /// that writes.
    void fetch_layers(std::vector<RemoteLayer> layers) {
        std::stable_sort(layers.begin(), layers.end(), [](const auto& a, const auto& b) {
            return a.packed.size > b.packed.size;
        });
        constexpr std::size_t at_once = 3;
        std::vector<Registry> own(at_once, registry_);
        work_together(
            layers.size(),
            at_once,
            [&](std::size_t worker, std::size_t index) { fetch_layer(own[worker], layers[index]); },
            [&] { stopped_ = true; });
    }

    void fetch_layer(Registry& registry, const RemoteLayer& layer) {
        // Whoever else wants the same layer waits here, and then finds it.
        const std::string locks = paths_.run + "/fetch";
        sys::ensure_directory(locks, 0700);
        const sys::Lock lock = sys::Lock::acquire(locks + "/" + layer.diff_id.substr(7));
        if (store_.has_layer(layer.diff_id)) {
            tell(layer, EventStatus::done, "Already exists", layer.packed.size);
            return;
        }
        tell(layer, EventStatus::working, "Downloading", 0);
        const PartialFile partial(store_.partial_path(layer.packed.digest));
        try {
            import_partial(registry, layer, partial);
        } catch (const Error& error) {
            if (!may_go_on_later(error))
                partial.discard();
            throw Error(error.code(),
                        "layer " + layer.packed.digest.substr(0, 19) + ": " + error.what());
        }
        tell(layer, EventStatus::done, "Pull complete", layer.packed.size);
    }

    /// Goes on from what came the last time, where that was good.
    void import_partial(Registry& registry, const RemoteLayer& layer, const PartialFile& partial) {
        const bool resumed = sys::file_size(partial.path()) > 0;
        const auto produce = [&](const Sink& sink) {
            return download(registry, layer, partial, sink);
        };
        try {
            import_layer(store_, produce, layer.diff_id, limit_);
        } catch (const Error& error) {
            if (!resumed || error.code() != std::errc::illegal_byte_sequence)
                throw;
            partial.restart();
            import_layer(store_, produce, layer.diff_id, limit_);
        }
    }

    Packed download(Registry& registry,
                    const RemoteLayer& layer,
                    const PartialFile& partial,
                    const Sink& sink) {
        const auto& [type, expected, size] = layer.packed;
        Sha256 digest;
        std::int64_t received = 0;
        std::int64_t told = 0;
        const auto take = [&](std::string_view bytes) {
            if (stopped_)
                throw Error(std::make_error_code(std::errc::operation_canceled),
                            "the pull has failed");
            digest.update(bytes);
            received += static_cast<std::int64_t>(bytes.size());
            constexpr std::int64_t step = 1 << 20;
            if (received - told >= step) {
                told = received;
                tell(layer, EventStatus::working, "Downloading", received);
            }
            sink(bytes);
        };
        partial.read(take);
        registry.blob(expected, size, received, [&](std::string_view bytes) {
            partial.append(bytes);
            take(bytes);
            return true;
        });
        STACK_FAILPOINT("blob.verify");
        if (received != size || "sha256:" + digest.finish() != expected)
            throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                        "what came is not the blob with digest " + expected);
        return {layer.packed, partial.path()};
    }

    const Paths& paths_;
    std::string name_;
    std::string platform_;
    image::Reference reference_;
    Registry registry_;
    image::Store store_;
    UnpackLimit limit_;
    std::atomic<bool> stopped_ = false;  // one layer has failed: the others need not come
};

}  // namespace

std::string pull(const Paths& paths,
                 const PullRequest& request,
                 const RegistrySettings& settings,
                 const CredentialMap& credentials) {
    return Pull(paths, request, settings, credentials).run();
}

std::string list_tags(const std::string& reference,
                      const RegistrySettings& settings,
                      const CredentialMap& credentials) {
    auto tags =
        Registry(image::require_reference(reference), Registry::Access::pull, settings, credentials)
            .tags();
    std::sort(tags.begin(), tags.end());  // some registries answer in any order
    return join(tags, "\n");
}

}  // namespace stack::fetch
