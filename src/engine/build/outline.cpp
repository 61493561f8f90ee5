#include "engine/build/outline.h"

#include "base/text.h"
#include "engine/build/expand.h"
#include "engine/build/remote.h"
#include "engine/build/run_mount.h"
#include "engine/build/state.h"
#include "sys/file.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace stack::build {
namespace {

/// What the comments right above a line say of a name.
std::string description_above(const Strings& lines, int line, const std::string& name) {
    for (auto above = static_cast<std::size_t>(std::max(line - 1, 0)); above > 0; --above) {
        const std::string_view text = trim(lines[above - 1]);
        if (name.empty() || !text.starts_with('#'))
            return {};
        const std::string_view comment = trim(text.substr(1));
        if (comment.starts_with(name + " "))
            return std::string(trim(comment.substr(name.size())));
    }
    return {};
}

Target target_of(const BuildInputs& inputs, const Strings& lines, std::size_t index) {
    const Stage& stage = inputs.dockerfile.stages[index];
    const From& from = stage.from;
    const int line = stage.location.line;
    return {from.name,
            description_above(lines, line, from.name),
            from.image,
            from.platform,
            line,
            index + 1 == inputs.dockerfile.stages.size()};
}

bool uses(const std::string& text, const std::string& name, char escape) {
    return expand(text, {{name, "\x01"}}, escape).value_or("") !=
           expand(text, {}, escape).value_or("");
}

class Outliner {
  public:
    explicit Outliner(const BuildInputs& inputs)
        : inputs_(inputs), file_(inputs.dockerfile), lines_(split(inputs.text, '\n')) {}

    Outline run() {
        outline_.target = target_of(inputs_, lines_, inputs_.plan.order.back());
        add_globals();
        for (const auto index : inputs_.plan.order)
            add_stage(index);
        return std::move(outline_);
    }

  private:
    /// Those ARGs before the first FROM on which a FROM depends, or a stage that takes them over.
    void add_globals() {
        Strings texts;
        Strings taken;
        for (const auto index : inputs_.plan.order) {
            const Stage& stage = file_.stages[index];
            texts.insert(texts.end(), {stage.from.image, stage.from.platform});
            for (const auto& instruction : stage.instructions)
                if (const auto* arg = std::get_if<Arg>(&instruction.body))
                    for (const auto& [name, value] : arg->arguments)
                        if (!value)
                            taken.push_back(name);
        }
        const auto is_used = [&](const std::string& name) {
            return std::find(taken.begin(), taken.end(), name) != taken.end() ||
                   std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
                       return uses(text, name, file_.escape);
                   });
        };
        std::vector<Parameter> found;
        const auto& globals = file_.global_arguments;
        for (auto one = globals.rbegin(); one != globals.rend(); ++one) {
            for (const auto& [name, value] : std::get<Arg>(one->body).arguments) {
                if (!is_used(name))
                    continue;
                texts.push_back(value.value_or(""));
                found.push_back(parameter(name, value_of_global(name), one->location.line));
            }
        }
        std::for_each(
            found.rbegin(), found.rend(), [this](Parameter& one) { add(std::move(one)); });
    }

    [[nodiscard]] std::string value_of_global(const std::string& name) const {
        const auto value = inputs_.plan.globals.find(name);
        return value == inputs_.plan.globals.end() ? "" : value->second;
    }

    [[nodiscard]] Parameter parameter(const std::string& name,
                                      const std::string& value,
                                      int line) const {
        return {name, description_above(lines_, line, name), value, line};
    }

    void add(Parameter one) {
        auto& all = outline_.arguments;
        if (std::none_of(all.begin(), all.end(), [&](const Parameter& known) {
                return known.name == one.name;
            }))
            all.push_back(std::move(one));
    }

    void add_stage(std::size_t index) {
        const auto& base = inputs_.plan.stages[index].base;
        State state = base.kind == StageSource::Kind::stage ? states_[base.stage] : State();
        for (const auto& instruction : file_.stages[index].instructions) {
            if (auto next = apply(state, instruction, inputs_.scope))
                state = *std::move(next);
            if (const auto* arg = std::get_if<Arg>(&instruction.body))
                add_arguments(*arg, state, instruction.location.line);
            if (const auto* run = std::get_if<Run>(&instruction.body))
                add_mounts(*run, state, instruction.location.line);
        }
        states_[index] = std::move(state);
    }

    /// Not what a stage only takes over: the platform's are nobody's to give.
    void add_arguments(const Arg& arg, const State& state, int line) {
        for (const auto& [name, value] : arg.arguments) {
            if (!value && inputs_.plan.globals.contains(name))
                continue;
            const auto now = std::find_if(state.arguments.begin(),
                                          state.arguments.end(),
                                          [&](const auto& known) { return known.first == name; });
            const bool has_value = now != state.arguments.end() && now->second;
            add(parameter(name, has_value ? *now->second : "", line));
        }
    }

    void add_mounts(const Run& run, const State& state, int line) {
        for (const auto& text : run.mounts) {
            const auto expanded = expand(text, variables_of(state), file_.escape);
            const auto mount =
                expanded ? parse_run_mount(*expanded) : tl::unexpected(expanded.error());
            if (!mount)
                continue;
            if (mount->type == RunMountType::secret)
                add(outline_.secrets, *mount, secret_id(*mount), line);
            else if (mount->type == RunMountType::ssh)
                add(outline_.agents, *mount, mount->id.empty() ? "default" : mount->id, line);
            else if (mount->type == RunMountType::cache)
                add(outline_.caches,
                    *mount,
                    mount->id.empty() ? absolute_in(state, mount->target) : mount->id,
                    line);
        }
    }

    static std::string secret_id(const RunMount& mount) {
        if (!mount.id.empty())
            return mount.id;
        return mount.source.empty() ? sys::file_name(mount.target) : mount.source;
    }

    static void add(std::vector<Wish>& all,
                    const RunMount& mount,
                    const std::string& id,
                    int line) {
        const auto known =
            std::find_if(all.begin(), all.end(), [&](const Wish& wish) { return wish.id == id; });
        if (known == all.end())
            all.push_back({id, mount.required, line});
        else
            known->required = known->required || mount.required;
    }

    const BuildInputs& inputs_;
    const Dockerfile& file_;
    Strings lines_;
    std::map<std::size_t, State> states_;
    Outline outline_;
};

}  // namespace

std::vector<Target> targets_of(const BuildInputs& inputs) {
    const Strings lines = split(inputs.text, '\n');
    std::vector<Target> all;
    for (std::size_t i = 0; i < inputs.dockerfile.stages.size(); ++i)
        all.push_back(target_of(inputs, lines, i));
    return all;
}

Outline outline_of(const BuildInputs& inputs) {
    return Outliner(inputs).run();
}

Offer offer_of(const Paths& paths, const BuildRequest& request, const EventSink& sink) {
    const LocalContexts contexts(paths, request.build, request.environment, sink);
    const BuildInputs inputs = read_inputs(contexts.build(), request.environment);
    Offer offer;
    offer.file = inputs.file;
    offer.text = inputs.text;
    std::copy_if(inputs.diagnostics.begin(),
                 inputs.diagnostics.end(),
                 std::back_inserter(offer.mistakes),
                 [](const Diagnostic& one) { return one.severity == Severity::error; });
    if (offer.mistakes.empty()) {
        offer.targets = targets_of(inputs);
        offer.outline = outline_of(inputs);
    }
    return offer;
}

}  // namespace stack::build
