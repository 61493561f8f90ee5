#include "engine/build/state.h"

#include "base/text.h"
#include "base/units.h"
#include "engine/build/expand.h"
#include "engine/build/ignore.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

namespace stack::build {
namespace {

constexpr const char* default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

constexpr std::array proxy_arguments{"HTTP_PROXY",
                                     "http_proxy",
                                     "HTTPS_PROXY",
                                     "https_proxy",
                                     "FTP_PROXY",
                                     "ftp_proxy",
                                     "NO_PROXY",
                                     "no_proxy",
                                     "ALL_PROXY",
                                     "all_proxy"};

void set_variable(Strings& environment, const std::string& name, const std::string& value) {
    const auto found =
        std::find_if(environment.begin(), environment.end(), [&](const std::string& entry) {
            return entry.starts_with(name + "=");
        });
    if (found == environment.end())
        environment.push_back(name + "=" + value);
    else
        *found = name + "=" + value;
}

bool has_variable(const Strings& environment, const std::string& name) {
    return std::any_of(environment.begin(), environment.end(), [&](const std::string& entry) {
        return entry.starts_with(name + "=");
    });
}

/// As Go prints a list of strings with %q: `["a" "b"]`, the form that history has.
std::string quoted_list(const Strings& words) {
    Strings quoted;
    for (const auto& word : words)
        quoted.push_back("\"" + replace_all(replace_all(word, "\\", "\\\\"), "\"", "\\\"") + "\"");
    return "[" + join(quoted, " ") + "]";
}

bool is_signal(const std::string& text) {
    constexpr int last_signal = 64;
    if (const auto number = parse_number<int>(text))
        return *number > 0 && *number <= last_signal;
    std::string name = text.starts_with("SIG") ? text.substr(3) : text;
    if (name.starts_with("RTMIN") || name.starts_with("RTMAX"))
        return true;
    for (int signal = 1; signal < SIGRTMIN; ++signal) {
        const char* known = ::sigabbrev_np(signal);
        if (known != nullptr && name == known)
            return true;
    }
    return false;
}

/// `80`, `80/udp`, `7000-7010/tcp` as the ports they are.
Expected<Strings> exposed_ports(const std::string& text) {
    auto [range, protocol] = split_once(text, '/');
    protocol = protocol.empty() ? "tcp" : to_lower(protocol);
    const auto [first, last] = split_once(range, '-');
    const auto begin = parse_number<std::uint16_t>(first);
    const auto end = last.empty() ? begin : parse_number<std::uint16_t>(last);
    if (!begin || !end || *end < *begin ||
        (protocol != "tcp" && protocol != "udp" && protocol != "sctp"))
        return malformed("`" + text + "` is not a port, such as 80, 53/udp or 7000-7010");
    Strings ports;
    for (unsigned int port = *begin; port <= *end; ++port)
        ports.push_back(std::to_string(port) + "/" + protocol);
    return ports;
}

void add_once(Strings& list, const std::string& item) {
    if (std::find(list.begin(), list.end(), item) == list.end())
        list.push_back(item);
}

std::string healthcheck_history(const Healthcheck& check) {
    const auto time = [](const std::optional<Duration>& duration) {
        return "\"" + (duration ? format_duration(*duration) : "0s") + "\"";
    };
    return "HEALTHCHECK &{" + quoted_list(check.test) + " " + time(check.interval) + " " +
           time(check.timeout) + " " + time(check.start_period) + " " + time(check.start_interval) +
           " " + std::to_string(check.retries.value_or(0)) + "}";
}

/// Applies one instruction to a state; each function returns the history line, or why it cannot be
/// done.
class Applier {
  public:
    using Result = Expected<std::string>;

    Applier(State& state, const Scope& scope)
        : state_(state), scope_(scope), variables_(variables_of(state)) {}

    Result operator()(const From&) { return malformed("FROM begins a stage"); }

    Result operator()(const Run&) { return std::string(); }

    Result operator()(const Copy&) { return std::string(); }

    Result operator()(const Workdir&) { return std::string(); }

    Result operator()(const Arg& arg) {
        Strings shown;
        for (const auto& [written, fallback] : arg.arguments) {
            const auto name = expanded(written);
            if (!name)
                return name;
            const auto value = argument_value(*name, fallback);
            if (!value)
                return tl::unexpected(value.error());
            declare(*name, *value);
            shown.push_back(*name + (*value ? "=" + **value : ""));
            if (*value && !has_variable(state_.config.environment, *name))
                variables_[*name] = **value;
        }
        return "ARG " + join(shown, " ");
    }

    /// Without a value, what an earlier ARG of the name gave it stays.
    void declare(const std::string& name, const std::optional<std::string>& value) {
        auto& arguments = state_.arguments;
        const auto is_known = [&](const auto& known) { return known.first == name; };
        if (!value && std::any_of(arguments.begin(), arguments.end(), is_known))
            return;
        std::erase_if(arguments, is_known);
        arguments.emplace_back(name, value);
    }

    Result operator()(const Env& env) {
        Strings shown;
        Strings environment = state_.config.environment;
        for (const auto& variable : env.variables) {
            const auto name = expanded(variable.key);
            const auto value = expanded(variable.value);
            if (!name || !value)
                return tl::unexpected(name ? value.error() : name.error());
            set_variable(environment, *name, *value);
            shown.push_back(*name + "=" + *value);
        }
        state_.config.environment = std::move(environment);
        return "ENV " + join(shown, " ");
    }

    Result operator()(const Label& label) {
        Strings shown;
        for (const auto& one : label.labels) {
            const auto name = expanded(one.key);
            const auto value = expanded(one.value);
            if (!name || !value)
                return tl::unexpected(name ? value.error() : name.error());
            state_.config.labels[*name] = *value;
            shown.push_back(*name + "=" + *value);
        }
        return "LABEL " + join(shown, " ");
    }

    Result operator()(const Cmd& cmd) {
        state_.config.command = command_words(state_, cmd.command);
        state_.command_is_own = true;
        return "CMD " + quoted_list(state_.config.command);
    }

    Result operator()(const Entrypoint& entrypoint) {
        state_.config.entrypoint = command_words(state_, entrypoint.command);
        if (!state_.command_is_own)
            state_.config.command.clear();
        return "ENTRYPOINT " + quoted_list(state_.config.entrypoint);
    }

    Result operator()(const ShellForm& shell) {
        state_.config.shell = shell.words;
        return "SHELL [" + join(shell.words, " ") + "]";
    }

    Result operator()(const Expose& expose) {
        Strings all;
        for (const auto& word : expose.ports) {
            const auto words = expand_words(word, variables_, scope_.escape);
            if (!words)
                return tl::unexpected(words.error());
            for (const auto& text : *words) {
                const auto ports = exposed_ports(text);
                if (!ports)
                    return tl::unexpected(ports.error());
                all.insert(all.end(), ports->begin(), ports->end());
            }
        }
        std::sort(all.begin(), all.end());
        for (const auto& port : all)
            add_once(state_.config.exposed_ports, port);
        return "EXPOSE [" + join(all, " ") + "]";
    }

    Result operator()(const VolumePaths& volume) {
        Strings paths;
        for (const auto& path : volume.paths) {
            const auto text = expanded(path);
            if (!text)
                return text;
            if (text->empty())
                return malformed("the path of a VOLUME is empty");
            paths.push_back(*text);
            add_once(state_.config.volumes, *text);
        }
        return "VOLUME [" + join(paths, " ") + "]";
    }

    Result operator()(const User& user) {
        auto name = expanded(user.name);
        if (!name)
            return name;
        state_.config.user = *name;
        return "USER " + *name;
    }

    Result operator()(const StopSignal& stop) {
        const auto signal = expanded(stop.signal);
        if (!signal)
            return signal;
        if (!is_signal(*signal))
            return malformed("`" + *signal + "` is not a signal");
        state_.config.stop_signal = *signal;
        return "STOPSIGNAL " + *signal;
    }

    Result operator()(const HealthcheckForm& form) {
        state_.config.healthcheck = form.check;
        return healthcheck_history(form.check);
    }

    Result operator()(const OnBuild& on_build) {
        state_.config.on_build.push_back(on_build.trigger);
        return "ONBUILD " + on_build.trigger;
    }

    Result operator()(const Maintainer& maintainer) {
        state_.author = maintainer.name;
        return "MAINTAINER " + maintainer.name;
    }

  private:
    [[nodiscard]] Result expanded(const std::string& text) const {
        return expand(text, variables_, scope_.escape);
    }

    /// --build-arg, else the default, else the global argument of the same name.
    [[nodiscard]] Expected<std::optional<std::string>> argument_value(
        const std::string& name, const std::optional<std::string>& fallback) const {
        if (const auto given = scope_.given.find(name); given != scope_.given.end())
            return std::optional(given->second);
        if (fallback) {
            auto value = expanded(*fallback);
            if (!value)
                return tl::unexpected(value.error());
            return std::optional(*value);
        }
        const auto global = scope_.globals.find(name);
        return global == scope_.globals.end() ? std::nullopt : std::optional(global->second);
    }

    State& state_;
    const Scope& scope_;
    StringMap variables_;
};

}  // namespace

State scratch_state(const std::string& platform) {
    State state;
    const auto parts = split(platform, '/');
    state.config.os = parts[0];
    state.config.architecture = parts.size() > 1 ? parts[1] : "";
    state.config.variant = parts.size() > 2 ? parts[2] : "";
    state.config.environment = {std::string("PATH=") + default_path};
    state.config.working_dir = "/";
    return state;
}

StringMap variables_of(const State& state) {
    StringMap variables;
    for (const auto& [name, value] : state.arguments) {
        if (value)
            variables[name] = *value;
    }
    for (const auto& entry : state.config.environment) {
        const auto [name, value] = split_once(entry, '=');
        variables[name] = value;
    }
    return variables;
}

Strings environment_of(const State& state, const Scope& scope, bool with_proxies) {
    Strings environment = state.config.environment;
    for (const auto& [name, value] : state.arguments) {
        if (value && !has_variable(environment, name))
            environment.push_back(name + "=" + *value);
    }
    if (!has_variable(environment, "PATH"))
        environment.push_back(std::string("PATH=") + default_path);
    for (const auto* name : proxy_arguments) {
        const auto given = scope.given.find(name);
        if (with_proxies && given != scope.given.end() && !has_variable(environment, name))
            environment.push_back(given->first + "=" + given->second);
    }
    return environment;
}

Expected<State> apply(State state, const Instruction& instruction, const Scope& scope) {
    auto line = std::visit(Applier(state, scope), instruction.body);
    if (!line)
        return tl::unexpected(line.error());
    if (!line->empty())
        state.history.push_back({std::move(*line), true});
    return state;
}

std::string absolute_in(const State& state, const std::string& path) {
    if (path.starts_with('/'))
        return "/" + clean_path(path);
    return "/" + clean_path(state.config.working_dir + "/" + path);
}

Expected<std::string> working_directory(const State& state,
                                        const Workdir& workdir,
                                        const Scope& scope) {
    const auto path = expand(workdir.path, variables_of(state), scope.escape);
    if (!path)
        return path;
    if (path->empty())
        return malformed("WORKDIR is empty: `" + workdir.path + "` has no value");
    return absolute_in(state, *path);
}

Strings command_words(const State& state, const CommandLine& line) {
    if (!line.shell || line.words.empty())
        return line.words;
    Strings words = state.config.shell.empty() ? Strings{"/bin/sh", "-c"} : state.config.shell;
    words.insert(words.end(), line.words.begin(), line.words.end());
    return words;
}

std::string run_history(const State& state, const Strings& command) {
    Strings arguments;
    for (const auto& [name, value] : state.arguments) {
        if (value)
            arguments.push_back(name + "=" + *value);
    }
    const std::string prefix = arguments.empty() ? ""
                                                 : "|" + std::to_string(arguments.size()) + " " +
                                                       join(arguments, " ") + " ";
    return "RUN " + prefix + join(command, " ") + " # buildkit";
}

}  // namespace stack::build
