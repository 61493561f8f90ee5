#include "engine/build/instruction_parser.h"

#include "base/text.h"
#include "base/units.h"
#include "engine/build/run_mount.h"
#include "engine/build/statement_reader.h"
#include "engine/build/words.h"

#include <algorithm>
#include <array>
#include <utility>

namespace stack::build {
namespace {

class InstructionParser : StatementReader {
  public:
    using StatementReader::StatementReader;

    std::optional<InstructionBody> parse() {
        const auto found = std::find_if(
            rules.begin(), rules.end(), [&](const Rule& rule) { return rule.name == name_; });
        if (found == rules.end()) {
            Strings names;
            for (const auto& rule : rules)
                names.emplace_back(rule.name);
            return fail("unknown-instruction",
                        "unknown instruction `" + std::string(keyword_) + "`",
                        keyword_,
                        did_you_mean(name_, names));
        }
        if (!read_flags(found->flags))
            return std::nullopt;
        return (this->*found->parse)();
    }

  private:
    using Result = std::optional<InstructionBody>;

    struct Rule {
        std::string_view name;
        std::vector<FlagRule> flags;
        Result (InstructionParser::*parse)();
    };

    static const std::array<Rule, 18> rules;

    Result parse_from() {
        const auto words = blank_separated(rest_);
        const bool named = words.size() == 3 && to_lower(words[1]) == "as";
        if (words.size() != 1 && !named)
            return fail("bad-from", "FROM is `FROM image` or `FROM image AS name`", rest_);
        From from{std::string(words[0]), flag_value("platform"), {}};
        if (!named)
            return from;
        from.name = to_lower(words[2]);
        const bool valid = from.name[0] >= 'a' && from.name[0] <= 'z' &&
                           std::all_of(from.name.begin(), from.name.end(), [](char c) {
                               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                                      c == '-' || c == '_' || c == '.';
                           });
        if (!valid)
            return fail("bad-stage-name",
                        "`" + std::string(words[2]) + "` cannot be the name of a stage",
                        words[2],
                        "a letter, then letters, digits, `-`, `_` and `.`");
        if (from.name == "scratch" || from.name == "context")
            warn("ReservedStageName", "the stage name `" + from.name + "` is reserved", words[2]);
        return from;
    }

    Result parse_arg() {
        const auto words = quoted_words(rest_, escape_);
        if (words.empty())
            return fail("missing-argument", "ARG needs a name", {});
        Arg arg;
        for (const auto& word : words) {
            const auto [name, value] = split_once(word.text, '=');
            if (name.empty())
                return fail("bad-pair", "the name of an ARG cannot be empty", word.span);
            const bool assigned = word.text.find('=') != std::string::npos;
            arg.arguments.emplace_back(name, assigned ? std::optional(value) : std::nullopt);
        }
        return arg;
    }

    Result parse_env() {
        auto pairs = key_values();
        return pairs ? Result(Env{std::move(*pairs)}) : std::nullopt;
    }

    Result parse_label() {
        auto pairs = key_values();
        return pairs ? Result(Label{std::move(*pairs)}) : std::nullopt;
    }

    Result parse_run() {
        Run run;
        const auto command = command_line(rest_);
        if (!command)
            return std::nullopt;
        if (command->words.empty())
            return fail("missing-argument", "RUN needs a command", {});
        run.command = *command;
        run.heredocs = statement_.heredocs;
        for (const auto& flag : flags_) {
            if (flag.name == "mount" && !check_mount(flag))
                return std::nullopt;
            if (flag.name == "mount")
                run.mounts.push_back(flag.value);
        }
        run.network = find_flag("network") == nullptr ? "default" : flag_value("network");
        if (run.network != "default" && run.network != "none" && run.network != "host")
            return fail("bad-flag",
                        "--network is default, none or host, not `" + run.network + "`",
                        find_flag("network")->span);
        const Flag* security = find_flag("security");
        if (security && security->value != "sandbox" && security->value != "insecure")
            return fail("bad-flag",
                        "--security is sandbox or insecure, not `" + security->value + "`",
                        security->span);
        if (security && security->value == "insecure")
            return fail("unsupported",
                        "a step cannot run without isolation: --security is `sandbox`",
                        security->span);
        return run;
    }

    bool check_mount(const Flag& flag) {
        if (run_mount_source(flag.value).find('$') != std::string::npos) {
            fail("bad-mount",
                 "`from` of a mount takes no variables",
                 flag.span,
                 "name a stage: FROM ${…} AS name, then from=name");
            return false;
        }
        if (flag.value.find('$') != std::string::npos)
            return true;
        const auto mount = parse_run_mount(flag.value);
        if (!mount)
            fail("bad-mount", mount.error().message, flag.span);
        return mount.has_value();
    }

    Result parse_copy() { return parse_copy_or_add(false); }

    Result parse_add() { return parse_copy_or_add(true); }

    Result parse_copy_or_add(bool add) {
        const auto words = list();
        if (!words)
            return std::nullopt;
        if (words->size() < 2)
            return fail("missing-argument", name_ + " needs a source and a destination", rest_);
        Copy copy = copy_flags(add);
        copy.destination = words->back();
        HeredocWord heredoc;
        if (!statement_.heredocs.empty() && parse_heredoc_word(copy.destination, heredoc))
            return fail("bad-heredoc", "a heredoc cannot be the destination of " + name_, rest_);
        for (auto word = words->begin(); word + 1 != words->end(); ++word) {
            if (statement_.heredocs.empty() || !parse_heredoc_word(*word, heredoc))
                copy.sources.push_back(*word);
        }
        copy.files = statement_.heredocs;
        return check_copy(copy) ? Result(std::move(copy)) : std::nullopt;
    }

    [[nodiscard]] Copy copy_flags(bool add) const {
        Copy copy;
        copy.add = add;
        copy.from = flag_value("from");
        copy.chown = flag_value("chown");
        copy.chmod = flag_value("chmod");
        copy.checksum = flag_value("checksum");
        copy.link = is_set("link");
        copy.parents = is_set("parents");
        copy.keep_git_dir = is_set("keep-git-dir");
        if (find_flag("unpack") != nullptr)
            copy.unpack = is_set("unpack");
        for (const auto& flag : flags_) {
            if (flag.name == "exclude")
                copy.excludes.push_back(flag.value);
        }
        return copy;
    }

    bool check_copy(const Copy& copy) {
        if (copy.from.find('$') != std::string::npos) {
            fail("bad-flag",
                 "--from takes no variables",
                 find_flag("from")->span,
                 "name a stage: FROM ${…} AS name, then --from=name");
            return false;
        }
        const bool remote =
            std::any_of(copy.sources.begin(), copy.sources.end(), [](const auto& source) {
                return source.starts_with("http://") || source.starts_with("https://");
            });
        if (remote && !copy.add) {
            fail("bad-source", "COPY takes no URL", rest_, "use ADD");
            return false;
        }
        if (!copy.checksum.empty() &&
            (copy.sources.size() != 1 || copy.sources[0].find(':') == std::string::npos)) {
            fail("bad-flag",
                 "--checksum is for exactly one remote source",
                 find_flag("checksum")->span);
            return false;
        }
        return true;
    }

    Result parse_cmd() {
        auto command = command_line(rest_);
        return command ? Result(Cmd{std::move(*command)}) : std::nullopt;
    }

    Result parse_entrypoint() {
        auto command = command_line(rest_);
        return command ? Result(Entrypoint{std::move(*command)}) : std::nullopt;
    }

    Result parse_shell() {
        const auto command = command_line(rest_);
        if (!command)
            return std::nullopt;
        if (command->shell || command->words.empty())
            return fail("bad-json",
                        "SHELL needs the JSON form",
                        rest_,
                        R"(such as SHELL ["/bin/bash", "-c"])");
        return ShellForm{command->words};
    }

    Result parse_expose() {
        Expose expose;
        for (const auto& word : quoted_words(rest_, escape_))
            expose.ports.push_back(word.text);
        if (expose.ports.empty())
            return fail("missing-argument", "EXPOSE needs a port", {});
        return expose;
    }

    Result parse_volume() {
        const auto paths = list();
        if (!paths)
            return std::nullopt;
        if (paths->empty())
            return fail("missing-argument", "VOLUME needs a path", {});
        VolumePaths volume;
        for (const auto& path : *paths) {
            volume.paths.emplace_back(trim(path));
            if (volume.paths.back().empty())
                return fail("missing-argument", "the path of a VOLUME cannot be empty", rest_);
        }
        return volume;
    }

    Result parse_user() {
        auto name = one_argument();
        return name ? Result(User{std::move(*name)}) : std::nullopt;
    }

    Result parse_workdir() {
        auto path = one_argument();
        return path ? Result(Workdir{std::move(*path)}) : std::nullopt;
    }

    Result parse_stopsignal() {
        auto signal = one_argument();
        return signal ? Result(StopSignal{std::move(*signal)}) : std::nullopt;
    }

    Result parse_maintainer() {
        auto name = one_argument();
        if (name)
            warn("MaintainerDeprecated",
                 "MAINTAINER is deprecated",
                 keyword_,
                 "LABEL org.opencontainers.image.authors=… says it");
        return name ? Result(Maintainer{std::move(*name)}) : std::nullopt;
    }

    Result parse_onbuild() {
        const auto words = blank_separated(rest_);
        if (words.empty())
            return fail("missing-argument", "ONBUILD needs an instruction", {});
        const std::string trigger = upper(words[0]);
        if (trigger == "ONBUILD" || trigger == "FROM" || trigger == "MAINTAINER")
            return fail("bad-trigger", trigger + " cannot be triggered by ONBUILD", words[0]);
        OnBuild on_build{std::string(rest_)};
        for (const auto& heredoc : statement_.heredocs)
            on_build.trigger += "\n" + heredoc.content + heredoc.name;
        const auto parsed = parse_trigger(on_build.trigger, {});
        if (parsed.instruction)
            return on_build;
        const auto& complaint = parsed.diagnostics.front();
        return fail(complaint.code.c_str(), complaint.message, rest_, complaint.hint);
    }

    Result parse_healthcheck() {
        const auto words = blank_separated(rest_);
        if (words.empty())
            return fail("missing-argument", "HEALTHCHECK needs CMD or NONE", {});
        const std::string type = upper(words[0]);
        HealthcheckForm form;
        if (type == "NONE" && words.size() > 1)
            return fail("bad-healthcheck", "HEALTHCHECK NONE takes no arguments", words[1]);
        if (type == "NONE") {
            form.check.test = {"NONE"};
            form.check.disabled = true;
            return form;
        }
        if (type != "CMD")
            return fail("bad-healthcheck",
                        "`" + std::string(words[0]) + "` is not CMD or NONE",
                        words[0],
                        did_you_mean(type, {"CMD", "NONE"}));
        const auto command = command_line(trim(rest_.substr(words[0].size())));
        if (!command)
            return std::nullopt;
        if (command->words.empty())
            return fail("bad-healthcheck", "HEALTHCHECK CMD needs a command", words[0]);
        form.check.test = {command->shell ? "CMD-SHELL" : "CMD"};
        form.check.test.insert(form.check.test.end(), command->words.begin(), command->words.end());
        return read_timing(form.check) ? Result(std::move(form)) : std::nullopt;
    }

    bool read_timing(Healthcheck& check) {
        for (const auto& flag : flags_) {
            if (flag.name == "retries") {
                check.retries = parse_number<int>(flag.value);
                if (!check.retries || *check.retries < 0) {
                    fail("bad-flag", "--retries is a number, not `" + flag.value + "`", flag.span);
                    return false;
                }
                continue;
            }
            const auto duration = parse_duration(flag.value);
            if (!duration || (duration->count() != 0 && *duration < std::chrono::milliseconds(1))) {
                fail("bad-flag",
                     "--" + flag.name + " is a duration of a millisecond or more, not `" +
                         flag.value + "`",
                     flag.span);
                return false;
            }
            auto& field = flag.name == "interval"       ? check.interval
                          : flag.name == "timeout"      ? check.timeout
                          : flag.name == "start-period" ? check.start_period
                                                        : check.start_interval;
            if (duration->count() != 0)
                field = *duration;
        }
        return true;
    }
};

const std::array<InstructionParser::Rule, 18> InstructionParser::rules{{
    {"ADD",
     {{"chown"},
      {"chmod"},
      {"checksum"},
      {"link", true},
      {"keep-git-dir", true},
      {"unpack", true},
      {"exclude", false, true}},
     &InstructionParser::parse_add},
    {"ARG", {}, &InstructionParser::parse_arg},
    {"CMD", {}, &InstructionParser::parse_cmd},
    {"COPY",
     {{"from"}, {"chown"}, {"chmod"}, {"link", true}, {"parents", true}, {"exclude", false, true}},
     &InstructionParser::parse_copy},
    {"ENTRYPOINT", {}, &InstructionParser::parse_entrypoint},
    {"ENV", {}, &InstructionParser::parse_env},
    {"EXPOSE", {}, &InstructionParser::parse_expose},
    {"FROM", {{"platform"}}, &InstructionParser::parse_from},
    {"HEALTHCHECK",
     {{"interval"}, {"timeout"}, {"start-period"}, {"start-interval"}, {"retries"}},
     &InstructionParser::parse_healthcheck},
    {"LABEL", {}, &InstructionParser::parse_label},
    {"MAINTAINER", {}, &InstructionParser::parse_maintainer},
    {"ONBUILD", {}, &InstructionParser::parse_onbuild},
    {"RUN", {{"mount", false, true}, {"network"}, {"security"}}, &InstructionParser::parse_run},
    {"SHELL", {}, &InstructionParser::parse_shell},
    {"STOPSIGNAL", {}, &InstructionParser::parse_stopsignal},
    {"USER", {}, &InstructionParser::parse_user},
    {"VOLUME", {}, &InstructionParser::parse_volume},
    {"WORKDIR", {}, &InstructionParser::parse_workdir},
}};

}  // namespace

std::optional<Instruction> parse_statement(const Statement& statement,
                                           char escape,
                                           Diagnostics& diagnostics) {
    auto body = InstructionParser(statement, escape, diagnostics).parse();
    if (!body)
        return std::nullopt;
    Location at = statement.location();
    at.length = std::max(static_cast<int>(statement.text.find_first_of(" \t\n")), 1);
    return Instruction{std::move(*body), statement.text, at};
}

}  // namespace stack::build
