#pragma once

// Images on disk, shared by all projects and processes of an instance. <state>/images, mode 0700:
//
//   oci-layout, index.json     an OCI image layout; names are annotations in the index
//   blobs/sha256/<hex>         manifests, configurations, and layers packed as they came
//   layers/<hex of diffID>/fs  unpacked layers, overlayfs form (whiteout 0:0,
//                              trusted.overlay.opaque); beside it layer.json, its LayerRecord
//   inherited/<hex>/fs         what a layer takes from those below it (inherited.h)
//   partial/<hex>              packed layers of which a part has come, for the next try
//   staging/, trash/           layers being made, layers being removed
//   leases/, lock              what is being worked with (lease.h)
//
// A layer is durable (syncfs) before it is renamed into place, and its image is in the index only
// after that. A layer's name is the SHA-256 of the uncompressed tar it came from, checked by
// whoever publishes it.
//
// The packed bytes are kept, at a third more disk, because no packer makes them again: with them an
// image goes to another registry or into an archive with all its digests, and can be verified.
// Layers that are built here have none before they are first pushed or saved.

#include <stack/observed.h>
#include <stack/paths.h>

#include "engine/image/layer_record.h"
#include "engine/image/lease.h"
#include "model/image.h"
#include "sys/scratch_directory.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stack::image {

struct Image {
    std::string id;                   // sha256:… of the configuration
    std::string manifest_digest;      // sha256:…
    std::string remote_digest;        // what its registry calls it, where it came from one
    Strings references;               // canonical; none where another image took the last one
    std::vector<std::string> layers;  // diffIDs, sha256:…, base first
    ImageConfig config;
    std::string config_json;  // the configuration's exact bytes
    std::string manifest;     // the manifest's
    std::string manifest_type;
    Time created{};
    Time named{};  // when it was given the name by which it was found last; {}: not by name
    std::int64_t size = 0;      // of the unpacked layers, bytes
    std::string source_digest;  // for built images: what it was built from
};

/// What put() publishes. The layers must be in the store already.
struct NewImage {
    std::string config_json;              // with rootfs.diff_ids; its SHA-256 is the image's id
    std::optional<std::string> manifest;  // exact bytes as pulled; nullopt: one is made
    StringMap annotations{};              // of the one that is made
    std::string manifest_type;
    Strings references;  // canonical; moved here from the image that had them
    std::string source_digest;
    std::string remote_digest;
};

/// What is needed beyond what has a name: asked for under the store's lock.
struct InUse {
    std::map<std::string, std::string> images;  // id -> the container made from it
    std::set<std::string> layers;               // diffIDs
};

using FindInUse = std::function<InUse()>;

struct Removal {
    Strings untagged;  // canonical references
    Strings deleted;   // ids of images
    std::int64_t freed = 0;
};

class Store {
  public:
    explicit Store(const Paths& paths);

    /// By reference as people write it, by id, by the digest of its manifest, or by an unambiguous
    /// prefix (12 digits or more) of one of these.
    [[nodiscard]] std::optional<Image> find(const std::string& reference) const;
    [[nodiscard]] std::vector<Image> list() const;

    /// The names, or digests, of images whose manifest or configuration is missing or damaged: no
    /// list has them, and what they need is not known.
    [[nodiscard]] Strings damaged() const;

    /// Postcondition: what of these layers is in the store stays there as long as this object
    /// lives. Hold first, look with has_layer() afterwards.
    void hold(const Strings& diff_ids);

    [[nodiscard]] bool has_layer(const std::string& diff_id) const;
    [[nodiscard]] LayerRecord layer(const std::string& diff_id) const;
    /// What was unpacked of it. Not all that an overlay needs: see lower_directories().
    [[nodiscard]] std::string layer_directory(const std::string& diff_id) const;
    /// Postcondition: what these layers, which are held, take from one another in this order is
    /// among their lower directories. put() sees to that for an image's.
    void ensure_inherited(const Strings& diff_ids) const;
    /// Lower directories of layers, base first, or of an image's: topmost first, as overlayfs wants
    /// them (inherited.h). An image's are never none.
    [[nodiscard]] Strings lower_directories(const Strings& diff_ids) const;
    [[nodiscard]] Strings lower_directories(const Image& image) const;
    /// Where a blob is, if it is there.
    [[nodiscard]] std::string blob_path(const std::string& digest) const;
    /// Where the packed bytes of a layer are collected; its directory exists. Whoever writes there
    /// holds it flock'ed.
    [[nodiscard]] std::string partial_path(const std::string& digest) const;

    /// A fresh directory on the store's file system, gone with the object.
    [[nodiscard]] sys::ScratchDirectory scratch();
    /// The same to make a layer in; <it>/fs exists.
    [[nodiscard]] sys::ScratchDirectory begin_layer();
    /// Makes the staged layer durable and visible as `diff_id`, and holds it. Where that is there
    /// already, the staged one goes. `packed_file` holds the bytes of record.packed, and is moved.
    void publish_layer(sys::ScratchDirectory staging,
                       const std::string& diff_id,
                       const LayerRecord& record,
                       const std::string& packed_file = {});
    /// Postcondition: the layer, which is there, has its packed bytes, too. `packed_file` is moved.
    void keep_packed(const std::string& diff_id,
                     const PackedLayer& packed,
                     const std::string& packed_file);

    /// Postcondition: find() answers the id and every reference of `image`. What had these names
    /// stays without them, until remove() or prune().
    Image put(const NewImage& image);
    /// Postcondition: `reference` names the image with this id, or with this digest of its
    /// manifest; of several with one id, which differ in what their manifests say, the one that had
    /// the name. `remote_digest` is what its registry calls it by that name; empty: what it called
    /// it before.
    void tag(const std::string& id,
             const std::string& reference,
             const std::string& remote_digest = {});
    /// Takes the reference away; the last one (or an id) takes the image, and all that nothing else
    /// needs. Throws where a container was made from the image; `force` takes the names only, then.
    Removal remove(const std::string& reference, bool force, const FindInUse& find_in_use);
    /// Removes the images that `unwanted` picks, but for those that containers were made from, and
    /// all that nothing needs.
    Removal prune(const std::function<bool(const Image&)>& unwanted, const FindInUse& find_in_use);
    /// Removes what has come of layers whose transfer was broken off. Returns the bytes freed.
    std::int64_t prune_partial();

  private:
    [[nodiscard]] InUse needed(const FindInUse& find_in_use) const;
    Removal remove_damaged(const std::string& reference,
                           const std::string& trash,
                           const FindInUse& find_in_use);
    [[nodiscard]] std::int64_t collect(const InUse& in_use, const std::string& trash);

    std::string root_;
    Lease lease_;
};

/// The configuration's JSON as a value. Throws stack::Error where it is not one (naming what is
/// wrong).
[[nodiscard]] ImageConfig parse_config(const std::string& json);

/// os/architecture[/variant].
[[nodiscard]] std::string platform_of(const ImageConfig& image);
/// Whether an image is for `os[/architecture[/variant]]`; what that does not say makes no
/// difference.
[[nodiscard]] bool is_for(const ImageConfig& image, const std::string& platform);
/// The configuration as OCI JSON, merged over `base` (the JSON of the image it is derived from; may
/// be empty) so that unknown fields stay.
[[nodiscard]] std::string make_config(const std::string& base,
                                      const ImageConfig& config,
                                      const std::vector<std::string>& diff_ids,
                                      const std::string& history_json,
                                      Time created);

}  // namespace stack::image
