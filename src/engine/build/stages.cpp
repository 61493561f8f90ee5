#include "engine/build/stages.h"

#include "base/text.h"
#include "engine/build/expand.h"
#include "engine/build/run_mount.h"
#include "model/platform.h"

#include <algorithm>

#include <sys/utsname.h>

namespace stack::build {
namespace {

Diagnostic error_at(const Location& at,
                    const char* code,
                    std::string message,
                    std::string hint = {}) {
    return {Severity::error, code, std::move(message), at, std::move(hint), {}};
}

class Planner {
  public:
    Planner(const Dockerfile& file, const BuildChoices& choices) : file_(file), choices_(choices) {}

    BuildPlan run() {
        plan_.globals = platform_arguments(choices_.platform, machine_platform());
        plan_.globals["TARGETSTAGE"] = choices_.target.empty() ? "default" : choices_.target;
        add_globals();
        for (std::size_t i = 0; i < file_.stages.size(); ++i)
            add_stage(i);
        if (!has_errors(plan_.diagnostics)) {
            if (const auto target = find_target()) {
                marks_.assign(file_.stages.size(), Mark::unseen);
                visit(*target);
            }
        }
        return std::move(plan_);
    }

  private:
    enum class Mark { unseen, open, done };

    void add_globals() {
        for (const auto& instruction : file_.global_arguments) {
            for (const auto& [name, value] : std::get<Arg>(instruction.body).arguments) {
                const auto given = choices_.arguments.find(name);
                if (given != choices_.arguments.end())
                    plan_.globals[name] = given->second;
                else if (value)
                    set_expanded(name, *value, instruction.location);
            }
        }
    }

    void set_expanded(const std::string& name, const std::string& value, const Location& at) {
        const auto expanded = expand(value, plan_.globals, file_.escape);
        if (expanded)
            plan_.globals[name] = *expanded;
        else
            plan_.diagnostics.push_back(error_at(at, "bad-variable", expanded.error().message));
    }

    std::string expanded(const std::string& text, const Location& at) {
        const auto result = expand(text, plan_.globals, file_.escape);
        if (!result)
            plan_.diagnostics.push_back(error_at(at, "bad-variable", result.error().message));
        return result ? *result : "";
    }

    void add_stage(std::size_t index) {
        const Stage& stage = file_.stages[index];
        PlannedStage planned;
        planned.index = index;
        planned.title =
            stage.from.name.empty() ? "stage-" + std::to_string(index) : stage.from.name;
        planned.platform = expanded(stage.from.platform, stage.location);
        if (planned.platform.empty())
            planned.platform = choices_.platform;
        const std::string base = expanded(stage.from.image, stage.location);
        if (base.empty() && !has_errors(plan_.diagnostics))
            plan_.diagnostics.push_back(
                error_at(stage.location,
                         "no-base",
                         "the name of the base is empty: `" + stage.from.image + "` has no value",
                         "give an ARG before the first FROM a default"));
        planned.base = base_for(base, index);
        if (planned.base.kind == StageSource::Kind::stage)
            planned.needs.push_back(planned.base.stage);
        for (const auto& instruction : stage.instructions)
            for (const auto& from : sources_of(instruction))
                add_need(planned, from, instruction);
        plan_.stages.push_back(std::move(planned));
    }

    [[nodiscard]] StageSource base_for(const std::string& base, std::size_t index) const {
        if (std::find(choices_.contexts.begin(), choices_.contexts.end(), base) !=
            choices_.contexts.end())
            return {StageSource::Kind::context, 0, base};
        if (base == "scratch")
            return {StageSource::Kind::scratch, 0, base};
        for (std::size_t i = index; i-- > 0;) {
            if (!base.empty() && file_.stages[i].from.name == to_lower(base))
                return {StageSource::Kind::stage, i, base};
        }
        return {StageSource::Kind::image, 0, base};
    }

    void add_need(PlannedStage& planned, const std::string& from, const Instruction& instruction) {
        const auto source = find_source(file_, choices_.contexts, from, planned.index);
        if (!source)
            plan_.diagnostics.push_back(
                error_at(instruction.location,
                         "bad-stage",
                         "`" + from + "` is not another stage of this file"));
        else if (source->kind == StageSource::Kind::stage)
            planned.needs.push_back(source->stage);
    }

    std::optional<std::size_t> find_target() {
        if (choices_.target.empty())
            return file_.stages.size() - 1;
        Strings names;
        for (std::size_t i = file_.stages.size(); i-- > 0;) {
            if (file_.stages[i].from.name == to_lower(choices_.target))
                return i;
            names.push_back(file_.stages[i].from.name);
        }
        const auto number = parse_number<std::size_t>(choices_.target);
        if (number && *number < file_.stages.size())
            return number;
        const std::string near = closest(choices_.target, names);
        plan_.diagnostics.push_back(
            error_at(file_.stages.back().location,
                     "no-target",
                     "no stage is called `" + choices_.target + "`, which is the target",
                     near.empty() ? "" : "did you mean `" + near + "`?"));
        return std::nullopt;
    }

    void visit(std::size_t index) {
        if (marks_[index] == Mark::done)
            return;
        if (marks_[index] == Mark::open) {
            plan_.diagnostics.push_back(
                error_at(file_.stages[index].location,
                         "circular",
                         "the stage `" + plan_.stages[index].title + "` needs itself"));
            return;
        }
        marks_[index] = Mark::open;
        for (const auto need : plan_.stages[index].needs)
            visit(need);
        marks_[index] = Mark::done;
        plan_.order.push_back(index);
    }

    const Dockerfile& file_;
    const BuildChoices& choices_;
    BuildPlan plan_;
    std::vector<Mark> marks_;
};

void add_platform(StringMap& arguments, const std::string& prefix, const std::string& platform) {
    const auto parts = split(platform, '/');
    arguments[prefix + "PLATFORM"] = platform;
    arguments[prefix + "OS"] = parts[0];
    arguments[prefix + "ARCH"] = parts.size() > 1 ? parts[1] : "";
    arguments[prefix + "VARIANT"] = parts.size() > 2 ? parts[2] : "";
}

}  // namespace

StringMap platform_arguments(const std::string& target, const std::string& build) {
    StringMap arguments;
    add_platform(arguments, "TARGET", target);
    add_platform(arguments, "BUILD", build);
    return arguments;
}

std::string machine_platform() {
    struct utsname name {};

    ::uname(&name);
    const std::string machine = static_cast<const char*>(name.machine);
    return machine.starts_with("armv7") ? "linux/arm/v7"
                                        : "linux/" + model::architecture_of(machine);
}

Strings sources_of(const Instruction& instruction) {
    Strings found;
    if (const auto* copy = std::get_if<Copy>(&instruction.body);
        copy != nullptr && !copy->from.empty())
        found.push_back(copy->from);
    if (const auto* run = std::get_if<Run>(&instruction.body))
        for (const auto& mount : run->mounts)
            if (std::string from = run_mount_source(mount); !from.empty())
                found.push_back(std::move(from));
    return found;
}

std::optional<StageSource> find_source(const Dockerfile& file,
                                       const Strings& contexts,
                                       const std::string& from,
                                       std::size_t stage) {
    if (std::find(contexts.begin(), contexts.end(), from) != contexts.end())
        return StageSource{StageSource::Kind::context, 0, from};
    if (const auto number = parse_number<std::size_t>(from)) {
        if (*number >= file.stages.size() || *number == stage)
            return std::nullopt;
        return StageSource{StageSource::Kind::stage, *number, from};
    }
    // The nearest stage of this name above, else one below.
    for (std::size_t step = 1; step < file.stages.size(); ++step) {
        const std::size_t i = (stage + file.stages.size() - step) % file.stages.size();
        if (file.stages[i].from.name == to_lower(from))
            return StageSource{StageSource::Kind::stage, i, from};
    }
    if (file.stages[stage].from.name == to_lower(from))
        return std::nullopt;
    return StageSource{
        from == "scratch" ? StageSource::Kind::scratch : StageSource::Kind::image, 0, from};
}

BuildPlan plan_build(const Dockerfile& file, const BuildChoices& choices) {
    return Planner(file, choices).run();
}

}  // namespace stack::build
