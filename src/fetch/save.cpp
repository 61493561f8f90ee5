#include "fetch/save.h"

#include <stack/error.h>

#include "base/digest.h"
#include "engine/image/layer_writer.h"
#include "engine/image/reference.h"
#include "engine/image/store.h"
#include "fetch/import.h"
#include "fetch/layout_target.h"
#include "fetch/output.h"
#include "fetch/travel.h"
#include "sys/file.h"

#include <limits>

#include <fcntl.h>
#include <nlohmann/json.hpp>

namespace stack::fetch {
namespace {

using Json = nlohmann::json;

constexpr const char* reference_key = "org.opencontainers.image.ref.name";
constexpr const char* containerd_key = "io.containerd.image.name";

std::string hex_of(const std::string& digest) {
    return digest.substr(digest.find(':') + 1);
}

std::string blob_name(const std::string& digest) {
    return "blobs/sha256/" + hex_of(digest);
}

image::Image find(const image::Store& store, const std::string& reference) {
    auto image = store.find(reference);
    if (!image)
        throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                    "there is no image " + reference + " (see `stack image ls`)");
    return std::move(*image);
}

/// The names under which an image is saved: the one that was asked for, or, by id, all it has.
Strings names_of(const image::Image& image, const std::string& reference) {
    const auto parsed = image::parse_reference(reference);
    const std::string name = parsed ? image::canonical(*parsed) : "";
    for (const auto& known : image.references)
        if (known == name)
            return {name};
    return image.references;
}

class Layout {
  public:
    explicit Layout(LayoutTarget& target) : target_(target) {
        const Json there = Json::parse(target.index(), nullptr, false);
        if (there.is_object() && there.contains("manifests"))
            manifests_ = there["manifests"];
    }

    void add(const image::Store& store,
             const image::Image& image,
             const Travel& travel,
             const Strings& names) {
        for (const auto& layer : travel.layers)
            put_blob(store, layer);
        put_blob(store, travel.config);
        const std::string digest = "sha256:" + sha256_hex(travel.manifest);
        const sys::Fd manifest = sys::memory_file("manifest", travel.manifest);
        target_.put_blob(
            hex_of(digest), manifest, static_cast<std::int64_t>(travel.manifest.size()));
        Json descriptor = {
            {"mediaType", travel.manifest_type},
            {"digest", digest},
            {"size", travel.manifest.size()},
            {"platform", {{"os", image.config.os}, {"architecture", image.config.architecture}}}};
        for (const auto& name : names) {
            descriptor["annotations"] = {{reference_key, name}};
            if (name.find(':') != std::string::npos)  // else a tag alone
                descriptor["annotations"][containerd_key] = name;
            replace(name, descriptor);
        }
        if (names.empty())
            manifests_.push_back(descriptor);
        add_docker(travel, names);
    }

    /// What names blobs comes when they are all there: whatever is left of a save that was killed
    /// has what it had before, or names none.
    void finish() {
        target_.settle();
        target_.put("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
        target_.put("index.json",
                    Json{{"schemaVersion", 2},
                         {"mediaType", "application/vnd.oci.image.index.v1+json"},
                         {"manifests", manifests_}}
                        .dump());
        target_.put("manifest.json", docker_.dump());
        target_.finish();
    }

  private:
    void put_blob(const image::Store& store, const image::PackedLayer& blob) {
        target_.put_blob(
            hex_of(blob.digest), sys::open_file(store.blob_path(blob.digest), O_RDONLY), blob.size);
    }

    void replace(const std::string& name, const Json& descriptor) {
        Json others = Json::array();
        for (const auto& other : manifests_)
            if (other.value("/annotations/org.opencontainers.image.ref.name"_json_pointer, "") !=
                name)
                others.push_back(other);
        others.push_back(descriptor);
        manifests_ = std::move(others);
    }

    /// What `docker load` reads.
    void add_docker(const Travel& travel, const Strings& names) {
        Json tags = Json::array();
        for (const auto& name : names)
            if (const auto parsed = image::parse_reference(name); parsed && !parsed->tag.empty())
                tags.push_back(image::familiar(*parsed));
        Json layers = Json::array();
        for (const auto& layer : travel.layers)
            layers.push_back(blob_name(layer.digest));
        const std::string config = blob_name(travel.config.digest);
        for (auto& other : docker_)
            if (other["Config"] == config) {  // by another name
                other["RepoTags"].insert(other["RepoTags"].end(), tags.begin(), tags.end());
                return;
            }
        docker_.push_back({{"Config", config}, {"RepoTags", tags}, {"Layers", layers}});
    }

    LayoutTarget& target_;
    Json manifests_ = Json::array();
    Json docker_ = Json::array();
};

std::string digest_of_file(const std::string& path) {
    Sha256 digest;
    sys::read_each(sys::open_file(path, O_RDONLY),
                   [&](std::string_view bytes) { digest.update(bytes); });
    return "sha256:" + digest.finish();
}

/// What is wrong with a layer; "" where nothing is.
std::string fault_of(image::Store& store, const std::string& diff_id) {
    if (!store.has_layer(diff_id))
        return "is missing";
    const sys::Fd tree = sys::open_directory(store.layer_directory(diff_id));
    const auto packed = store.layer(diff_id).packed;
    if (!packed)
        return image::summarize_layer(tree).diff_id == diff_id ? "" : "has other files than it had";
    const std::string path = store.blob_path(packed->digest);
    if (!sys::exists(path) || digest_of_file(path) != packed->digest)
        return "has damaged packed bytes";
    const auto again = store.begin_layer();
    const sys::Fd fresh = sys::open_directory(again.path() + "/fs");
    const UnpackLimit any{std::numeric_limits<std::int64_t>::max()};  // it was taken once
    unpack(sys::open_file(path, O_RDONLY), fresh, {.whiteouts = true, .base = {}}, any);
    return image::summarize_layer(fresh).diff_id == image::summarize_layer(tree).diff_id
               ? ""
               : "has other files than its packed bytes";
}

}  // namespace

std::string save(const Paths& paths,
                 const Strings& references,
                 const std::string& name,
                 const sys::Fd& target) {
    if (!name.empty() && references.size() > 1)
        throw Error("\"" + name + "\" can be the name of one image, not of " +
                    std::to_string(references.size()));
    image::Store store(paths);
    const auto into = make_target(target);
    Layout layout(*into);
    std::string id;
    for (const auto& reference : references) {
        const auto image = find(store, reference);
        const Event event{.id = "Image " + reference, .text = "Saving"};
        say(event);
        layout.add(store,
                   image,
                   prepare(store, image),
                   name.empty() ? names_of(image, reference) : Strings{name});
        id = image.id;
    }
    layout.finish();
    return id;
}

std::string verify(const Paths& paths, const Strings& references) {
    image::Store store(paths);
    std::string faults;
    std::string id;
    for (const auto& reference : references) {
        const auto image = find(store, reference);
        store.hold(image.layers);
        id = image.id;
        const auto blame = [&](const std::string& what) {
            faults += (faults.empty() ? "" : "; ") + what + " of image " + reference;
        };
        if ("sha256:" + sha256_hex(image.config_json) != image.id)
            blame("the configuration");
        if ("sha256:" + sha256_hex(image.manifest) != image.manifest_digest)
            blame("the manifest");
        for (const auto& layer : image.layers) {
            const std::string fault = fault_of(store, layer);
            say({.id = layer.substr(7, 12),
                 .status = fault.empty() ? EventStatus::done : EventStatus::error,
                 .text = fault.empty() ? "Good" : "Damaged",
                 .parent = "Image " + reference});
            if (!fault.empty())
                blame("layer " + layer.substr(0, 19) + ", which " + fault + ",");
        }
    }
    if (!faults.empty())
        throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                    "damaged: " + faults +
                        ": remove the image (`stack image rm`), then pull or build it again");
    return id;
}

}  // namespace stack::fetch
