#include "engine/image/store.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/failpoint.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/image/reference.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/tree.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

namespace stack::image {
namespace {

using Json = nlohmann::json;

constexpr const char* reference_key = "org.opencontainers.image.ref.name";
constexpr const char* source_key = "dev.stack.build.source";
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

std::string layer_path(const std::string& root, const std::string& diff_id) {
    if (!is_digest(diff_id))
        throw Error("\"" + diff_id + "\" is not a digest");
    return root + "/layers/" + hex_of(diff_id);
}

/// Content first, name second: a blob that is there is whole.
std::string put_blob(const std::string& root, const std::string& bytes) {
    const std::string digest = "sha256:" + sha256_hex(bytes);
    if (!sys::exists(blob_path(root, digest)))
        sys::replace_file(blob_path(root, digest), bytes, 0644);
    return digest;
}

Json read_index(const std::string& root) {
    const auto text = sys::read_file(root + "/index.json");
    Json index = text ? Json::parse(*text, nullptr, false) : Json();
    if (!index.is_object() || !index["manifests"].is_array())
        index = {{"schemaVersion", 2}, {"manifests", Json::array()}};
    return index;
}

void write_index(const std::string& root, const Json& index) {
    STACK_FAILPOINT("image.index");
    sys::replace_file(root + "/index.json", index.dump(2) + "\n", 0644);
}

std::string annotation(const Json& descriptor, const char* key) {
    const auto annotations = descriptor.find("annotations");
    if (annotations == descriptor.end() || !annotations->is_object())
        return {};
    return annotations->value(key, "");
}

/// An image by its manifest; nullopt where a blob of it is missing or damaged.
std::optional<Image> load_image(const std::string& root, const std::string& manifest_digest) {
    const auto manifest_text = sys::read_file(blob_path(root, manifest_digest));
    const Json manifest = Json::parse(manifest_text.value_or(""), nullptr, false);
    if (!manifest.is_object() || !manifest.contains("config"))
        return std::nullopt;
    Image image;
    image.manifest_digest = manifest_digest;
    image.id = manifest["config"].value("digest", "");
    const auto config_text =
        is_digest(image.id) ? sys::read_file(blob_path(root, image.id)) : std::nullopt;
    if (!config_text)
        return std::nullopt;
    image.config_json = *config_text;
    image.config = parse_config(*config_text);
    const Json config = Json::parse(*config_text);
    for (const auto& diff_id : config.value("/rootfs/diff_ids"_json_pointer, Json::array()))
        image.layers.push_back(diff_id.get<std::string>());
    std::tm parts{};
    if (::strptime(config.value("created", "").c_str(), "%Y-%m-%dT%H:%M:%S", &parts) != nullptr)
        image.created = std::chrono::system_clock::from_time_t(::timegm(&parts));
    for (const auto& layer : image.layers) {
        const auto size = sys::read_file(layer_path(root, layer) + "/size");
        image.size += parse_number<std::int64_t>(trim(size.value_or(""))).value_or(0);
    }
    return image;
}

/// The images of the index, each once, with all their references.
std::vector<Image> load_images(const std::string& root) {
    std::vector<Image> images;
    const Json index = read_index(root);
    for (const auto& descriptor : index["manifests"]) {
        const std::string digest = descriptor.value("digest", "");
        auto known = std::find_if(images.begin(), images.end(), [&](const Image& image) {
            return image.manifest_digest == digest;
        });
        if (known == images.end()) {
            auto image = is_digest(digest) ? load_image(root, digest) : std::nullopt;
            if (!image)
                continue;
            images.push_back(std::move(*image));
            known = std::prev(images.end());
        }
        if (const std::string reference = annotation(descriptor, reference_key); !reference.empty())
            known->references.push_back(reference);
        if (const std::string source = annotation(descriptor, source_key); !source.empty())
            known->source_digest = source;
    }
    return images;
}

Json descriptor_for(const std::string& digest,
                    std::size_t size,
                    const std::string& media_type,
                    const std::string& reference,
                    const std::string& source) {
    Json descriptor = {{"mediaType", media_type}, {"digest", digest}, {"size", size}};
    if (!reference.empty())
        descriptor["annotations"][reference_key] = reference;
    if (!source.empty())
        descriptor["annotations"][source_key] = source;
    return descriptor;
}

void take_reference_away(Json& index, const std::string& reference) {
    auto& manifests = index["manifests"];
    for (std::size_t i = 0; i < manifests.size();)
        if (annotation(manifests[i], reference_key) == reference)
            manifests.erase(i);
        else
            ++i;
}

/// A manifest for an image whose own is not known: its layers are the uncompressed tars they were
/// made from.
std::string make_manifest(const std::string& config_json) {
    Json layers = Json::array();
    for (const auto& diff_id :
         Json::parse(config_json).value("/rootfs/diff_ids"_json_pointer, Json::array()))
        layers.push_back({{"mediaType", layer_media_type}, {"digest", diff_id}, {"size", 0}});
    return Json{{"schemaVersion", 2},
                {"mediaType", manifest_media_type},
                {"config",
                 {{"mediaType", config_media_type},
                  {"digest", "sha256:" + sha256_hex(config_json)},
                  {"size", config_json.size()}}},
                {"layers", layers}}
        .dump();
}

std::string canonical_name(const std::string& reference) {
    const auto parsed = parse_reference(reference);
    if (!parsed)
        throw Error("\"" + reference + "\" is not the name of an image: " + parsed.error().message);
    return canonical(*parsed);
}

bool is_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Store::Store(const Paths& paths) : root_(paths.state + "/images") {}

std::vector<Image> Store::list() const {
    return load_images(root_);
}

std::optional<Image> Store::find(const std::string& reference) const {
    constexpr std::size_t shortest_id = 12;
    const auto parsed = parse_reference(reference);
    const std::string name = parsed ? canonical(*parsed) : "";
    const std::string id = reference.starts_with("sha256:") ? hex_of(reference) : reference;
    const bool may_be_id = id.size() >= shortest_id && is_hex(id);
    std::string digest;
    const Json index = read_index(root_);
    for (const auto& descriptor : index["manifests"])
        if (!name.empty() && annotation(descriptor, reference_key) == name)
            digest = descriptor.value("digest", "");
    if (digest.empty() && !may_be_id)
        return std::nullopt;
    for (auto& image : load_images(root_))
        if (image.manifest_digest == digest || (digest.empty() && hex_of(image.id).starts_with(id)))
            return std::move(image);
    return std::nullopt;
}

bool Store::has_layer(const std::string& diff_id) const {
    return sys::is_directory(layer_path(root_, diff_id) + "/fs");
}

std::string Store::layer_directory(const std::string& diff_id) const {
    return layer_path(root_, diff_id) + "/fs";
}

Strings Store::lower_directories(const Image& image) const {
    Strings lowers;
    for (auto layer = image.layers.rbegin(); layer != image.layers.rend(); ++layer)
        lowers.push_back(layer_directory(*layer));
    if (lowers.empty()) {  // FROM scratch: overlayfs wants something below
        sys::ensure_directory(root_ + "/empty");
        lowers.push_back(root_ + "/empty");
    }
    return lowers;
}

sys::ScratchDirectory Store::begin_layer() {
    sys::ScratchDirectory staging(root_ + "/staging");
    sys::ensure_directory(staging.path() + "/fs");
    return staging;
}

void Store::publish_layer(sys::ScratchDirectory staging,
                          const std::string& diff_id,
                          std::int64_t size) {
    sys::ensure_directory(root_ + "/layers", 0711);
    if (has_layer(diff_id))
        return;
    sys::replace_volatile_file(staging.path() + "/size", std::to_string(size) + "\n");
    STACK_FAILPOINT("layer.syncfs");
    sys::sync_filesystem(staging.path());
    STACK_FAILPOINT("layer.publish");
    if (staging.move_to(layer_path(root_, diff_id)))  // else another process was faster
        sys::sync_directory(root_ + "/layers");
}

Image Store::put(const NewImage& image) {
    sys::ensure_directory(root_ + "/blobs/sha256", 0755);
    const sys::Lock lock = sys::Lock::acquire(root_ + "/lock");
    if (!sys::exists(root_ + "/oci-layout"))
        sys::replace_file(root_ + "/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}\n", 0644);
    put_blob(root_, image.config_json);
    const std::string manifest = image.manifest.value_or(make_manifest(image.config_json));
    const std::string digest = put_blob(root_, manifest);
    const std::string type =
        image.manifest_type.empty() ? manifest_media_type : image.manifest_type;
    Json index = read_index(root_);
    for (const auto& reference : image.references) {
        take_reference_away(index, reference);
        index["manifests"].push_back(
            descriptor_for(digest, manifest.size(), type, reference, image.source_digest));
    }
    STACK_FAILPOINT("image.tag");
    write_index(root_, index);
    auto loaded = load_image(root_, digest);
    if (!loaded)
        throw Error("image " + digest + " cannot be read back from the store");
    loaded->references = image.references;
    loaded->source_digest = image.source_digest;
    return std::move(*loaded);
}

void Store::tag(const std::string& id, const std::string& reference) {
    const std::string name = canonical_name(reference);
    const sys::Lock lock = sys::Lock::acquire(root_ + "/lock");
    Json index = read_index(root_);
    take_reference_away(index, name);
    for (const auto& image : load_images(root_)) {
        if (image.id != id)
            continue;
        const auto size =
            sys::read_file(blob_path(root_, image.manifest_digest)).value_or("").size();
        index["manifests"].push_back(descriptor_for(
            image.manifest_digest, size, manifest_media_type, name, image.source_digest));
        write_index(root_, index);
        return;
    }
    throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                "there is no image " + id);
}

void Store::remove(const std::string& reference, const Strings& in_use) {
    const auto image = find(reference);
    if (!image)
        return;
    const sys::Lock lock = sys::Lock::acquire(root_ + "/lock");
    const auto parsed = parse_reference(reference);
    const std::string name = parsed ? canonical(*parsed) : "";
    const bool by_name = std::find(image->references.begin(), image->references.end(), name) !=
                         image->references.end();
    Json index = read_index(root_);
    for (const auto& known : by_name ? Strings{name} : image->references)
        take_reference_away(index, known);
    write_index(root_, index);
    std::set<std::string> kept_layers;
    std::set<std::string> kept_blobs;
    const auto keep = [&](const Image& other) {
        kept_layers.insert(other.layers.begin(), other.layers.end());
        kept_blobs.insert({other.id, other.manifest_digest});
    };
    for (const auto& other : load_images(root_))
        keep(other);
    if (std::find(in_use.begin(), in_use.end(), image->id) != in_use.end())
        keep(*image);
    for (const auto& blob : {image->id, image->manifest_digest})
        if (!kept_blobs.contains(blob))
            sys::remove_file(blob_path(root_, blob));
    sys::ensure_directory(root_ + "/trash", 0700);
    for (const auto& layer : image->layers)
        if (!kept_layers.contains(layer) && has_layer(layer))
            sys::rename(layer_path(root_, layer), root_ + "/trash/" + random_hex(16));
    sys::remove_tree(root_ + "/trash");
}

}  // namespace stack::image
