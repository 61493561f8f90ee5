#include "fetch/import.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "engine/image/layer_writer.h"
#include "engine/image/reference.h"
#include "engine/image/store.h"
#include "fetch/archived.h"
#include "fetch/inflate.h"
#include "fetch/layer.h"
#include "fetch/output.h"
#include "fetch/packing_file.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <chrono>
#include <deque>
#include <functional>

#include <fcntl.h>
#include <nlohmann/json.hpp>

namespace stack::fetch {
namespace {

using Json = nlohmann::json;

std::string canonical_name(const std::string& name) {
    const auto reference = image::require_reference(name);
    if (!image::is_name(reference))
        throw Error("\"" + name +
                    "\" is a digest's, and nothing but an image's content can give it that name");
    return image::canonical(reference);
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
        const sys::Fd archive = sys::open_file(file, O_RDONLY);
        if (travels_as_layer(archive))
            return put_flat(import_file(archive, {}));
        return put_flat(publish_files([&](const sys::Fd& directory) {
            return unpack(archive, directory, {.whiteouts = true, .base = {}}, limit_).unsaid;
        }));
    }

    /// A directory as it is, copied.
    std::string rootfs(const std::string& directory) {
        return put_flat(publish_files([&](const sys::Fd& to) {
            sys::copy_tree(sys::open_directory(directory), to);
            return image::Unsaid();
        }));
    }

    std::string archive(const std::string& file, const std::string& name) {
        const Spool spool(store_, file, limit_);
        const sys::Fd root = sys::open_directory(spool.directory());
        return take(root, images_of_archive(root, name));
    }

    std::string oci_layout(const std::string& directory, const std::string& name) {
        const sys::Fd root = sys::open_directory(directory);
        return take(root, images_of_layout(root, name));
    }

  private:
    /// What registries have no type for, is a layer only when it has been unpacked.
    static bool travels_as_layer(const sys::Fd& archive) {
        constexpr std::size_t enough = 6;
        const std::string head = sys::read_some(archive, enough);
        sys::rewind(archive);
        return !head.starts_with("\3757zXZ") && !head.starts_with("BZh");  // xz, bzip2
    }

    /// A layer of the files that `fill` makes, which returns what it left out; its diffID.
    std::string publish_files(const std::function<image::Unsaid(const sys::Fd&)>& fill) {
        sys::ScratchDirectory staging = store_.begin_layer();
        const sys::Fd files = sys::open_directory(staging.path() + "/fs");
        image::Unsaid unsaid = fill(files);
        const auto made = image::summarize_layer(files);
        store_.publish_layer(std::move(staging), made.diff_id, {made.size, {}, std::move(unsaid)});
        return made.diff_id;
    }

    /// The ids, one a line.
    std::string take(const sys::Fd& root, std::vector<ArchivedImage> images) {
        if (!reference_.empty() && images.size() > 1)
            images = {the_one_meant(images)};
        Strings ids;
        for (const auto& image : images) {
            for (const auto& layer : image.layers)
                add_layer(root, layer);
            const Strings names = reference_.empty() ? image.names : Strings{reference_};
            if (reference_.empty())
                tell_of_taken(image);
            ids.push_back(put(image.config, image.manifest, image.manifest_type, names));
        }
        return join(ids, "\n");
    }

    /// An archive's names are those that whoever made it chose (CVE-2026-50195).
    void tell_of_taken(const ArchivedImage& image) const {
        for (const auto& name : image.names) {
            const auto had = store_.find(canonical_name(name));
            if (!had || had->id == "sha256:" + sha256_hex(image.config))
                continue;
            const Event warning{.id = "Image " + name,
                                .status = EventStatus::warning,
                                .text = "Warning",
                                .detail =
                                    "the archive has another image of this name; the one "
                                    "that had it, " +
                                    had->id + ", is kept without"};
            say(warning);
        }
    }

    /// One name is given, which several images cannot have.
    [[nodiscard]] ArchivedImage the_one_meant(const std::vector<ArchivedImage>& images) const {
        const std::string wanted = canonical_name(reference_);
        Strings all;
        for (const auto& image : images)
            for (const auto& name : image.names) {
                if (canonical_name(name) == wanted)
                    return image;
                all.push_back(name);
            }
        throw Error("there are " + std::to_string(images.size()) +
                    " images, and one name for them: say which is meant behind the file's or the "
                    "directory's name, as FILE:NAME" +
                    (all.empty() ? "" : "; there are " + join(all, ", ")));
    }

    void add_layer(const sys::Fd& root, const ArchivedLayer& layer) {
        store_.hold({layer.diff_id});
        if (store_.has_layer(layer.diff_id))
            return;
        const sys::Fd file = sys::find_file_in_root(root, layer.file);  // a pipe would never open
        if (!file)
            throw Error("the archive lacks layer " + layer.file);
        try {
            static_cast<void>(import_file(file, layer));
        } catch (const Error& error) {
            throw Error(error.code(), "layer " + layer.file + ": " + error.what());
        }
    }

    /// A layer in a file. What is known of it, it must be.
    std::string import_file(const sys::Fd& file, const ArchivedLayer& known) {
        const sys::ScratchDirectory scratch = store_.scratch();
        const auto produce = [&](const Sink& sink) {
            PackingFile packing(scratch.path() + "/packed");
            std::int64_t size = 0;
            sys::read_each(file, [&](std::string_view bytes) {
                size += static_cast<std::int64_t>(bytes.size());
                packing.feed(bytes);
                sink(bytes);
            });
            Packed packed = packing.finish();
            // One that is not packed has its content's digest, which import_layer() looks at.
            const std::string& digest = packed.layer.digest;
            if (!known.digest.empty() && known.digest != known.diff_id && known.digest != digest)
                throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                            "its bytes are " + digest + " where its manifest says " + known.digest);
            if (known.size >= 0 && known.size != size)
                throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                            "it has " + std::to_string(size) + " bytes where its manifest says " +
                                std::to_string(known.size));
            return packed;
        };
        return import_layer(store_, produce, known.diff_id, limit_);
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
    const auto [kind, rest] = split_once(request.source, ':');
    Importer importer(paths, request, limit);
    if (kind == "tar")
        return importer.tar(rest);
    if (kind == "rootfs")
        return importer.rootfs(rest);
    const auto [path, name] = image::path_and_name(rest);
    if (kind == "oci")
        return importer.oci_layout(path, name);
    if (kind == "docker-archive" || kind == "oci-archive")
        return importer.archive(path, name);
    throw Error(
        "an image comes from docker-archive:FILE[:NAME], oci-archive:FILE[:NAME], oci:DIR[:NAME], "
        "rootfs:DIR or tar:FILE, not from \"" +
        request.source + "\"");
}

std::string source_path(const std::string& source) {
    const auto [kind, rest] = split_once(source, ':');
    return kind == "tar" || kind == "rootfs" ? rest : image::path_and_name(rest).first;
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

Untarred unpack(const sys::Fd& archive,
                const sys::Fd& directory,
                const WriteRules& rules,
                const UnpackLimit& limit) {
    Unpacked unpacked(archive, limit);
    return untar([&] { return unpacked.next(); }, directory, rules, limit, Filters::bzip2_and_xz);
}

void unpack_layer(const sys::Fd& archive, const sys::Fd& directory) {
    unpack(archive, directory, {.whiteouts = true, .base = {}});
}

}  // namespace stack::fetch
