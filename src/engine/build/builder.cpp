#include <stack/error.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "engine/build/build.h"
#include "engine/build/cache.h"
#include "engine/build/copy_step.h"
#include "engine/build/expand.h"
#include "engine/build/inputs.h"
#include "engine/build/new_layer.h"
#include "engine/build/progress.h"
#include "engine/build/run_step.h"
#include "engine/build/sources.h"
#include "engine/image/reference.h"
#include "engine/image/store.h"
#include "sys/file.h"

#include <chrono>
#include <optional>
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

bool writes_layer(const Instruction& instruction) {
    return std::holds_alternative<Run>(instruction.body) ||
           std::holds_alternative<Copy>(instruction.body) ||
           std::holds_alternative<Workdir>(instruction.body);
}

class Builder {
  public:
    Builder(const Paths& paths, const BuildRequest& request, const EventSink& sink)
        : paths_(paths),
          request_(request),
          inputs_(read_inputs(request.build, request.environment)),
          store_(paths),
          cache_(paths),
          sources_(paths_, request_.build, store_, request.pull || request.build.pull, sink),
          progress_(sink, request.tag) {}

    BuildResult run() {
        result_.sources[inputs_.file] = inputs_.text;
        result_.diagnostics = inputs_.diagnostics;
        if (has_errors(result_.diagnostics))
            return std::move(result_);
        progress_.image(EventStatus::working, "Building");
        for (const auto index : inputs_.plan.order) {
            auto state = build_stage(inputs_.plan.stages[index]);
            if (!state)
                return std::move(result_);
            sources_.keep_stage(index, std::move(*state));
        }
        sources_.save_digests();
        publish(sources_.stage(inputs_.plan.order.back()));
        progress_.image(EventStatus::done, "Built");
        return std::move(result_);
    }

  private:
    // A stage

    std::optional<State> build_stage(const PlannedStage& stage) {
        const Stage& written = inputs_.dockerfile.stages[stage.index];
        steps_ = 1 + std::count_if(
                         written.instructions.begin(), written.instructions.end(), writes_layer);
        step_ = 0;
        stage_ = &stage;
        std::optional<State> state = begin_stage(stage, written.location);
        if (state)
            state = run_triggers(std::move(*state));
        for (const auto& instruction : written.instructions) {
            if (!state)
                return std::nullopt;
            state = step(std::move(*state), instruction);
        }
        return state;
    }

    std::optional<State> begin_stage(const PlannedStage& stage, const Location& at) {
        progress_.begin_step(title("FROM " + stage.base.name));
        try {
            State state = sources_.base_state(stage.base, stage.platform);
            progress_.done();
            return state;
        } catch (const Error& error) {
            progress_.failed(error.what());
            complain(at, error.what());
            return std::nullopt;
        }
    }

    /// The ONBUILD instructions of the base: they run first, and once.
    std::optional<State> run_triggers(State base) {
        const Strings triggers = std::exchange(base.config.on_build, {});
        std::optional<State> state = std::move(base);
        for (const auto& text : triggers) {
            const std::string file = "ONBUILD of " + stage_->base.name;
            const auto trigger = parse_trigger(text, file);
            result_.sources[file] = text;
            if (!trigger.instruction) {
                result_.diagnostics.insert(result_.diagnostics.end(),
                                           trigger.diagnostics.begin(),
                                           trigger.diagnostics.end());
                return std::nullopt;
            }
            steps_ += writes_layer(*trigger.instruction) ? 1 : 0;
            state = step(std::move(*state), *trigger.instruction);
            if (!state)
                return std::nullopt;
        }
        return state;
    }

    std::string title(const std::string& text) {
        const bool several = inputs_.plan.order.size() > 1;
        return "[" + request_.name + (several ? " " + stage_->title : "") + " " +
               std::to_string(++step_) + "/" + std::to_string(steps_) + "] " + text;
    }

    // A step

    /// What the world refuses in a step is reported at the step's line: here the line is known.
    std::optional<State> step(State state, const Instruction& instruction) {
        STACK_FAILPOINT("build.step.before");
        try {
            return execute(std::move(state), instruction);
        } catch (const Error& error) {
            progress_.failed(error.what());
            complain(instruction.location, error.what());
            return std::nullopt;
        }
    }

    std::optional<State> execute(State state, const Instruction& instruction) {
        if (!writes_layer(instruction)) {
            auto next = apply(std::move(state), instruction, inputs_.scope);
            if (!next)
                complain(instruction.location, next.error().message);
            return next ? std::optional(std::move(*next)) : std::nullopt;
        }
        progress_.begin_step(title(instruction.text));
        if (std::holds_alternative<Run>(instruction.body))
            return run_command(std::move(state), instruction);
        if (std::holds_alternative<Copy>(instruction.body))
            return copy_files(std::move(state), instruction);
        return make_working_directory(std::move(state), instruction);
    }

    void complain(const Location& at, const std::string& message) {
        result_.diagnostics.push_back({Severity::error, "step-refused", message, at, {}, {}});
    }

    /// Takes over complaints; true where there is an error among them.
    bool complained(const Diagnostics& diagnostics) {
        result_.diagnostics.insert(
            result_.diagnostics.end(), diagnostics.begin(), diagnostics.end());
        if (!has_errors(diagnostics))
            return false;
        progress_.failed(diagnostics.front().message);
        return true;
    }

    std::optional<State> run_command(State state, const Instruction& instruction) {
        const RunSurroundings around{inputs_.scope,
                                     inputs_.dockerfile,
                                     inputs_.choices.contexts,
                                     request_.build,
                                     request_.environment,
                                     stage_->index};
        const auto prepared = prepare_run(instruction, state, around, sources_);
        if (complained(prepared.diagnostics))
            return std::nullopt;
        const std::string history = run_history(state, prepared.command);
        if (const auto layer = find_cached(prepared.key))
            return with_layer(std::move(state), *layer, history);
        NewLayer layer(store_, lowers_for(store_, state.layers));
        const int status = execute_run(
            paths_, request_.build, instruction.text, prepared, layer, [this](auto bytes) {
                progress_.output(bytes);
            });
        if (status != 0) {
            fail_step(instruction, status);
            return std::nullopt;
        }
        return with_layer(std::move(state), record(prepared.key, layer), history);
    }

    void fail_step(const Instruction& instruction, int status) {
        const std::string sentence =
            "`" + instruction.text + "` failed with status " + std::to_string(status);
        progress_.failed(sentence);
        const Diagnostics where{
            {Severity::error, "step-failed", sentence, instruction.location, {}, {}}};
        const std::string output = progress_.last_output();
        result_.failure =
            to_text(where, &Builder::source_text, &result_.sources) +
            (output.empty() ? "It printed nothing.\n" : "Its last output:\n" + output);
    }

    static std::string source_text(const std::string& file, const void* sources) {
        const auto& texts = *static_cast<const std::map<std::string, std::string>*>(sources);
        const auto found = texts.find(file);
        return found == texts.end() ? "" : found->second;
    }

    std::optional<State> copy_files(State state, const Instruction& instruction) {
        const auto prepared = prepare_copy(instruction,
                                           state,
                                           inputs_.scope,
                                           inputs_.choices.contexts,
                                           inputs_.dockerfile,
                                           stage_->index,
                                           sources_);
        if (complained(prepared.diagnostics))
            return std::nullopt;
        const std::string history = copy_history(prepared);
        if (const auto layer = find_cached(prepared.key))
            return with_layer(std::move(state), *layer, history);
        NewLayer layer(store_, lowers_for(store_, state.layers));
        write_copy(prepared, layer);
        return with_layer(std::move(state), record(prepared.key, layer), history);
    }

    std::optional<State> make_working_directory(State state, const Instruction& instruction) {
        const auto path =
            working_directory(state, std::get<Workdir>(instruction.body), inputs_.scope);
        if (!path) {
            complain(instruction.location, path.error().message);
            return std::nullopt;
        }
        state.config.working_dir = *path;
        CacheKey parts("workdir");
        parts.add("layers", state.layers).add("path", *path).add("user", state.config.user);
        const std::string key = parts.finish();
        if (const auto layer = find_cached(key))
            return with_layer(std::move(state), *layer, "WORKDIR " + *path);
        NewLayer layer(store_, lowers_for(store_, state.layers));
        {
            const sys::Fd root = layer.open_root();
            WriteOptions options;
            if (!state.config.user.empty())
                options.owner = find_owner(root, state.config.user);
            static_cast<void>(TreeWriter(root, options).ensure_directory(*path));
        }
        return with_layer(std::move(state), record(key, layer), "WORKDIR " + *path);
    }

    // Layers

    std::optional<std::string> find_cached(const std::string& key) {
        if (request_.no_cache || request_.build.no_cache)
            return std::nullopt;
        auto layer = cache_.find(key);
        if (!layer || (!layer->empty() && !store_.has_layer(*layer)))
            return std::nullopt;
        progress_.cached();
        return layer;
    }

    std::string record(const std::string& key, NewLayer& layer) {
        std::string diff_id = layer.publish();
        cache_.record(key, diff_id);
        progress_.done();
        return diff_id;
    }

    static State with_layer(State state, const std::string& diff_id, const std::string& history) {
        if (!diff_id.empty())
            state.layers.push_back(diff_id);
        state.history.push_back({history, diff_id.empty()});
        return state;
    }

    // The image

    std::string canonical_reference(const std::string& text) const {
        const auto reference = image::parse_reference(text);
        if (!reference)
            throw Error("`" + text +
                        "` cannot be the name of an image: " + reference.error().message);
        return image::canonical(*reference);
    }

    void publish(State state) {
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
        result_.image_id = store_.put(image).id;
    }

    const Paths& paths_;
    const BuildRequest& request_;
    BuildInputs inputs_;
    image::Store store_;
    StepCache cache_;
    Sources sources_;
    Progress progress_;
    BuildResult result_;
    const PlannedStage* stage_ = nullptr;
    std::ptrdiff_t steps_ = 0;
    std::ptrdiff_t step_ = 0;
};

}  // namespace

BuildResult build_image(const Paths& paths, const BuildRequest& request, const EventSink& sink) {
    return Builder(paths, request, sink).run();
}

}  // namespace stack::build
