#include "engine/build/sources.h"

#include <stack/error.h>

#include "base/digest.h"
#include "engine/build/archive.h"
#include "engine/build/inputs.h"
#include "engine/build/new_layer.h"
#include "engine/image/fetch.h"
#include "sys/file.h"
#include "sys/mount.h"

#include <algorithm>

namespace stack::build {
namespace {

constexpr std::string_view image_scheme = "docker-image://";

}  // namespace

void Sources::keep_stage(std::size_t index, State state) {
    const std::lock_guard lock(mutex_);
    stages_[index] = std::move(state);
}

const State& Sources::stage(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return stages_.at(index);
}

/// What is here, and for another platform, serves where there is none for this one.
std::optional<image::Image> Sources::pull_instead(std::optional<image::Image> here,
                                                  const std::string& reference,
                                                  const std::string& platform) const {
    try {
        auto fetch = image::start_pull(paths_, reference, platform);
        return store_.find(image::finish(fetch, sink_));
    } catch (const Error& error) {
        if (!here)
            throw;
        sink_({.id = "Image " + reference,
               .status = EventStatus::warning,
               .text = "Warning",
               .detail = "it is for " + here->config.os + "/" + here->config.architecture +
                         ", not " + platform + ", and no other one comes: " + error.what()});
        return here;
    }
}

/// An additional context that is another service's image, or a layout's: no registry has it.
bool Sources::is_context_made_here(const std::string& reference) const {
    const auto& contexts = build_.additional_contexts;
    const auto image = store_.find(reference);
    return image && (is_digest(reference) || image->remote_digest.empty()) &&
           std::any_of(contexts.begin(), contexts.end(), [&](const auto& context) {
               return context.second == std::string(image_scheme) + reference;
           });
}

image::Image Sources::find_or_pull(const std::string& reference,
                                   const std::string& platform) const {
    const bool pulls = pull_ && !is_context_made_here(reference);
    auto image = pulls ? std::nullopt : store_.find(reference);
    const bool serves = image && (is_digest(reference) || image::is_for(image->config, platform));
    if (!serves)
        image = pull_instead(std::move(image), reference, platform);
    if (image) {  // hold first, look afterwards: it may have been removed in between
        store_.hold(image->layers);
        image = store_.find(image->manifest_digest);
    }
    if (!image)
        throw Error("the image " + reference + " was pulled and is not in the store");
    return *std::move(image);
}

const image::Image& Sources::find_image(const std::string& reference, const std::string& platform) {
    return images_.get(platform + " " + reference,
                       [&] { return find_or_pull(reference, platform); });
}

State Sources::image_state(const std::string& reference, const std::string& platform) {
    const auto& image = find_image(reference, platform);
    State state;
    state.config = image.config;
    state.base_json = image.config_json;
    state.layers = image.layers;
    return state;
}

std::string Sources::context_image(const std::string& name) const {
    const std::string& source = build_.additional_contexts.at(name);
    return source.starts_with(image_scheme) ? source.substr(image_scheme.size()) : "";
}

State Sources::base_state(const StageSource& base, const std::string& platform) {
    switch (base.kind) {
        case StageSource::Kind::scratch:
            return scratch_state(platform.empty() ? machine_platform() : platform);
        case StageSource::Kind::stage: {
            State state = stage(base.stage);
            state.command_is_own = false;
            return state;
        }
        case StageSource::Kind::context: {
            const std::string reference = context_image(base.name);
            if (reference.empty())
                throw Error("the additional context `" + base.name +
                            "` is a directory, which cannot be a base");
            return image_state(reference, platform);
        }
        case StageSource::Kind::image:
            break;
    }
    return image_state(base.name, platform);
}

sys::Fd Sources::empty_directory() const {
    const std::string empty = paths_.state + "/build/empty";
    sys::ensure_directory(empty);
    return sys::open_directory(empty);
}

bool Sources::holds_archive(const sys::Fd& file) const {
    return may_be_archive(file) && image::is_unpackable(file, empty_directory());
}

SourceTree Sources::open_layers(const Strings& layers) const {
    const Strings lowers = lowers_for(store_, layers);
    if (lowers.empty())
        return {empty_directory(), SourceTree::Owners::kept};
    SourceTree tree(sys::merged_view(lowers), SourceTree::Owners::kept);
    tree.consists_of(lowers);
    tree.use(kept_digests_of_layers(paths_, layers));
    return tree;
}

const SourceTree& Sources::context() {
    return trees_.get("context", [this] { return open_context(paths_, build_); });
}

SourceTree Sources::open_uncached(const StageSource& source) {
    switch (source.kind) {
        case StageSource::Kind::scratch:
            return open_layers({});
        case StageSource::Kind::stage:
            return open_layers(stage(source.stage).layers);
        case StageSource::Kind::context: {
            const std::string reference = context_image(source.name);
            if (reference.empty())
                return open_additional_context(paths_, build_.additional_contexts.at(source.name));
            return open_layers(find_image(reference, target_platform(build_)).layers);
        }
        case StageSource::Kind::image:
            break;
    }
    return open_layers(find_image(source.name, target_platform(build_)).layers);
}

const SourceTree& Sources::open(const StageSource& source) {
    const bool is_stage = source.kind == StageSource::Kind::stage;
    const std::string key =
        is_stage ? "stage " + std::to_string(source.stage) : "name " + source.name;
    return trees_.get(key, [&] { return open_uncached(source); });
}

const Repository& Sources::repository(const RemotePlace& from) {
    const std::string key =
        from.credentials + "@" + from.url + "#" + from.reference + ":" + from.subdirectory + "#" +
        from.commit + (from.keep_git_dir ? " .git" : "") + (from.submodules ? " submodules" : "");
    return repositories_.get(key, [&] {
        Checkout checkout = check_out(paths_, from, build_, environment_);
        return Repository{std::move(checkout.place),
                          SourceTree(std::move(checkout.root), SourceTree::Owners::root),
                          std::move(checkout.commit)};
    });
}

SourceFile Sources::download(const std::string& url, const std::string& checksum) {
    return files_.get(checksum + " " + url, [&] { return downloads_.fetch(url, checksum); });
}

void Sources::save_digests() const {
    trees_.for_each([](const std::string&, const SourceTree& tree) { tree.save_digests(); });
}

}  // namespace stack::build
