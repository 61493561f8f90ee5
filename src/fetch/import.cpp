#include "fetch/import.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "engine/image/layer_writer.h"
#include "engine/image/reference.h"
#include "engine/image/store.h"
#include "fetch/inflate.h"
#include "fetch/layer.h"
#include "fetch/packing_file.h"
#include "fetch/untar.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <chrono>
#include <deque>

#include <fcntl.h>
#include <nlohmann/json.hpp>

namespace stack::fetch {
namespace {

using Json = nlohmann::json;

std::string canonical_name(const std::string& name) {
    const auto reference = image::parse_reference(name);
    if (!reference)
        throw Error("\"" + name + "\" is not the name of an image: " + reference.error().message);
    if (!image::is_name(*reference))
        throw Error("\"" + name +
                    "\" is a digest's, and nothing but an image's content can give it that name");
    return image::canonical(*reference);
}

/// An archive's own files, in a directory of ours while they are read.
class Spool {
  public:
    Spool(image::Store& store, const std::string& file, const UnpackLimit& limit)
        : scratch_(store.scratch()) {
        unpack(sys::open_file(file, O_RDONLY), sys::open_directory(scratch_.path()), {}, limit);
    }

    [[nodiscard]] const std::string& directory() const { return scratch_.path(); }

  private:
    sys::ScratchDirectory scratch_;
};

class Importer {
  public:
    Importer(const Paths& paths, const image::ImportRequest& request, const UnpackLimit& limit)
        : request_(request), reference_(request.reference), store_(paths), limit_(limit) {}

    /// A root file system as a tar: one layer.
    std::string tar(const std::string& file) {
        return put_flat(import_file(sys::open_file(file, O_RDONLY), ""));
    }

    /// A directory as it is, copied.
    std::string rootfs(const std::string& directory) {
        sys::ScratchDirectory staging = store_.begin_layer();
        sys::copy_tree(sys::open_directory(directory), sys::open_directory(staging.path() + "/fs"));
        const auto made = image::summarize_layer(sys::open_directory(staging.path() + "/fs"));
        store_.publish_layer(std::move(staging), made.diff_id, {made.size, {}});
        return put_flat(made.diff_id);
    }

    std::string archive(const std::string& file) {
        const Spool spool(store_, file, limit_);
        return docker_archive(spool.directory());
    }

    std::string oci_layout(const std::string& directory) {
        const sys::Fd root = sys::open_directory(directory);
        const Json index = read_json(root, "index.json");
        const Json descriptor = choose(index);
        std::string manifest = read_blob(root, descriptor.value("digest", ""));
        Json json = Json::parse(manifest, nullptr, false);
        if (json.contains("manifests")) {
            manifest = read_blob(root, choose(json).value("digest", ""));
            json = Json::parse(manifest, nullptr, false);
        }
        const std::string config = read_blob(root, json.value("/config/digest"_json_pointer, ""));
        const Json diff_ids = Json::parse(config, nullptr, false)
                                  .value("/rootfs/diff_ids"_json_pointer, Json::array());
        const Json layers = json.value("layers", Json::array());
        if (diff_ids.size() != layers.size())
            throw Error("manifest and configuration of the image disagree on the number of layers");
        for (std::size_t i = 0; i < layers.size(); ++i)
            add_layer(
                root, blob_name(layers[i].value("digest", "")), diff_ids[i].get<std::string>());
        std::string name = reference_;
        if (name.empty())
            name =
                descriptor.value("/annotations/org.opencontainers.image.ref.name"_json_pointer, "");
        return put(config, manifest, json.value("mediaType", ""), {name});
    }

    /// docker save, old (layer.tar files) and new (an OCI layout with a manifest.json).
    std::string docker_archive(const std::string& directory) {
        const sys::Fd root = sys::open_directory(directory);
        const auto text = sys::read_in_root(root, "manifest.json", 4U << 20U);
        if (!text)
            return oci_layout(directory);
        const Json list = Json::parse(*text, nullptr, false);
        if (!list.is_array() || list.empty())
            throw Error("manifest.json of the archive describes no image");
        std::string id;
        for (const auto& entry : list) {
            const auto config = sys::read_in_root(root, entry.value("Config", ""), 8U << 20U);
            if (!config)
                throw Error("the archive lacks " + entry.value("Config", "the configuration"));
            const Json diff_ids = Json::parse(*config, nullptr, false)
                                      .value("/rootfs/diff_ids"_json_pointer, Json::array());
            const Json layers = entry.value("Layers", Json::array());
            if (diff_ids.size() != layers.size())
                throw Error(
                    "manifest and configuration of the image disagree on the number of layers");
            for (std::size_t i = 0; i < layers.size(); ++i)
                add_layer(root, layers[i].get<std::string>(), diff_ids[i].get<std::string>());
            Strings names;
            if (!reference_.empty())
                names = {reference_};
            else if (entry.contains("RepoTags") && entry["RepoTags"].is_array())
                names = entry["RepoTags"].get<Strings>();
            const auto manifest = find_manifest(root, "sha256:" + sha256_hex(*config));
            id = put(*config, manifest.first, manifest.second, names);
        }
        return id;
    }

  private:
    static std::string blob_name(const std::string& digest) {
        if (!is_digest(digest))
            throw Error("the archive names something by \"" + digest + "\", which is no digest");
        return "blobs/sha256/" + digest.substr(7);
    }

    /// The manifest, and its type, that an archive in both formats has for a configuration.
    static std::pair<std::optional<std::string>, std::string> find_manifest(
        const sys::Fd& root, const std::string& config_digest) {
        const Json index = Json::parse(
            sys::read_in_root(root, "index.json", 4U << 20U).value_or(""), nullptr, false);
        if (!index.is_object())
            return {};
        for (const auto& entry : index.value("manifests", Json::array())) {
            const std::string digest = entry.value("digest", "");
            if (!is_digest(digest))
                continue;
            auto bytes = sys::read_in_root(root, blob_name(digest), 4U << 20U);
            const Json manifest = Json::parse(bytes.value_or(""), nullptr, false);
            if (manifest.is_object() && "sha256:" + sha256_hex(*bytes) == digest &&
                manifest.value("/config/digest"_json_pointer, "") == config_digest)
                return {std::move(bytes), entry.value("mediaType", "")};
        }
        return {};
    }

    static Json read_json(const sys::Fd& root, const std::string& name) {
        const auto text = sys::read_in_root(root, name, 4U << 20U);
        Json json = Json::parse(text.value_or(""), nullptr, false);
        if (!json.is_object())
            throw Error("there is no usable " + name + " in the image");
        return json;
    }

    static std::string read_blob(const sys::Fd& root, const std::string& digest) {
        auto bytes = sys::read_in_root(root, blob_name(digest), 8U << 20U);
        if (!bytes || "sha256:" + sha256_hex(*bytes) != digest)
            throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                        "blob " + digest + " is missing or damaged");
        return std::move(*bytes);
    }

    static Json choose(const Json& index) {
        for (const auto& entry : index.value("manifests", Json::array())) {
            const std::string architecture = entry.value("/platform/architecture"_json_pointer, "");
            if (architecture.empty() || architecture == "amd64")
                return entry;
        }
        throw Error("the image has no variant for this machine");
    }

    void add_layer(const sys::Fd& root, const std::string& name, const std::string& diff_id) {
        store_.hold({diff_id});
        if (store_.has_layer(diff_id))
            return;
        const sys::Fd file = sys::find_file_in_root(root, name);  // a pipe would never open
        if (!file)
            throw Error("the archive lacks layer " + name);
        try {
            static_cast<void>(import_file(file, diff_id));
        } catch (const Error& error) {
            throw Error(error.code(), "layer " + name + ": " + error.what());
        }
    }

    std::string import_file(const sys::Fd& file, const std::string& diff_id) {
        const sys::ScratchDirectory scratch = store_.scratch();
        const auto produce = [&](const Sink& sink) {
            PackingFile packing(scratch.path() + "/packed");
            sys::read_each(file, [&](std::string_view bytes) {
                packing.feed(bytes);
                sink(bytes);
            });
            return packing.finish();
        };
        return import_layer(store_, produce, diff_id, limit_);
    }

    std::string put_flat(const std::string& diff_id) {
        ImageConfig config = request_.config;
        if (config.architecture.empty())
            config.architecture = "amd64";
        const Json step = {{"created_by", "stack image import"},
                           {"comment", request_.message.empty() ? "imported" : request_.message}};
        const Json history = Json::array({step});
        const std::string json = image::make_config(
            "", config, {diff_id}, history.dump(), std::chrono::system_clock::now());
        if (reference_.empty())
            throw Error("an image made from files needs a name: stack image import SOURCE NAME");
        return put(json, std::nullopt, "", {reference_});
    }

    std::string put(const std::string& config,
                    std::optional<std::string> manifest,
                    const std::string& type,
                    const Strings& names) {
        image::NewImage image;
        image.config_json = config;
        image.manifest = std::move(manifest);
        image.manifest_type = type;
        for (const auto& name : names)
            if (!name.empty())
                image.references.push_back(canonical_name(name));
        return store_.put(image).id;
    }

    const image::ImportRequest& request_;
    std::string reference_;
    image::Store store_;
    UnpackLimit limit_;
};

}  // namespace

std::string import_image(const Paths& paths,
                         const image::ImportRequest& request,
                         const UnpackLimit& limit) {
    const auto [kind, path] = split_once(request.source, ':');
    Importer importer(paths, request, limit);
    if (kind == "tar")
        return importer.tar(path);
    if (kind == "rootfs")
        return importer.rootfs(path);
    if (kind == "oci")
        return importer.oci_layout(path);
    if (kind == "docker-archive" || kind == "oci-archive")
        return importer.archive(path);
    throw Error(
        "an image comes from docker-archive:FILE, oci-archive:FILE, oci:DIR, rootfs:DIR or "
        "tar:FILE, not from \"" +
        request.source + "\"");
}

namespace {

/// What an archive is when it is unpacked, piece by piece.
class Unpacked {
  public:
    Unpacked(const sys::Fd& archive, const UnpackLimit& limit)
        : archive_(archive),
          inflater_([this](std::string_view bytes) { take(bytes); }),
          limit_(limit) {}

    /// As NextPiece.
    std::string_view next() {
        while (ready_.empty() && !ended_)
            feed();
        if (ready_.empty())
            return {};
        current_ = std::move(ready_.front());
        ready_.pop_front();
        return current_;
    }

  private:
    /// What is packed, a little at a time: a thousand bytes can become many millions, which wait
    /// here.
    void feed() {
        constexpr std::size_t little = 1024;
        constexpr std::size_t much = 256U << 10U;
        const bool begins = packed_ == 0;
        const std::string bytes = sys::read_some(archive_, is_plain_ ? much : little);
        packed_ += static_cast<std::int64_t>(bytes.size());
        if (begins)  // too few bytes to tell: taken for packed
            is_plain_ = bytes.size() >= enough_to_tell && packing_of(bytes) == Packing::none;
        ended_ = bytes.empty();
        if (ended_)
            inflater_.finish();
        else
            inflater_.feed(bytes);
    }

    void take(std::string_view bytes) {
        unpacked_ += static_cast<std::int64_t>(bytes.size());
        limit_.check(packed_, unpacked_);
        ready_.emplace_back(bytes);
    }

    const sys::Fd& archive_;
    Inflater inflater_;
    std::deque<std::string> ready_;
    std::string current_;
    UnpackLimit limit_;
    bool is_plain_ = false;
    std::int64_t packed_ = 0;
    std::int64_t unpacked_ = 0;
    bool ended_ = false;
};

}  // namespace

bool is_archive(const sys::Fd& file) {
    Unpacked unpacked(file, {});
    return begins_as_tar([&] { return unpacked.next(); });
}

void unpack(const sys::Fd& archive,
            const sys::Fd& directory,
            const WriteRules& rules,
            const UnpackLimit& limit) {
    Unpacked unpacked(archive, limit);
    static_cast<void>(untar([&] { return unpacked.next(); }, directory, rules, &limit));
}

void unpack_layer(const sys::Fd& archive, const sys::Fd& directory) {
    unpack(archive, directory, {.whiteouts = true, .base = {}});
}

}  // namespace stack::fetch
