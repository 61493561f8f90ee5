#include "tests/build/describe.h"

#include "base/text.h"
#include "base/units.h"

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

}  // namespace

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
