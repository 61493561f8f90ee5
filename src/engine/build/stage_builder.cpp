#include "engine/build/stage_builder.h"

#include <stack/error.h>

#include "base/failpoint.h"
#include "engine/build/copy_step.h"
#include "engine/build/expand.h"
#include "engine/build/new_layer.h"
#include "engine/build/progress.h"
#include "engine/build/run_step.h"
#include "sys/poll.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace stack::build {
namespace {

bool writes_layer(const Instruction& instruction) {
    return std::holds_alternative<Run>(instruction.body) ||
           std::holds_alternative<Copy>(instruction.body) ||
           std::holds_alternative<Workdir>(instruction.body);
}

class StageBuilder {
  public:
    StageBuilder(Workshop& shop, const PlannedStage& stage)
        : shop_(shop), stage_(stage), progress_(shop.sink, shop.request.title()) {}

    std::optional<State> run() {
        const Stage& written = shop_.inputs.dockerfile.stages[stage_.index];
        steps_ = 1 + std::count_if(
                         written.instructions.begin(), written.instructions.end(), writes_layer);
        std::optional<State> state = begin(written.location);
        if (state)
            state = run_triggers(std::move(*state));
        for (const auto& instruction : written.instructions) {
            if (!state)
                return std::nullopt;
            state = step(std::move(*state), instruction);
        }
        return state;
    }

  private:
    std::optional<State> begin(const Location& at) {
        progress_.begin_step(title("FROM " + stage_.base.name));
        try {
            State state = shop_.sources.base_state(stage_.base, stage_.platform);
            progress_.done();
            return state;
        } catch (const Error& error) {
            progress_.failed(error.what());
            shop_.complaints.refuse(at, error.what());
            return std::nullopt;
        }
    }

    /// The ONBUILD instructions of the base: they run first, and once.
    std::optional<State> run_triggers(State base) {
        const Strings triggers = std::exchange(base.config.on_build, {});
        std::optional<State> state = std::move(base);
        for (const auto& text : triggers) {
            const std::string file = "ONBUILD of " + stage_.base.name;
            const auto trigger = parse_trigger(text, file);
            shop_.complaints.add_source(file, text);
            shop_.complaints.add(trigger.diagnostics);
            if (!trigger.instruction)
                return std::nullopt;
            if (!has_sources(*trigger.instruction))
                return std::nullopt;
            steps_ += writes_layer(*trigger.instruction) ? 1 : 0;
            state = step(std::move(*state), *trigger.instruction);
            if (!state)
                return std::nullopt;
        }
        return state;
    }

    /// The plan does not know what a trigger takes from: it came with the base.
    bool has_sources(const Instruction& trigger) {
        for (const auto& from : sources_of(trigger)) {
            const auto source = find_source(
                shop_.inputs.dockerfile, shop_.inputs.choices.contexts, from, stage_.index);
            if (!source) {
                shop_.complaints.refuse(trigger.location,
                                        "`" + from + "` is not another stage of this file");
                return false;
            }
            try {
                if (source->kind == StageSource::Kind::stage)
                    shop_.need_stage(source->stage, stage_.index);
            } catch (const Error& error) {
                shop_.complaints.refuse(trigger.location, error.what());
                return false;
            }
        }
        return !shop_.complaints.stop().stop_requested();
    }

    std::string title(const std::string& text) {
        const bool several = shop_.inputs.plan.order.size() > 1;
        return "[" + shop_.request.name + (several ? " " + stage_.title : "") + " " +
               std::to_string(++step_) + "/" + std::to_string(steps_) + "] " + text;
    }

    /// What the world refuses in a step is reported at the step's line: here the line is known.
    std::optional<State> step(State state, const Instruction& instruction) {
        if (shop_.complaints.stop().stop_requested())
            return std::nullopt;
        STACK_FAILPOINT("build.step.before");
        try {
            return execute(std::move(state), instruction);
        } catch (const Error& error) {
            progress_.failed(error.what());
            shop_.complaints.refuse(instruction.location, error.what());
            return std::nullopt;
        }
    }

    std::optional<State> execute(State state, const Instruction& instruction) {
        if (!writes_layer(instruction)) {
            auto next = apply(std::move(state), instruction, shop_.inputs.scope);
            if (!next)
                shop_.complaints.refuse(instruction.location, next.error().message);
            return next ? std::optional(std::move(*next)) : std::nullopt;
        }
        progress_.begin_step(title(instruction.text));
        if (std::holds_alternative<Run>(instruction.body))
            return run_command(std::move(state), instruction);
        if (std::holds_alternative<Copy>(instruction.body))
            return copy_files(std::move(state), instruction);
        return make_working_directory(std::move(state), instruction);
    }

    std::optional<State> run_command(State state, const Instruction& instruction) {
        const RunSurroundings around{shop_.inputs.scope,
                                     shop_.inputs.dockerfile,
                                     shop_.inputs.choices.contexts,
                                     shop_.request.build,
                                     shop_.request.environment,
                                     stage_.index};
        const auto prepared = prepare_run(instruction, state, around, shop_.sources);
        if (complained(prepared.diagnostics))
            return std::nullopt;
        const std::string history = run_history(state, prepared.command);
        return with_layer(std::move(state), prepared.key, history, [&](const NewLayer& layer) {
            const int status = execute_run(
                shop_.paths,
                shop_.request.build,
                instruction.text,
                prepared,
                layer,
                [this](auto bytes) { progress_.output(bytes); },
                shop_.complaints.stop());
            if (status != 0)
                fail(instruction, status);
            return status == 0;
        });
    }

    /// Another step has failed, and this one is not to go on.
    bool is_stopped() {
        const bool stopped = shop_.complaints.stop().stop_requested();
        if (stopped)
            progress_.failed("canceled, because another step failed");
        return stopped;
    }

    void fail(const Instruction& instruction, int status) {
        if (is_stopped())
            return;
        const std::string sentence =
            "`" + instruction.text + "` failed with status " + std::to_string(status);
        progress_.failed(sentence);
        shop_.complaints.fail(instruction.location, sentence, progress_.last_output());
    }

    std::optional<State> copy_files(State state, const Instruction& instruction) {
        const auto prepared = prepare_copy(instruction,
                                           state,
                                           shop_.inputs.scope,
                                           shop_.inputs.choices.contexts,
                                           shop_.inputs.dockerfile,
                                           stage_.index,
                                           shop_.sources);
        if (complained(prepared.diagnostics))
            return std::nullopt;
        return with_layer(
            std::move(state), prepared.key, copy_history(prepared), [&](const NewLayer& layer) {
                write_copy(prepared, layer);
                return true;
            });
    }

    std::optional<State> make_working_directory(State state, const Instruction& instruction) {
        const auto path =
            working_directory(state, std::get<Workdir>(instruction.body), shop_.inputs.scope);
        if (!path) {
            shop_.complaints.refuse(instruction.location, path.error().message);
            return std::nullopt;
        }
        state.config.working_dir = *path;
        const std::string user = state.config.user;
        CacheKey key("workdir");
        key.add("layers", state.layers).add("path", *path).add("user", user);
        return with_layer(
            std::move(state), key.finish(), "WORKDIR " + *path, [&](const NewLayer& layer) {
                const sys::Fd root = layer.open_root();
                WriteOptions options;
                if (!user.empty())
                    options.owner = find_owner(root, user);
                static_cast<void>(TreeWriter(root, options).ensure_directory(*path));
                return true;
            });
    }

    /// True where there is an error among them.
    bool complained(const Diagnostics& diagnostics) {
        shop_.complaints.add(diagnostics);
        if (!has_errors(diagnostics))
            return false;
        progress_.failed(diagnostics.front().message);
        return true;
    }

    // Layers

    /// The state with the layer that `write` fills; where it is known what the step gave the last
    /// time, that.
    template <class Write>
    std::optional<State> with_layer(State state,
                                    const std::string& step_key,
                                    const std::string& history,
                                    Write write) {
        const auto& latest = shop_.inputs.epoch;  // which is a part of what the layer becomes
        const std::string key = latest ? CacheKey("until")
                                             .add("step", step_key)
                                             .add("epoch", std::to_string(*latest))
                                             .finish()
                                       : step_key;
        bool is_mine = false;
        const auto& layer = shop_.layers.get(key, [&, this]() -> std::optional<std::string> {
            is_mine = true;
            if (auto cached = find_cached(key))
                return cached;
            const auto turn = wait_for_turn(key);
            if (auto cached = find_cached(key))
                return cached;
            if (is_stopped())
                return std::nullopt;
            NewLayer made(shop_.store, lowers_for(shop_.store, state.layers));
            return write(made) ? std::optional(record(key, made)) : std::nullopt;
        });
        if (!is_mine && layer)
            progress_.cached();
        if (!layer)
            return std::nullopt;
        if (!layer->empty())
            state.layers.push_back(*layer);
        state.history.push_back({history, layer->empty()});
        return state;
    }

    [[nodiscard]] bool uses_cache() const {
        const Strings& filter = shop_.request.build.no_cache_filter;
        return !shop_.request.no_cache && !shop_.request.build.no_cache &&
               std::find(filter.begin(), filter.end(), stage_.title) == filter.end();
    }

    /// Another build that runs the very same step does it for this one, too. nullopt where there is
    /// no use in waiting for that.
    std::optional<sys::PartLock> wait_for_turn(const std::string& key) {
        constexpr std::chrono::milliseconds between(50);
        if (!uses_cache())
            return std::nullopt;
        auto turn = shop_.cache.claim(key);
        if (!turn)
            progress_.output("another build runs this step: waiting for it\n");
        while (!turn && !is_stopped()) {
            sys::pause(between);  // a wait in the kernel could not be stopped
            turn = shop_.cache.claim(key);
        }
        return turn;
    }

    std::optional<std::string> find_cached(const std::string& key) {
        if (!uses_cache())
            return std::nullopt;
        auto layer = shop_.cache.find(key);
        if (!layer || !is_here(*layer)) {
            const auto claim = shop_.imported.find(key);
            layer = claim == shop_.imported.end() ? std::nullopt : std::optional(claim->second);
        }
        if (!layer || !is_here(*layer))
            return std::nullopt;
        progress_.cached();
        return layer;
    }

    /// And so stays.
    bool is_here(const std::string& layer) {
        if (layer.empty())
            return true;
        shop_.store.hold({layer});
        return shop_.store.has_layer(layer);
    }

    std::string record(const std::string& key, NewLayer& layer) {
        std::string diff_id = layer.publish(shop_.inputs.epoch);
        shop_.cache.record(key, diff_id);
        progress_.done();
        return diff_id;
    }

    Workshop& shop_;
    const PlannedStage& stage_;
    Progress progress_;
    std::ptrdiff_t steps_ = 0;
    std::ptrdiff_t step_ = 0;
};

}  // namespace

std::optional<State> build_stage(Workshop& shop, const PlannedStage& stage) {
    return StageBuilder(shop, stage).run();
}

}  // namespace stack::build
