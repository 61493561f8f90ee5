// What an image would be made from now.

#include <stack/error.h>

#include "engine/build/build.h"
#include "engine/build/cache.h"
#include "engine/build/inputs.h"
#include "engine/build/remote.h"
#include "engine/build/run_mount.h"
#include "engine/image/store.h"
#include "sys/file.h"

#include <set>

namespace stack::build {
namespace {

/// The paths of the context that the needed stages read: sources of COPY and ADD, and of mounts. A
/// source with a variable may be anything, so it stands for the whole context.
std::set<std::string> context_sources(const BuildInputs& inputs) {
    std::set<std::string> sources;
    const auto add = [&](const std::string& source) {
        if (!is_remote(source))
            sources.insert(source.find('$') == std::string::npos ? source : "");
    };
    for (const auto index : inputs.plan.order) {
        for (const auto& instruction : inputs.dockerfile.stages[index].instructions) {
            if (const auto* copy = std::get_if<Copy>(&instruction.body);
                copy != nullptr && copy->from.empty()) {
                for (const auto& source : copy->sources)
                    add(copy->parents ? "" : source);
            }
            if (const auto* run = std::get_if<Run>(&instruction.body)) {
                for (const auto& text : run->mounts) {
                    const auto mount = parse_run_mount(text);
                    if (!mount || (mount->type == RunMountType::bind && mount->from.empty()))
                        add(mount ? mount->source : "");
                }
            }
            if (std::holds_alternative<OnBuild>(instruction.body))
                add("");
        }
    }
    return sources;
}

std::string digest_of_path(const SourceTree& tree, const std::string& path) {
    auto files = tree.list(path, path, {});
    tree.add_digests(files);
    return content_digest(files);
}

void add_context(const Paths& paths, const Build& build, const BuildInputs& inputs, CacheKey& key) {
    const auto sources = context_sources(inputs);
    if (sources.empty())
        return;
    const SourceTree tree = open_context(paths, build);
    for (const auto& source : sources) {
        key.add("source", source);
        for (const auto& path : tree.match(source))
            key.add("path", path).add("content", digest_of_path(tree, path));
    }
    tree.save_digests();
}

/// Images that stages begin with or take from, by id where they are there, else by name.
void add_images(const Paths& paths, const BuildInputs& inputs, CacheKey& key) {
    const image::Store store(paths);
    std::set<std::string> names;
    for (const auto index : inputs.plan.order) {
        const auto& stage = inputs.plan.stages[index];
        if (stage.base.kind == StageSource::Kind::image)
            names.insert(stage.base.name);
        for (const auto& instruction : inputs.dockerfile.stages[index].instructions) {
            const auto* copy = std::get_if<Copy>(&instruction.body);
            const auto source =
                copy == nullptr || copy->from.empty()
                    ? std::nullopt
                    : find_source(inputs.dockerfile, inputs.choices.contexts, copy->from, index);
            if (source && source->kind == StageSource::Kind::image)
                names.insert(source->name);
        }
    }
    for (const auto& name : names) {
        const auto image = store.find(name);
        key.add("image", name).add("id", image ? image->id : "");
    }
}

}  // namespace

std::string source_digest(const Paths& paths, const Build& build) {
    if (is_remote(build.context))
        return {};
    const BuildInputs inputs = read_inputs(build, {});
    CacheKey key("source");
    key.add("dockerfile", inputs.text).add("target", build.target);
    for (const auto& [name, value] : build.args)
        key.add("argument", name).add("value", value.value_or(""));
    for (const auto& [name, value] : build.labels)
        key.add("label", name).add("value", value);
    for (const auto& [name, value] : build.additional_contexts)
        key.add("context", name).add("value", value);
    if (has_errors(inputs.diagnostics))
        return "sha256:" + key.finish();
    add_images(paths, inputs, key);
    add_context(paths, build, inputs, key);
    return "sha256:" + key.finish();
}

}  // namespace stack::build
