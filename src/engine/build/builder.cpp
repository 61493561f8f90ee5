#include <stack/error.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "engine/build/progress.h"
#include "engine/build/remote.h"
#include "engine/build/stage_builder.h"
#include "engine/image/reference.h"
#include "sys/process.h"

#include <chrono>
#include <future>
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

/// SOURCE_DATE_EPOCH, which makes images reproducible, or now.
Time creation_time(const StringMap& arguments) {
    const auto epoch = arguments.find("SOURCE_DATE_EPOCH");
    const auto seconds =
        epoch == arguments.end() ? std::nullopt : parse_number<std::int64_t>(epoch->second);
    return seconds ? Time(std::chrono::seconds(*seconds)) : std::chrono::system_clock::now();
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

/// How many stages are built at the same time; what most of them wait for is not the processor.
constexpr std::ptrdiff_t most_jobs = 4;

class Builder {
  public:
    Builder(const Paths& paths, const BuildRequest& request, const EventSink& sink)
        : request_(request),
          sink_([this, &sink](const Event& event) {
              const std::lock_guard lock(mutex_);
              sink(event);
          }),
          inputs_(read_inputs(request.build, request.environment)),
          store_(paths),
          cache_(paths),
          sources_(paths, request_.build, store_, request.pull || request.build.pull, sink_),
          shop_{paths, request_, inputs_, store_, cache_, sources_, complaints_, sink_} {}

    BuildResult run() {
        complaints_.add_source(inputs_.file, inputs_.text);
        complaints_.add(inputs_.diagnostics);
        std::string id;
        if (!complaints_.stop().stop_requested()) {
            const Progress progress(sink_, request_.tag);
            progress.image(EventStatus::working, "Building");
            build_stages();
            sources_.save_digests();
            if (!complaints_.stop().stop_requested()) {
                id = publish(sources_.stage(inputs_.plan.order.back()));
                progress.image(EventStatus::done, "Built");
            }
        }
        return {id, complaints_.diagnostics(), complaints_.sources(), complaints_.failure()};
    }

  private:
    /// Each stage as soon as those that it needs are there.
    void build_stages() {
        std::map<std::size_t, std::shared_future<void>> stages;
        for (const auto index : inputs_.plan.order) {
            std::vector<std::shared_future<void>> needed;
            for (const auto need : inputs_.plan.stages[index].needs)
                needed.push_back(stages.at(need));
            const auto build = [this, index, needed] {
                for (const auto& stage : needed)
                    stage.wait();
                build_one(inputs_.plan.stages[index]);
            };
            stages[index] = std::async(std::launch::async, build).share();
        }
        for (const auto& [index, stage] : stages)
            stage.get();
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

    std::string canonical_reference(const std::string& text) const {
        const auto reference = image::parse_reference(text);
        if (!reference)
            throw Error("`" + text +
                        "` cannot be the name of an image: " + reference.error().message);
        return image::canonical(*reference);
    }

    std::string publish(State state) {
        for (const auto& [name, value] : request_.build.labels)
            state.config.labels[name] = value;
        const Time created = creation_time(inputs_.choices.arguments);
        image::NewImage image;
        image.config_json = image::make_config(base_with_author(state),
                                               state.config,
                                               state.layers,
                                               history_json(state, created),
                                               created);
        image.references.push_back(canonical_reference(request_.tag));
        for (const auto& tag : request_.build.tags)
            image.references.push_back(canonical_reference(tag));
        image.source_digest = request_.source_digest;
        STACK_FAILPOINT("build.image.put");
        return store_.put(image).id;
    }

    const BuildRequest& request_;
    std::mutex mutex_;  // of the sink
    EventSink sink_;
    BuildInputs inputs_;
    image::Store store_;
    StepCache cache_;
    Sources sources_;
    Complaints complaints_;
    Workshop shop_;
    std::counting_semaphore<most_jobs> jobs_{most_jobs};
};

}  // namespace

BuildResult build_image(const Paths& paths, const BuildRequest& request, const EventSink& sink) {
    const LocalContexts contexts(paths, request.build, sink);
    BuildRequest local = request;
    local.build = contexts.build();
    return Builder(paths, local, sink).run();
}

}  // namespace stack::build
