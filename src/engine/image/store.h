#pragma once

// Images on disk, shared by all projects and processes of an instance.
//
//   <state>/images/oci-layout, index.json     an OCI image layout: references are annotations in
//   the index <state>/images/blobs/sha256/<hex>         manifests and configurations (layer blobs
//   are not kept) <state>/images/layers/<hex of diffID>/fs  unpacked layers, overlayfs form
//   (whiteout 0:0, trusted.overlay.opaque) <state>/images/staging/<random>           layers being
//   made; each holds a flock'ed file while its maker lives <state>/images/lock flock: shared to
//   use, exclusive to change the index or collect garbage
//
// A layer is durable (syncfs) before it is renamed into place, and its image is in the index only
// after that. A layer's name is the SHA-256 of the uncompressed tar it came from, checked by
// whoever publishes it.

#include <stack/observed.h>
#include <stack/paths.h>

#include "model/image.h"
#include "sys/scratch_directory.h"

#include <optional>
#include <string>
#include <vector>

namespace stack::image {

struct Image {
    std::string id;                   // sha256:… of the configuration
    std::string manifest_digest;      // sha256:…
    Strings references;               // canonical
    std::vector<std::string> layers;  // diffIDs, sha256:…, base first
    ImageConfig config;
    std::string config_json;  // the configuration's exact bytes
    Time created{};
    std::int64_t size = 0;      // of the unpacked layers, bytes
    std::string source_digest;  // for built images: what it was built from
};

/// What put() publishes. The layers must be in the store already.
struct NewImage {
    std::string config_json;              // with rootfs.diff_ids; its SHA-256 is the image's id
    std::optional<std::string> manifest;  // exact bytes as pulled; nullopt: one is made
    std::string manifest_type;
    Strings references;  // canonical; moved here from the image that had them
    std::string source_digest;
};

class Store {
  public:
    explicit Store(const Paths& paths);

    /// By reference as people write it, by id, or by an unambiguous prefix (12 digits or more) of
    /// an id.
    [[nodiscard]] std::optional<Image> find(const std::string& reference) const;
    [[nodiscard]] std::vector<Image> list() const;

    [[nodiscard]] bool has_layer(const std::string& diff_id) const;
    /// The directory to use as overlay lower.
    [[nodiscard]] std::string layer_directory(const std::string& diff_id) const;
    /// Lower directories of an image, topmost first, as overlayfs wants them.
    [[nodiscard]] Strings lower_directories(const Image& image) const;

    /// A fresh directory to make a layer in; <it>/fs exists.
    [[nodiscard]] sys::ScratchDirectory begin_layer();
    /// Makes the staged layer durable and visible as `diff_id`. Where that is there already, the
    /// staged one goes. `size` is the sum of file sizes in bytes.
    void publish_layer(sys::ScratchDirectory staging,
                       const std::string& diff_id,
                       std::int64_t size);

    /// Postcondition: find() answers every reference of `image`.
    Image put(const NewImage& image);
    /// Postcondition: `reference` names the image with this id.
    void tag(const std::string& id, const std::string& reference);
    /// Takes the reference away; the last one takes the image, and layers that nothing else uses go
    /// to the trash. `in_use` are the ids of images that containers were made from: these and their
    /// layers stay.
    void remove(const std::string& reference, const Strings& in_use);

  private:
    std::string root_;
};

/// The configuration's JSON as a value. Throws stack::Error where it is not one (naming what is
/// wrong).
[[nodiscard]] ImageConfig parse_config(const std::string& json);
/// The configuration as OCI JSON, merged over `base` (the JSON of the image it is derived from; may
/// be empty) so that unknown fields stay.
[[nodiscard]] std::string make_config(const std::string& base,
                                      const ImageConfig& config,
                                      const std::vector<std::string>& diff_ids,
                                      const std::string& history_json,
                                      Time created);

}  // namespace stack::image
