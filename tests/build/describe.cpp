#include "tests/build/describe.h"

#include "base/text.h"
#include "base/units.h"
#include "engine/build/stages.h"
#include "engine/build/state.h"

#include <map>

namespace stack::build {
namespace {

std::string list(const Strings& words) {
    return "[" + join(words, "|") + "]";
}

std::string pairs(const std::vector<KeyValue>& values) {
    Strings words;
    for (const auto& value : values)
        words.push_back(value.key + "=" + value.value);
    return list(words);
}

std::string command(const CommandLine& line) {
    return (line.shell ? "shell " : "exec ") + list(line.words);
}

std::string heredocs(const std::vector<Heredoc>& files) {
    std::string text;
    for (const auto& file : files)
        text += " <" + file.name + (file.expand ? "" : " raw") + ":" +
                replace_all(file.content, "\n", "$") + ">";
    return text;
}

std::string flag(const std::string& name, const std::string& value) {
    return value.empty() ? "" : "--" + name + "=" + value + " ";
}

struct Describer {
    std::string operator()(const From& from) const {
        return "FROM " + flag("platform", from.platform) + from.image +
               (from.name.empty() ? "" : " AS " + from.name);
    }

    std::string operator()(const Arg& arg) const {
        Strings words;
        for (const auto& [name, value] : arg.arguments)
            words.push_back(name + (value ? "=" + *value : ""));
        return "ARG " + list(words);
    }

    std::string operator()(const Env& env) const { return "ENV " + pairs(env.variables); }

    std::string operator()(const Label& label) const { return "LABEL " + pairs(label.labels); }

    std::string operator()(const Run& run) const {
        std::string text = "RUN ";
        for (const auto& mount : run.mounts)
            text += flag("mount", mount);
        return text + (run.network == "default" ? "" : flag("network", run.network)) +
               command(run.command) + heredocs(run.heredocs);
    }

    std::string operator()(const Copy& copy) const {
        std::string text = copy.add ? "ADD " : "COPY ";
        text += flag("from", copy.from) + flag("chown", copy.chown) + flag("chmod", copy.chmod) +
                flag("checksum", copy.checksum);
        for (const auto& exclude : copy.excludes)
            text += flag("exclude", exclude);
        text += std::string(copy.link ? "--link " : "") + (copy.parents ? "--parents " : "") +
                (copy.keep_git_dir ? "--keep-git-dir " : "");
        if (copy.unpack)
            text += *copy.unpack ? "--unpack " : "--unpack=false ";
        return text + list(copy.sources) + " " + copy.destination + heredocs(copy.files);
    }

    std::string operator()(const Cmd& cmd) const { return "CMD " + command(cmd.command); }

    std::string operator()(const Entrypoint& entry) const {
        return "ENTRYPOINT " + command(entry.command);
    }

    std::string operator()(const ShellForm& shell) const { return "SHELL " + list(shell.words); }

    std::string operator()(const Expose& expose) const { return "EXPOSE " + list(expose.ports); }

    std::string operator()(const VolumePaths& paths) const { return "VOLUME " + list(paths.paths); }

    std::string operator()(const User& user) const { return "USER " + user.name; }

    std::string operator()(const Workdir& workdir) const { return "WORKDIR " + workdir.path; }

    std::string operator()(const StopSignal& signal) const { return "STOPSIGNAL " + signal.signal; }

    std::string operator()(const HealthcheckForm& form) const {
        const Healthcheck& check = form.check;
        std::string text = "HEALTHCHECK ";
        if (check.interval)
            text += flag("interval", format_duration(*check.interval));
        if (check.timeout)
            text += flag("timeout", format_duration(*check.timeout));
        if (check.start_period)
            text += flag("start-period", format_duration(*check.start_period));
        if (check.start_interval)
            text += flag("start-interval", format_duration(*check.start_interval));
        if (check.retries)
            text += flag("retries", std::to_string(*check.retries));
        return text + list(check.test);
    }

    std::string operator()(const OnBuild& on_build) const {
        return "ONBUILD " + replace_all(on_build.trigger, "\n", "$");
    }

    std::string operator()(const Maintainer& maintainer) const {
        return "MAINTAINER " + maintainer.name;
    }
};

/// Does what builds do with a stage, but for its layers.
class Evaluator {
  public:
    Evaluator(const Dockerfile& file, const BuildPlan& plan, const StringMap& given)
        : file_(file), plan_(plan), scope_{plan.globals, given, file.escape} {}

    Diagnostics run() {
        for (const auto index : plan_.order) {
            begin(plan_.stages[index]);
            for (const auto& instruction : file_.stages[index].instructions) {
                const auto line = step(states_[index], instruction);
                if (!line)
                    return {
                        {Severity::error, {}, line.error().message, instruction.location, {}, {}}};
                lines_.push_back(*line);
            }
        }
        return {};
    }

    [[nodiscard]] const Strings& lines() const { return lines_; }

  private:
    void begin(const PlannedStage& stage) {
        State& state = states_[stage.index];
        if (stage.base.kind == StageSource::Kind::stage)
            state = states_[stage.base.stage];
        if (stage.base.kind == StageSource::Kind::scratch)
            state = scratch_state("linux/amd64");
        From from = file_.stages[stage.index].from;
        from.image = stage.base.name;
        from.platform.clear();
        lines_.push_back(Describer()(from));
    }

    Expected<std::string> step(State& state, const Instruction& instruction) const {
        if (const auto* run = std::get_if<Run>(&instruction.body))
            return run_history(state, command_words(state, run->command));
        if (std::holds_alternative<Copy>(instruction.body))
            return describe(instruction);
        if (const auto* workdir = std::get_if<Workdir>(&instruction.body)) {
            const auto path = working_directory(state, *workdir, scope_);
            state.config.working_dir = path.value_or("");
            return path ? Expected<std::string>("WORKDIR " + *path) : path;
        }
        auto next = apply(state, instruction, scope_);
        if (!next)
            return tl::unexpected(next.error());
        state = std::move(*next);
        return state.history.back().created_by;
    }

    const Dockerfile& file_;
    const BuildPlan& plan_;
    Scope scope_;
    std::map<std::size_t, State> states_;
    Strings lines_;
};

}  // namespace

std::string evaluate(const std::string& dockerfile, const StringMap& arguments) {
    const Dockerfile file = parse_dockerfile(dockerfile, "Dockerfile");
    BuildChoices choices;
    choices.arguments = arguments;
    const BuildPlan plan = plan_build(file, choices);
    if (has_errors(file.diagnostics) || has_errors(plan.diagnostics))
        return describe(has_errors(file.diagnostics) ? file.diagnostics : plan.diagnostics);
    Evaluator evaluator(file, plan, arguments);
    const Diagnostics errors = evaluator.run();
    return errors.empty() ? join(evaluator.lines(), "\n") : describe(errors);
}

std::string describe(const Instruction& instruction) {
    return std::visit(Describer(), instruction.body);
}

std::string describe(const Diagnostics& diagnostics) {
    Strings lines;
    for (const auto& diagnostic : diagnostics) {
        const Location& at = diagnostic.location;
        lines.push_back(std::to_string(at.line) + ":" + std::to_string(at.column) + " " +
                        diagnostic.message +
                        (diagnostic.hint.empty() ? "" : " | " + diagnostic.hint));
    }
    return join(lines, "\n");
}

std::string describe(const Dockerfile& file) {
    if (has_errors(file.diagnostics))
        return describe(file.diagnostics);
    Strings lines;
    for (const auto& argument : file.global_arguments)
        lines.push_back(describe(argument));
    for (const auto& stage : file.stages) {
        lines.push_back(Describer()(stage.from));
        for (const auto& instruction : stage.instructions)
            lines.push_back(describe(instruction));
    }
    return join(lines, "\n");
}

}  // namespace stack::build
