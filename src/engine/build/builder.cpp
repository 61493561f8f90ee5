#include <stack/error.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "engine/build/lint.h"
#include "engine/build/progress.h"
#include "engine/build/remote.h"
#include "engine/build/room.h"
#include "engine/build/shared_cache.h"
#include "engine/build/stage_builder.h"
#include "engine/build/stage_runs.h"
#include "engine/image/reference.h"
#include "sys/process.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <utility>

#include <nlohmann/json.hpp>

namespace stack::build {
namespace {

using nlohmann::json;

std::string rfc3339(Time time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

/// The history of the base, and what the build added, as an image's configuration has it.
std::string history_json(const State& state, Time created) {
    const json base = json::parse(state.base_json.empty() ? "{}" : state.base_json, nullptr, false);
    json history = base.is_object() && base.contains("history") ? base["history"] : json::array();
    for (const auto& entry : state.history) {
        json line{{"created", rfc3339(created)},
                  {"created_by", entry.created_by},
                  {"comment", "buildkit.dockerfile.v0"}};
        if (entry.empty_layer)
            line["empty_layer"] = true;
        history.push_back(std::move(line));
    }
    return history.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string base_with_author(const State& state) {
    if (state.author.empty())
        return state.base_json;
    json base = json::parse(state.base_json.empty() ? "{}" : state.base_json, nullptr, false);
    base["author"] = state.author;
    return base.dump(-1, ' ', false, json::error_handler_t::replace);
}

StringMap annotations_of(const image::Image& image) {
    const json manifest = json::parse(image.manifest, nullptr, false);
    const auto found = manifest.is_object() ? manifest.find("annotations") : manifest.end();
    StringMap annotations;
    if (!manifest.is_object() || found == manifest.end() || !found->is_object())
        return annotations;
    for (const auto& [name, value] : found->items())
        if (value.is_string())
            annotations[name] = value.get<std::string>();
    return annotations;
}

/// What the bases that are in the store set.
std::map<std::string, Strings> variables_of_bases(const Paths& paths, const BuildPlan& plan) {
    const image::Store store(paths);
    std::map<std::string, Strings> all;
    for (const auto& stage : plan.stages) {
        const auto image = stage.base.kind == StageSource::Kind::image ? store.find(stage.base.name)
                                                                       : std::nullopt;
        if (!image)
            continue;
        Strings& names = all[stage.base.name];
        for (const auto& variable : image->config.environment)
            names.push_back(split_once(variable, '=').first);
    }
    return all;
}

std::string canonical_reference(const std::string& text) {
    const auto reference = image::parse_reference(text);
    if (!reference)
        throw Error("`" + text + "` cannot be the name of an image: " + reference.error().message);
    if (!image::is_name(*reference))
        throw Error("`" + text + "` is a digest's: only content can give an image that name");
    return image::canonical(*reference);
}

Strings references_of(const BuildRequest& request) {
    Strings references;
    if (!request.tag.empty())
        references.push_back(canonical_reference(request.tag));
    for (const auto& tag : request.build.tags)
        references.push_back(canonical_reference(tag));
    return references;
}

/// How many stages are built at the same time; what most of them wait for is not the processor.
constexpr std::ptrdiff_t most_jobs = 4;

class Builder {
  public:
    /// `references`: the names that the image gets.
    Builder(const Paths& paths,
            const BuildRequest& request,
            Strings references,
            const EventSink& sink)
        : request_(request),
          references_(std::move(references)),
          sink_([this, &sink](const Event& event) {
              const std::lock_guard lock(mutex_);
              sink(event);
          }),
          inputs_(read_inputs(request.build, request.environment)),
          store_(paths),
          cache_(paths),
          sources_(paths, request_, store_, sink_),
          caches_(paths, request_.build, store_, sink_),
          shop_{paths, request_, inputs_, store_, cache_, sources_, complaints_, sink_} {
        shop_.need_stage = [this](std::size_t stage, std::size_t by) { need_stage(stage, by); };
    }

    BuildResult run() {
        complaints_.add_source(inputs_.file, inputs_.text);
        complaints_.add(inputs_.check.error && !has_errors(inputs_.diagnostics)
                            ? lint(inputs_, variables_of_bases(shop_.paths, inputs_.plan))
                            : inputs_.diagnostics);
        image::Image built;
        if (!complaints_.stop().stop_requested()) {
            const Progress progress(sink_, request_.title());
            progress.image(EventStatus::working, "Building");
            shop_.imported = caches_.fetch();
            stages_.run();
            sources_.save_digests();
            if (!complaints_.stop().stop_requested()) {
                built = publish(sources_.stage(inputs_.plan.order.back()));
                caches_.send(steps(true), steps(false));
                if (request_.find_in_use)
                    keep_within_bounds(shop_.paths, request_.find_in_use);
                progress.image(EventStatus::done, "Built");
            }
        }
        return {built.id,
                complaints_.diagnostics(),
                complaints_.sources(),
                complaints_.failure(),
                built.manifest_digest};
    }

  private:
    /// Who waits for another stage does not keep it from being built.
    void need_stage(std::size_t stage, std::size_t by) {
        jobs_.release();
        const auto acquire = [this](void*) { jobs_.acquire(); };
        const std::unique_ptr<void, decltype(acquire)> again(this, acquire);
        stages_.need(stage, by);
    }

    void build_one(const PlannedStage& stage) {
        sys::own_working_directory();  // mounting an overlay changes it for a moment
        jobs_.acquire();
        const auto release = [this](void*) { jobs_.release(); };
        const std::unique_ptr<void, decltype(release)> job(this, release);
        if (complaints_.stop().stop_requested())
            return;
        if (auto state = build_stage(shop_, stage))
            sources_.keep_stage(stage.index, std::move(*state));
    }

    /// What the steps of this build gave: all of them, or those that are in the image.
    StepLayers steps(bool all) const {
        const Strings& layers = sources_.stage(inputs_.plan.order.back()).layers;
        StepLayers found;
        shop_.layers.for_each([&](const std::string& key, const std::optional<std::string>& layer) {
            if (layer && (all || layer->empty() ||
                          std::find(layers.begin(), layers.end(), *layer) != layers.end()))
                found[key] = *layer;
        });
        return found;
    }

    /// Those that the image itself is to carry.
    StepLayers inline_steps() const {
        const auto argument = inputs_.choices.arguments.find("BUILDKIT_INLINE_CACHE");
        const bool asked = argument != inputs_.choices.arguments.end() && argument->second == "1";
        return asked || caches_.has_inline() ? steps(false) : StepLayers();
    }

    image::Image publish(State state) {
        for (const auto& [name, value] : request_.build.labels)
            state.config.labels[name] = value;
        image::NewImage image;
        image.references = references_;
        image.source_digest = request_.source_digest;
        image.annotations = request_.annotations;
        const auto present = image.references.empty() ? find_without_name(state)
                                                      : store_.find(image.references.front());
        image.config_json = config_of(state, present);
        if (present && is_published(image, *present))
            return *present;
        STACK_FAILPOINT("build.image.put");
        return store_.put(image);
    }

    /// What an earlier build that gave no name made of the same.
    std::optional<image::Image> find_without_name(const State& state) const {
        for (auto& image : store_.list())
            if (image.layers == state.layers && annotations_of(image) == request_.annotations &&
                config_at(state, image.created) == image.config_json)
                return std::move(image);
        return std::nullopt;
    }

    /// Where this is what was built before, it is as old as that, and so the same image.
    std::string config_of(const State& state, const std::optional<image::Image>& present) const {
        if (inputs_.epoch)
            return config_at(state, Time(std::chrono::seconds(*inputs_.epoch)));
        if (present && config_at(state, present->created) == present->config_json)
            return present->config_json;
        return config_at(state, std::chrono::system_clock::now());
    }

    std::string config_at(const State& state, Time created) const {
        return image::make_config(with_steps(base_with_author(state), inline_steps()),
                                  state.config,
                                  state.layers,
                                  history_json(state, created),
                                  created);
    }

    static bool is_published(const image::NewImage& image, const image::Image& present) {
        const Strings& names = present.references;
        return present.config_json == image.config_json &&
               annotations_of(present) == image.annotations &&
               present.source_digest == image.source_digest &&
               std::all_of(
                   image.references.begin(), image.references.end(), [&](const std::string& name) {
                       return std::find(names.begin(), names.end(), name) != names.end();
                   });
    }

    const BuildRequest& request_;
    Strings references_;
    std::mutex mutex_;  // of the sink
    EventSink sink_;
    BuildInputs inputs_;
    image::Store store_;
    StepCache cache_;
    Sources sources_;
    SharedCaches caches_;
    Complaints complaints_;
    Workshop shop_;
    std::counting_semaphore<most_jobs> jobs_{most_jobs};
    StageRuns stages_{inputs_.plan, [this](const PlannedStage& stage) { build_one(stage); }};
};

}  // namespace

BuildResult build_image(const Paths& paths, const BuildRequest& request, const EventSink& sink) {
    const Strings& platforms = request.build.platforms;
    if (platforms.size() > 1)
        throw Error("an image is built for one platform, and `platforms` names " +
                    join(platforms, ", ") + ": keep one, or name it by `platform` of the service");
    Strings references = references_of(request);  // no step runs for a name that cannot be
    const LocalContexts contexts(paths, request.build, request.environment, sink);
    BuildRequest local = request;
    local.build = contexts.build();
    return Builder(paths, local, std::move(references), sink).run();
}

BuildResult check_build(const Paths& paths, const BuildRequest& request, const EventSink& sink) {
    const LocalContexts contexts(paths, request.build, request.environment, sink);
    const BuildInputs inputs = read_inputs(contexts.build(), request.environment);
    const Diagnostics found = has_errors(inputs.diagnostics)
                                  ? inputs.diagnostics
                                  : lint(inputs, variables_of_bases(paths, inputs.plan));
    return {{}, found, {{inputs.file, inputs.text}}, {}};
}

}  // namespace stack::build
