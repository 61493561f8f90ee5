#include "engine/image/store.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "engine/image/index.h"
#include "engine/image/inherited.h"
#include "engine/image/manifest.h"
#include "engine/image/reference.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace stack::image {
namespace {

using Json = nlohmann::json;

constexpr const char* manifest_media_type = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* config_media_type = "application/vnd.oci.image.config.v1+json";
constexpr const char* layer_media_type = "application/vnd.oci.image.layer.v1.tar";

std::string hex_of(const std::string& digest) {
    return digest.substr(digest.find(':') + 1);
}

std::string blob_path(const std::string& root, const std::string& digest) {
    if (!is_digest(digest))
        throw Error("\"" + digest + "\" is not a digest");
    return root + "/blobs/sha256/" + hex_of(digest);
}

/// Content first, name second: a blob that is there is whole.
std::string put_blob(const std::string& root, const std::string& bytes) {
    const std::string digest = "sha256:" + sha256_hex(bytes);
    if (sys::read_file(blob_path(root, digest)) != bytes)  // none, or a damaged one
        sys::replace_file(blob_path(root, digest), bytes, 0644);
    return digest;
}

/// The file is durable already; where the blob is there, it is the same.
void move_blob(const std::string& root, const std::string& file, const std::string& digest) {
    const std::string path = blob_path(root, digest);
    sys::ensure_directory(sys::parent_path(path));
    sys::rename(file, path);
    sys::sync_directory(sys::parent_path(path));
}

/// An image by its manifest; nullopt where a blob of it is missing or damaged.
std::optional<Image> load_image(const std::string& root, const IndexEntry& entry) {
    if (!is_digest(entry.digest))
        return std::nullopt;
    auto manifest_text = sys::read_file(blob_path(root, entry.digest));
    const Json manifest = Json::parse(manifest_text.value_or(""), nullptr, false);
    if (!manifest.is_object() || !manifest.contains("config"))
        return std::nullopt;
    Image image;
    image.manifest_digest = entry.digest;
    image.manifest_type = entry.media_type;
    image.manifest = std::move(*manifest_text);
    image.id = manifest["config"].value("digest", "");
    auto config_text =
        is_digest(image.id) ? sys::read_file(blob_path(root, image.id)) : std::nullopt;
    const Json config = Json::parse(config_text.value_or(""), nullptr, false);
    if (!config.is_object())
        return std::nullopt;
    image.config_json = std::move(*config_text);
    image.config = parse_config(image.config_json);
    for (const auto& diff_id : config.value("/rootfs/diff_ids"_json_pointer, Json::array()))
        image.layers.push_back(diff_id.get<std::string>());
    std::tm parts{};
    const Json created = config.value("created", Json());
    if (created.is_string() &&
        ::strptime(created.get_ref<const std::string&>().c_str(), "%Y-%m-%dT%H:%M:%S", &parts) !=
            nullptr)
        image.created = std::chrono::system_clock::from_time_t(::timegm(&parts));
    for (const auto& layer : image.layers)
        image.size += read_layer(root, layer).size;
    return image;
}

/// The images of the index, each once, with all their references; or the one with this manifest.
std::vector<Image> load_images(const std::string& root,
                               const Index& index,
                               const std::string& manifest_digest = {}) {
    std::vector<Image> images;
    for (const auto& entry : index.entries()) {
        if (!manifest_digest.empty() && entry.digest != manifest_digest)
            continue;
        auto known = std::find_if(images.begin(), images.end(), [&](const Image& image) {
            return image.manifest_digest == entry.digest;
        });
        if (known == images.end()) {
            auto image = load_image(root, entry);
            if (!image)
                continue;
            images.push_back(std::move(*image));
            known = std::prev(images.end());
        }
        if (!entry.reference.empty())
            known->references.push_back(entry.reference);
        if (!entry.source_digest.empty())
            known->source_digest = entry.source_digest;
        if (!entry.remote_digest.empty())
            known->remote_digest = entry.remote_digest;
    }
    return images;
}

/// A manifest for an image whose own is not known. A layer that was never packed goes by the digest
/// of its tar.
std::string make_manifest(const std::string& root, const NewImage& image) {
    const std::string& config_json = image.config_json;
    Json layers = Json::array();
    const Json config = Json::parse(config_json);
    for (const auto& diff_id : config.value("/rootfs/diff_ids"_json_pointer, Json::array())) {
        const auto packed = read_layer(root, diff_id.get<std::string>())
                                .packed.value_or(PackedLayer{layer_media_type, diff_id, 0});
        layers.push_back(
            {{"mediaType", packed.media_type}, {"digest", packed.digest}, {"size", packed.size}});
    }
    Json manifest{{"schemaVersion", 2},
                  {"mediaType", manifest_media_type},
                  {"config",
                   {{"mediaType", config_media_type},
                    {"digest", "sha256:" + sha256_hex(config_json)},
                    {"size", config_json.size()}}},
                  {"layers", layers}};
    if (!image.annotations.empty())
        manifest["annotations"] = image.annotations;
    return manifest.dump();
}

std::string canonical_name(const std::string& reference) {
    return canonical(require_reference(reference));
}

bool is_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Store::Store(const Paths& paths) : root_(paths.state + "/images"), lease_(root_) {}

std::vector<Image> Store::list() const {
    return load_images(root_, Index::read(root_));
}

std::optional<Image> Store::find(const std::string& reference) const {
    constexpr std::size_t shortest_id = 12;
    const auto parsed = parse_reference(reference);
    const std::string id = reference.starts_with("sha256:") ? hex_of(reference) : reference;
    const bool may_be_id = id.size() >= shortest_id && is_hex(id);
    const Index index = Index::read(root_);
    const IndexEntry* named =
        parsed && !is_digest(reference) ? index.find(canonical(*parsed)) : nullptr;
    if (named == nullptr && !may_be_id)
        return std::nullopt;
    // By name, or by its manifest, it is one of many: the others are not looked at.
    const auto& entries = index.entries();
    const bool is_manifest =
        named == nullptr && std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
            return entry.digest == reference;
        });
    const std::string only = named != nullptr ? named->digest : is_manifest ? reference : "";
    for (auto& image : load_images(root_, index, only))
        if (named != nullptr || hex_of(image.id).starts_with(id) ||
            hex_of(image.manifest_digest).starts_with(id)) {
            image.named = named != nullptr ? named->named : Time{};
            return std::move(image);
        }
    return std::nullopt;
}

void Store::hold(const Strings& diff_ids) {
    lease_.keep({diff_ids.begin(), diff_ids.end()});
}

bool Store::has_layer(const std::string& diff_id) const {
    return sys::is_directory(layer_path(root_, diff_id) + "/fs");
}

LayerRecord Store::layer(const std::string& diff_id) const {
    return read_layer(root_, diff_id);
}

std::string Store::layer_directory(const std::string& diff_id) const {
    return layer_path(root_, diff_id) + "/fs";
}

Strings Store::damaged() const {
    Strings names;
    const Index index = Index::read(root_);
    for (const auto& entry : index.entries())
        if (!load_image(root_, entry))
            names.push_back(entry.reference.empty() ? entry.digest : entry.reference);
    return names;
}

Strings Store::lower_directories(const Strings& diff_ids) const {
    return image::lower_directories(root_, diff_ids);
}

Strings Store::lower_directories(const Image& image) const {
    Strings lowers = lower_directories(image.layers);
    if (lowers.empty()) {  // FROM scratch: overlayfs wants something below
        sys::ensure_directory(root_ + "/empty");
        lowers.push_back(root_ + "/empty");
    }
    return lowers;
}

std::string Store::blob_path(const std::string& digest) const {
    return image::blob_path(root_, digest);
}

std::string Store::partial_path(const std::string& digest) const {
    if (!is_digest(digest))
        throw Error("\"" + digest + "\" is not a digest");
    sys::ensure_private_directory(root_);
    sys::ensure_directory(root_ + "/partial", 0700);
    return root_ + "/partial/" + hex_of(digest);
}

sys::ScratchDirectory Store::scratch() {
    sys::ensure_private_directory(root_);
    return sys::ScratchDirectory(root_ + "/staging");
}

sys::ScratchDirectory Store::begin_layer() {
    sys::ScratchDirectory staging = scratch();
    sys::ensure_directory(staging.path() + "/fs");
    return staging;
}

void Store::publish_layer(sys::ScratchDirectory staging,
                          const std::string& diff_id,
                          const LayerRecord& record,
                          const std::string& packed_file) {
    sys::ensure_directory(root_ + "/layers", 0711);
    hold({diff_id});
    if (has_layer(diff_id)) {
        if (record.packed)
            keep_packed(diff_id, *record.packed, packed_file);
        return;
    }
    sys::replace_volatile_file(staging.path() + "/layer.json", layer_json(record));
    STACK_FAILPOINT("layer.syncfs");
    sys::sync_filesystem(staging.path());
    STACK_FAILPOINT("layer.publish");
    // The lease keeps the layer; its blob is nobody's until the layer's record is there.
    const auto uncollected = sys::Lock::acquire_shared(lock_path(root_));
    if (record.packed)
        move_blob(root_, packed_file, record.packed->digest);
    if (staging.move_to(layer_path(root_, diff_id)))  // else another process was faster
        sys::sync_directory(root_ + "/layers");
}

void Store::keep_packed(const std::string& diff_id,
                        const PackedLayer& packed,
                        const std::string& packed_file) {
    LayerRecord record = read_layer(root_, diff_id);
    if (record.packed && sys::exists(blob_path(record.packed->digest))) {
        sys::remove_file(packed_file);
        return;
    }
    sys::sync_filesystem(sys::parent_path(packed_file));
    const auto uncollected = sys::Lock::acquire_shared(lock_path(root_));
    move_blob(root_, packed_file, packed.digest);
    record.packed = packed;
    STACK_FAILPOINT("layer.packed");
    sys::replace_file(layer_path(root_, diff_id) + "/layer.json", layer_json(record));
}

void Store::ensure_inherited(const Strings& diff_ids) const {
    image::ensure_inherited(root_, diff_ids);
}

Image Store::put(const NewImage& image) {
    check_config(image.config_json);
    sys::ensure_private_directory(root_);
    sys::ensure_directory(root_ + "/blobs/sha256", 0755);
    const Strings layers = parse_diff_ids(image.config_json);
    hold(layers);
    for (const auto& layer : layers)
        if (!has_layer(layer))
            throw Error("layer " + layer + " of image sha256:" + sha256_hex(image.config_json) +
                        " is not in the store");
    ensure_inherited(layers);
    const sys::Lock lock = sys::Lock::acquire(lock_path(root_));
    if (!sys::exists(root_ + "/oci-layout"))
        sys::replace_file(root_ + "/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}\n", 0644);
    put_blob(root_, image.config_json);
    const std::string manifest = image.manifest ? *image.manifest : make_manifest(root_, image);
    IndexEntry entry;
    entry.digest = put_blob(root_, manifest);
    entry.size = static_cast<std::int64_t>(manifest.size());
    entry.media_type = image.manifest_type.empty() ? manifest_media_type : image.manifest_type;
    entry.source_digest = image.source_digest;
    entry.remote_digest = image.remote_digest;
    entry.named = std::chrono::system_clock::now();
    Index index = Index::read(root_);
    index.keep(entry);
    for (const auto& reference : image.references) {
        entry.reference = reference;
        index.name(entry);
    }
    auto loaded = load_image(root_, entry);
    if (!loaded)
        throw Error("image " + entry.digest + " cannot be read back from the store");
    STACK_FAILPOINT("image.tag");
    index.write(root_);
    loaded->references = image.references;
    loaded->source_digest = image.source_digest;
    loaded->remote_digest = image.remote_digest;
    return std::move(*loaded);
}

void Store::tag(const std::string& id,
                const std::string& reference,
                const std::string& remote_digest) {
    const std::string name = canonical_name(reference);
    const sys::Lock lock = sys::Lock::acquire(lock_path(root_));
    Index index = Index::read(root_);
    auto images = load_images(root_, index);
    std::erase_if(
        images, [&](const Image& image) { return image.id != id && image.manifest_digest != id; });
    if (images.empty())
        throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                    "there is no image " + id);
    const auto had_it = std::find_if(images.begin(), images.end(), [&](const Image& image) {
        return std::find(image.references.begin(), image.references.end(), name) !=
               image.references.end();
    });
    const Image& image = had_it == images.end() ? images.front() : *had_it;
    index.name({image.manifest_digest,
                static_cast<std::int64_t>(image.manifest.size()),
                image.manifest_type,
                name,
                image.source_digest,
                remote_digest.empty() ? image.remote_digest : remote_digest,
                std::chrono::system_clock::now()});
    index.write(root_);
}

}  // namespace stack::image
