#include "fetch/archived.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "engine/image/document.h"
#include "engine/image/manifest.h"
#include "engine/image/reference.h"
#include "sys/tree.h"

#include <algorithm>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

namespace stack::fetch {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longest_manifest = 4U << 20U;
constexpr std::size_t longest_config = 8U << 20U;
constexpr const char* reference_key = "org.opencontainers.image.ref.name";
constexpr const char* containerd_key = "io.containerd.image.name";

std::string blob_name(const std::string& digest) {
    return "blobs/sha256/" + digest.substr(digest.find(':') + 1);
}

std::string read_blob(const sys::Fd& root, const image::Descriptor& blob) {
    auto bytes = sys::read_in_root(root, blob_name(blob.digest), longest_config);
    if (!bytes || "sha256:" + sha256_hex(*bytes) != blob.digest)
        throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                    "blob " + blob.digest + " is missing or damaged");
    if (static_cast<std::int64_t>(bytes->size()) != blob.size)
        throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                    "blob " + blob.digest + " has " + std::to_string(bytes->size()) +
                        " bytes, where who names it says " + std::to_string(blob.size));
    return std::move(*bytes);
}

/// What an entry of index.json is called: by its whole name, or, where it has none such, by what
/// may be a tag alone.
std::string name_of(const image::Descriptor& entry) {
    for (const auto* key : {containerd_key, reference_key})
        if (const auto found = entry.annotations.find(key); found != entry.annotations.end())
            return found->second;
    return {};
}

/// `tag` by its whole name, however that is written, or by its tag alone.
bool is_called(const std::string& tag, const std::string& name) {
    if (tag == name || tag.ends_with(":" + name))
        return true;
    const auto own = image::parse_reference(tag);
    const auto wanted = image::parse_reference(name);
    return own && wanted && *own == *wanted;
}

bool is_called(const image::Descriptor& entry, const std::string& name) {
    return std::any_of(entry.annotations.begin(), entry.annotations.end(), [&](const auto& one) {
        return (one.first == containerd_key || one.first == reference_key) &&
               is_called(one.second, name);
    });
}

bool is_called(const DockerEntry& entry, const std::string& name) {
    return std::any_of(entry.tags.begin(), entry.tags.end(), [&](const std::string& tag) {
        return is_called(tag, name);
    });
}

bool is_for_this_machine(const image::Descriptor& entry) {
    return image::choose_platform({entry}, "") != nullptr;
}

/// Of those with one name the one for this machine; of those without any, each that is.
std::vector<image::Descriptor> choose(const std::vector<image::Descriptor>& entries,
                                      const std::string& name) {
    std::vector<image::Descriptor> chosen;
    std::map<std::string, std::vector<image::Descriptor>> of_name;
    Strings order;
    for (const auto& entry : entries) {
        if (!name.empty() && !is_called(entry, name))
            continue;
        const std::string own = name_of(entry);
        if (own.empty() && is_for_this_machine(entry))
            chosen.push_back(entry);
        if (own.empty())
            continue;
        if (of_name[own].empty())
            order.push_back(own);
        of_name[own].push_back(entry);
    }
    for (const auto& own : order)
        if (const auto* one = image::choose_platform(of_name[own], ""))
            chosen.push_back(*one);
    return chosen;
}

/// The names that there are, for people.
std::string names_in(const std::vector<image::Descriptor>& entries) {
    Strings names;
    for (const auto& entry : entries)
        if (std::string own = name_of(entry); !own.empty())
            names.push_back(std::move(own));
    return names.empty() ? "no names" : join(names, ", ");
}

/// The type is said twice, as in a registry's answer.
std::string type_of(const image::Descriptor& entry, const image::Manifest& manifest) {
    if (manifest.media_type.empty())
        return entry.media_type;
    if (!entry.media_type.empty() && entry.media_type != manifest.media_type)
        throw Error("the manifest says that it is a " + manifest.media_type +
                    ", and its index that it is a " + entry.media_type);
    return manifest.media_type;
}

ArchivedImage image_of(const sys::Fd& root, image::Descriptor entry) {
    ArchivedImage found;
    if (const std::string name = name_of(entry); image::parse_reference(name))
        found.names = {name};
    constexpr int deepest_index = 3;
    std::string text = read_blob(root, entry);
    image::Manifest manifest = image::parse_manifest(text);
    for (int depth = 0; manifest.is_index; ++depth) {
        const auto* chosen = image::choose_platform(manifest.entries, "");
        if (chosen == nullptr || depth == deepest_index)
            throw Error("the image has no variant for this machine, " + image::this_platform());
        entry = *chosen;
        text = read_blob(root, entry);
        manifest = image::parse_manifest(text);
    }
    found.config = read_blob(root, *manifest.config);
    const Strings diff_ids = image::parse_diff_ids(found.config);
    image::check_layer_count(manifest.layers.size(), diff_ids.size());
    for (std::size_t i = 0; i < diff_ids.size(); ++i) {
        const auto& layer = manifest.layers[i];
        found.layers.push_back({blob_name(layer.digest), diff_ids[i], layer.digest, layer.size});
    }
    found.manifest_type = type_of(entry, manifest);
    found.manifest = std::move(text);
    return found;
}

/// The manifests of an archive in both formats. Each is read once to see what it is of, however
/// many images are looked for.
class Manifests {
  public:
    explicit Manifests(const sys::Fd& root) : root_(root) {
        if (const auto index = sys::read_in_root(root, "index.json", longest_manifest))
            entries_ = image::parse_manifest(*index).entries;
    }

    /// Gives the image the one of its configuration, and its type; none where there is none that
    /// could be used.
    void give(ArchivedImage& image) {
        const Subject wanted{"sha256:" + sha256_hex(image.config), image.layers.size()};
        while (!known_.contains(wanted) && next_ < entries_.size())
            learn(next_++);
        const auto found = known_.find(wanted);
        if (found == known_.end())
            return;
        const auto& entry = entries_[found->second];
        image.manifest = read(entry);
        if (image.manifest)
            image.manifest_type = type_of(entry, image::parse_manifest(*image.manifest));
    }

  private:
    using Subject = std::pair<std::string, std::size_t>;  // the configuration, how many layers

    [[nodiscard]] std::optional<std::string> read(const image::Descriptor& entry) const {
        auto text = sys::read_in_root(root_, blob_name(entry.digest), longest_manifest);
        return text && "sha256:" + sha256_hex(*text) == entry.digest ? std::move(text)
                                                                     : std::nullopt;
    }

    void learn(std::size_t number) {
        const auto text = read(entries_[number]);
        if (!text)
            return;
        const auto manifest = image::parse_manifest(*text);
        if (!manifest.is_index)
            known_.emplace(Subject{manifest.config->digest, manifest.layers.size()}, number);
    }

    const sys::Fd& root_;
    std::vector<image::Descriptor> entries_;
    std::size_t next_ = 0;
    std::map<Subject, std::size_t> known_;  // its entry, the first one
};

ArchivedImage image_of(const sys::Fd& root, const DockerEntry& entry, Manifests& manifests) {
    auto config = sys::read_in_root(root, entry.config, longest_config);
    if (!config)
        throw Error("the archive lacks " +
                    (entry.config.empty() ? "a configuration" : entry.config));
    ArchivedImage image;
    image.config = std::move(*config);
    image.names = entry.tags;
    const Strings diff_ids = image::parse_diff_ids(image.config);
    image::check_layer_count(entry.layers.size(), diff_ids.size());
    for (std::size_t i = 0; i < diff_ids.size(); ++i)
        image.layers.push_back({.file = entry.layers[i], .diff_id = diff_ids[i], .digest = {}});
    manifests.give(image);
    return image;
}

/// All images of an archive, which are described before the first is taken. Each may have a
/// configuration of megabytes, and the same one as the others.
class Found {
  public:
    void add(ArchivedImage image) {
        constexpr std::size_t most = 256U << 20U;
        bytes_ += image.config.size() + image.manifest.value_or("").size();
        if (bytes_ > most)
            throw Error(std::make_error_code(std::errc::file_too_large),
                        "what the archive says of its images has more than " +
                            std::to_string(most >> 20U) + " MiB: no archive is meant so");
        images_.push_back(std::move(image));
    }

    [[nodiscard]] bool empty() const { return images_.empty(); }

    [[nodiscard]] std::vector<ArchivedImage> take() { return std::move(images_); }

  private:
    std::vector<ArchivedImage> images_;
    std::size_t bytes_ = 0;
};

Strings texts(const Json& entry, const char* key) {
    const auto found = entry.find(key);
    if (found == entry.end() || found->is_null())
        return {};
    return found->get<Strings>();
}

}  // namespace

std::vector<DockerEntry> parse_docker_manifest(std::string_view json) {
    const Json list = image::parse_document(json, "manifest.json of the archive");
    if (!list.is_array() || list.empty())
        throw Error("manifest.json of the archive describes no image");
    std::vector<DockerEntry> entries;
    try {
        for (const auto& one : list)
            entries.push_back(
                {one.value("Config", ""), texts(one, "Layers"), texts(one, "RepoTags")});
    } catch (const Json::exception&) {
        throw Error("manifest.json of the archive has a value of the wrong type: it is damaged");
    }
    return entries;
}

std::vector<ArchivedImage> images_of_layout(const sys::Fd& directory, const std::string& name) {
    const auto text = sys::read_in_root(directory, "index.json", longest_manifest);
    if (!text)
        throw Error("there is no index.json: it is no OCI image layout");
    const auto index = image::parse_manifest(*text);
    Found images;
    for (auto& entry : choose(index.entries, name))
        images.add(image_of(directory, std::move(entry)));
    if (images.empty() && !name.empty())
        throw Error("there is no image " + name + " for this machine: there are " +
                    names_in(index.entries));
    if (images.empty())
        throw Error("there is no image for this machine, " + image::this_platform());
    return images.take();
}

std::vector<ArchivedImage> images_of_archive(const sys::Fd& directory, const std::string& name) {
    const auto text = sys::read_in_root(directory, "manifest.json", longest_manifest);
    if (!text)
        return images_of_layout(directory, name);
    Found images;
    Manifests manifests(directory);
    for (const auto& entry : parse_docker_manifest(*text))
        if (name.empty() || is_called(entry, name))
            images.add(image_of(directory, entry, manifests));
    if (images.empty())
        throw Error("there is no image " + name + " in the archive");
    return images.take();
}

}  // namespace stack::fetch
