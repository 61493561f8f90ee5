// What an image would be made from now.

#include "model/source_digest.h"

#include <stack/error.h>

#include "engine/build/build.h"
#include "engine/build/cache.h"
#include "engine/build/inputs.h"
#include "engine/build/remote.h"
#include "engine/build/run_mount.h"
#include "engine/image/store.h"
#include "sys/file.h"

#include <algorithm>
#include <map>
#include <set>

namespace stack::build {
namespace {

/// What the needed stages begin with and take from.
struct Taken {
    std::map<std::string, std::set<std::string>> files;  // paths by context; "": the build's own
    std::set<std::string> images;
};

class Collector {
  public:
    Collector(const Build& build, const BuildInputs& inputs) : build_(build), inputs_(inputs) {}

    Taken run() {
        for (stage_ = 0; stage_ < inputs_.plan.stages.size(); ++stage_) {
            const auto& order = inputs_.plan.order;
            if (std::find(order.begin(), order.end(), stage_) == order.end())
                continue;
            add(inputs_.plan.stages[stage_].base, "");
            for (const auto& instruction : inputs_.dockerfile.stages[stage_].instructions)
                add(instruction);
        }
        return std::move(taken_);
    }

  private:
    void add(const Instruction& instruction) {
        if (const auto* copy = std::get_if<Copy>(&instruction.body))
            for (const auto& source : copy->sources)
                if (!copy->from.empty() || !is_remote(source))
                    add(copy->from, copy->parents ? "" : source);
        if (const auto* run = std::get_if<Run>(&instruction.body))
            for (const auto& mount : run->mounts)
                add_mount(mount);
        if (std::holds_alternative<OnBuild>(instruction.body))
            add("", "");
    }

    void add_mount(const std::string& text) {
        const auto mount = parse_run_mount(text);
        const std::string from = run_mount_source(text);
        if (!mount || !from.empty() || mount->type == RunMountType::bind)
            add(from, mount ? mount->source : "");
    }

    /// A source with a variable may be anything, so it stands for the whole.
    void add(const std::string& from, const std::string& path) {
        const std::string known = path.find('$') == std::string::npos ? path : "";
        if (from.empty())
            taken_.files[""].insert(known);
        else if (const auto source =
                     find_source(inputs_.dockerfile, inputs_.choices.contexts, from, stage_))
            add(*source, known);
    }

    void add(const StageSource& source, const std::string& path) {
        constexpr std::string_view image_scheme = "docker-image://";
        if (source.kind == StageSource::Kind::image)
            taken_.images.insert(source.name);
        if (source.kind != StageSource::Kind::context)
            return;
        const std::string& place = build_.additional_contexts.at(source.name);
        if (place.starts_with(image_scheme))
            taken_.images.insert(place.substr(image_scheme.size()));
        else if (place.starts_with('/'))
            taken_.files[source.name].insert(path);
    }

    const Build& build_;
    const BuildInputs& inputs_;
    std::size_t stage_ = 0;
    Taken taken_;
};

std::string digest_of_path(const SourceTree& tree, const std::string& path) {
    auto files = tree.list(path, {});
    tree.add_digests(files);
    return content_digest(files);
}

void add_files(const SourceTree& tree, const std::set<std::string>& sources, CacheKey& key) {
    for (const auto& source : sources) {
        key.add("source", source);
        for (const auto& path : tree.match(source))
            key.add("path", path).add("content", digest_of_path(tree, path));
    }
    tree.save_digests();
}

/// What is asked for, beside the Dockerfile and the files.
void add_request(const Build& build, CacheKey& key) {
    key.add("target", build.target);
    for (const auto& platform : build.platforms)
        key.add("platform", platform);
    for (const auto& [name, value] : build.args)
        key.add("argument", name).add("value", value.value_or(""));
    for (const auto& [name, value] : build.labels)
        key.add("label", name).add("value", value);
    for (const auto& [name, value] : build.additional_contexts)
        key.add("context", name).add("value", value);
}

std::string asked_digest(const Build& build) {
    CacheKey key("asked");
    key.add("where", build.context)
        .add("file", build.dockerfile)
        .add("dockerfile", build.dockerfile_inline);
    add_request(build, key);
    return std::string(model::asked_scheme) + key.finish();
}

/// Images by id where they are there, else by name.
void add_images(const Paths& paths, const std::set<std::string>& names, CacheKey& key) {
    const image::Store store(paths);
    for (const auto& name : names) {
        const auto image = store.find(name);
        key.add("image", name).add("id", image ? image->id : "");
    }
}

}  // namespace

std::string source_digest(const Paths& paths, const Build& build) {
    if (is_remote(build.context))
        return asked_digest(build);
    const BuildInputs inputs = read_inputs(build, {});
    CacheKey key("source");
    key.add("dockerfile", inputs.text);
    add_request(build, key);
    if (has_errors(inputs.diagnostics))
        return "sha256:" + key.finish();
    const Taken taken = Collector(build, inputs).run();
    add_images(paths, taken.images, key);
    for (const auto& [name, sources] : taken.files) {
        if (name.empty()) {
            add_files(open_context(paths, build), sources, key);
            continue;
        }
        key.add("files", name);
        add_files(open_additional_context(paths, build.additional_contexts.at(name)), sources, key);
    }
    return "sha256:" + key.finish();
}

}  // namespace stack::build
