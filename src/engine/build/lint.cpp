#include "engine/build/lint.h"

#include "base/text.h"
#include "engine/build/expand.h"
#include "engine/build/ignore.h"
#include "engine/build/lexer.h"
#include "engine/build/remote.h"
#include "engine/build/words.h"
#include "engine/image/reference.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace stack::build {
namespace {

bool is_upper(std::string_view word) {
    return std::none_of(word.begin(), word.end(), [](unsigned char c) { return std::islower(c); });
}

bool is_lower(std::string_view word) {
    return std::none_of(word.begin(), word.end(), [](unsigned char c) { return std::isupper(c); });
}

bool is_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The names that `$NAME` and `${NAME}` mean in the text; those with a modifier such as :- say
/// themselves what is to be where nothing is.
Strings variables_in(std::string_view text, char escape) {
    Strings names;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        if (text[i] == escape) {
            ++i;
            continue;
        }
        if (text[i] != '$')
            continue;
        const bool braced = text[i + 1] == '{';
        const std::size_t begin = i + (braced ? 2 : 1);
        std::size_t end = begin;
        while (end < text.size() && is_name(text[end]))
            ++end;
        const bool whole = !braced || (end < text.size() && text[end] == '}');
        if (end > begin && whole && std::isdigit(static_cast<unsigned char>(text[begin])) == 0)
            names.emplace_back(text.substr(begin, end - begin));
    }
    return names;
}

/// API_KEY, db-password and so on, but not PUBLIC_KEY.
bool names_a_secret(const std::string& name) {
    static const std::set<std::string> secrets{"apikey",
                                               "auth",
                                               "credential",
                                               "credentials",
                                               "key",
                                               "password",
                                               "pword",
                                               "passwd",
                                               "secret",
                                               "token"};
    const auto words = split(to_lower(name), '_');
    return std::find(words.begin(), words.end(), "public") == words.end() &&
           std::any_of(words.begin(), words.end(), [&](const std::string& word) {
               return secrets.contains(word);
           });
}

class Linter {
  public:
    Linter(const BuildInputs& inputs, const std::map<std::string, Strings>& variables)
        : inputs_(inputs),
          file_(inputs.dockerfile),
          variables_(variables),
          defaults_(plan_build(file_, without_arguments(inputs.choices)).globals),
          lines_(split(inputs.text, '\n')),
          found_(inputs.diagnostics) {}

    Diagnostics run() {
        const Lexed lexed = lex(inputs_.text, inputs_.file);
        check_casing(lexed.statements);
        for (const auto& statement : lexed.statements) {
            if (to_lower(first_word(statement)) == "from")
                check_from(statement);
            check_description(statement);
        }
        for (std::size_t i = 0; i < file_.stages.size(); ++i)
            check_stage(i);
        return allowed();
    }

  private:
    static BuildChoices without_arguments(BuildChoices choices) {
        choices.arguments.clear();
        return choices;
    }

    void warn(const char* rule, const Location& at, std::string message, std::string hint = {}) {
        found_.push_back({Severity::warning, rule, std::move(message), at, std::move(hint), {}});
    }

    Diagnostics allowed() {
        std::stable_sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) {
            return a.location.line < b.location.line;
        });
        return checked(std::move(found_), inputs_.check);
    }

    // Words as they are written

    static std::string_view first_word(const Statement& statement) {
        const auto words = blank_separated(statement.text);
        return words.empty() ? std::string_view() : words.front();
    }

    void check_casing(const std::vector<Statement>& statements) {
        const auto lower = std::count_if(statements.begin(), statements.end(), [](const auto& one) {
            return is_lower(first_word(one));
        });
        const auto upper = std::count_if(statements.begin(), statements.end(), [](const auto& one) {
            return is_upper(first_word(one));
        });
        for (const auto& statement : statements) {
            const auto word = first_word(statement);
            if (lower > upper ? is_lower(word) : is_upper(word))
                continue;
            warn("ConsistentInstructionCasing",
                 statement.locate(word),
                 "the instruction `" + std::string(word) + "` is written otherwise than the others",
                 std::string("write it in ") + (lower > upper ? "lower" : "upper") + " case");
        }
    }

    void check_from(const Statement& statement) {
        const auto words = blank_separated(statement.text);
        for (const auto word : words)
            if (word.starts_with("--platform="))
                check_platform(statement, word);
        if (words.size() < 4 || to_lower(words[words.size() - 2]) != "as")
            return;
        const auto as = words[words.size() - 2];
        if (is_upper(as) != is_upper(words.front()))
            warn("FromAsCasing",
                 statement.locate(as),
                 "`" + std::string(as) + "` and `" + std::string(words.front()) +
                     "` are not in the same case");
        check_stage_name(statement, words.back());
    }

    void check_platform(const Statement& statement, std::string_view flag) {
        const auto value = flag.substr(flag.find('=') + 1);
        if (value == "$TARGETPLATFORM" || value == "${TARGETPLATFORM}")
            warn("RedundantTargetPlatform",
                 statement.locate(flag),
                 "the platform is the target's also without --platform");
        else if (value.find('$') == std::string_view::npos)
            warn("FromPlatformFlagConstDisallowed",
                 statement.locate(flag),
                 "--platform is a constant, so that the stage is of use on one platform only",
                 "name it by an ARG");
    }

    void check_stage_name(const Statement& statement, std::string_view name) {
        const std::string lower = to_lower(name);
        if (!is_lower(name))
            warn("StageNameCasing",
                 statement.locate(name),
                 "the stage's name `" + std::string(name) + "` is not in lower case",
                 "write `" + lower + "`");
        if (!names_.insert(lower).second)
            warn("DuplicateStageName",
                 statement.locate(name),
                 "another stage is called `" + lower + "`, too");
    }

    /// A comment above a stage or an argument describes it: `# NAME what it is`.
    void check_description(const Statement& statement) {
        if (!inputs_.check.asks_for("InvalidDefinitionDescription"))
            return;
        const Strings names = defined_by(statement);
        const std::string comment = comment_above(statement.location().line);
        if (names.empty() || comment.empty() ||
            std::find(names.begin(), names.end(), comment.substr(0, comment.find(' '))) !=
                names.end())
            return;
        warn("InvalidDefinitionDescription",
             statement.location(),
             "the comment above does not begin with the name of what it describes",
             "write `# " + names.front() + " …`, or leave an empty line below it");
    }

    /// The names of the stage or the arguments that a statement defines.
    static Strings defined_by(const Statement& statement) {
        const auto words = blank_separated(statement.text);
        const std::string keyword = words.empty() ? "" : to_lower(words.front());
        if (keyword == "from" && words.size() >= 4 && to_lower(words[words.size() - 2]) == "as")
            return {std::string(words.back())};
        Strings names;
        if (keyword == "arg")
            for (auto word = words.begin() + 1; word != words.end(); ++word)
                names.emplace_back(word->substr(0, word->find('=')));
        return names;
    }

    /// What the line above says where it is a comment, and no directive.
    [[nodiscard]] std::string comment_above(int line) const {
        const auto above = static_cast<std::size_t>(std::max(line - 2, 0));
        const std::string_view text = line < 2 ? std::string_view() : trim(lines_[above]);
        if (!text.starts_with('#'))
            return {};
        const std::string_view comment = trim(text.substr(1));
        const auto key = to_lower(trim(comment.substr(0, comment.find('='))));
        return key == "syntax" || key == "escape" || key == "check" ? "" : std::string(comment);
    }

    // What a stage does

    void check_stage(std::size_t index) {
        const Stage& stage = file_.stages[index];
        check_base(stage);
        const auto& base = inputs_.plan.stages[index].base;
        begin_variables(base);
        shell_ = false;
        absolute_ = base.kind == StageSource::Kind::stage && absolute_stages_.contains(base.stage);
        std::map<std::size_t, const Instruction*> last;
        for (const auto& instruction : stage.instructions) {
            check_variables(instruction);
            std::visit([&](const auto& body) { check(body, instruction.location); },
                       instruction.body);
            check_repetition(instruction, last);
        }
        of_stages_[index] = declared_;
        if (!base_is_known_)
            unknown_stages_.insert(index);
        if (absolute_)
            absolute_stages_.insert(index);
    }

    void begin_variables(const StageSource& base) {
        const auto known = variables_.find(base.name);
        base_is_known_ = base.kind != StageSource::Kind::image || known != variables_.end();
        declared_ = base.kind == StageSource::Kind::stage ? of_stages_[base.stage]
                                                          : std::set<std::string>{"PATH"};
        if (base.kind == StageSource::Kind::stage)
            base_is_known_ = !unknown_stages_.contains(base.stage);
        else if (known != variables_.end())
            declared_.insert(known->second.begin(), known->second.end());
    }

    void check_base(const Stage& stage) {
        const auto alone = expand(stage.from.image, defaults_, file_.escape);
        if (alone && !image::parse_reference(*alone))
            warn("InvalidDefaultArgInFrom",
                 stage.location,
                 "`" + stage.from.image + "` names no image where no build argument is given",
                 "give the ARG before the first FROM a default");
        for (const auto& name :
             variables_in(stage.from.image + " " + stage.from.platform, file_.escape)) {
            const bool is_known = inputs_.plan.globals.contains(name) ||
                                  std::any_of(file_.global_arguments.begin(),
                                              file_.global_arguments.end(),
                                              [&](const auto& one) { return declares(one, name); });
            if (!is_known)
                warn("UndefinedArgInFrom",
                     stage.location,
                     "no ARG before the first FROM declares `" + name + "`");
        }
    }

    static bool declares(const Instruction& instruction, const std::string& name) {
        const auto& arguments = std::get<Arg>(instruction.body).arguments;
        return std::any_of(
            arguments.begin(), arguments.end(), [&](const auto& one) { return one.first == name; });
    }

    void check_repetition(const Instruction& instruction,
                          std::map<std::size_t, const Instruction*>& last) {
        if (!std::holds_alternative<Cmd>(instruction.body) &&
            !std::holds_alternative<Entrypoint>(instruction.body) &&
            !std::holds_alternative<HealthcheckForm>(instruction.body))
            return;
        const auto [before, is_first] = last.try_emplace(instruction.body.index(), &instruction);
        if (is_first)
            return;
        warn("MultipleInstructionsDisallowed",
             before->second->location,
             "a later line of the stage says the same anew, so that this one has no effect");
        before->second = &instruction;
    }

    void check_variables(const Instruction& instruction) {
        for (const auto& text : expanded_texts(instruction))
            for (const auto& name : variables_in(text, file_.escape)) {
                if (declared_.contains(name) || inputs_.scope.given.contains(name))
                    continue;
                const std::string near = closest(name, {declared_.begin(), declared_.end()});
                if (near.empty() && !base_is_known_)
                    continue;
                warn("UndefinedVar",
                     instruction.location,
                     "nothing in this stage declares the variable `" + name + "`",
                     near.empty() ? "" : "did you mean `$" + near + "`?");
            }
    }

    /// The parts of an instruction in which variables are replaced.
    static Strings expanded_texts(const Instruction& instruction) {
        Strings texts;
        const auto add_pairs = [&](const std::vector<KeyValue>& pairs) {
            for (const auto& pair : pairs)
                texts.push_back(pair.value);
        };
        if (const auto* env = std::get_if<Env>(&instruction.body))
            add_pairs(env->variables);
        if (const auto* label = std::get_if<Label>(&instruction.body))
            add_pairs(label->labels);
        if (const auto* copy = std::get_if<Copy>(&instruction.body)) {
            texts = copy->sources;
            texts.insert(texts.end(), {copy->destination, copy->chown, copy->chmod});
        }
        if (const auto* user = std::get_if<User>(&instruction.body))
            texts.push_back(user->name);
        if (const auto* directory = std::get_if<Workdir>(&instruction.body))
            texts.push_back(directory->path);
        if (const auto* ports = std::get_if<Expose>(&instruction.body))
            texts = ports->ports;
        if (const auto* volumes = std::get_if<VolumePaths>(&instruction.body))
            texts = volumes->paths;
        return texts;
    }

    template <class Body>
    void check(const Body& /*body*/, const Location& /*at*/) {}

    void check(const Arg& arg, const Location& at) {
        for (const auto& [name, value] : arg.arguments) {
            declared_.insert(name);
            check_secret(name, "ARG", at);
        }
    }

    void check(const Copy& copy, const Location& at) {
        if (!copy.from.empty())
            return;
        for (const auto& source : copy.sources) {
            const std::string path = clean_path(source);
            if (!path.empty() && !is_remote(source) && inputs_.ignored.excludes(path))
                warn("CopyIgnoredFile",
                     at,
                     "`" + source + "` is not copied: .dockerignore excludes it");
        }
    }

    void check(const Env& env, const Location& at) {
        for (const auto& variable : env.variables) {
            declared_.insert(variable.key);
            check_secret(variable.key, "ENV", at);
        }
        check_legacy(env.variables, "ENV", at);
    }

    void check(const Label& label, const Location& at) { check_legacy(label.labels, "LABEL", at); }

    void check_secret(const std::string& name, const char* instruction, const Location& at) {
        if (names_a_secret(name))
            warn("SecretsUsedInArgOrEnv",
                 at,
                 std::string(instruction) + " `" + name +
                     "` looks like a secret, and stays in the image for all to read",
                 "use RUN --mount=type=secret");
    }

    void check_legacy(const std::vector<KeyValue>& pairs,
                      const std::string& instruction,
                      const Location& at) {
        for (const auto& pair : pairs)
            if (pair.legacy)
                warn("LegacyKeyValueFormat",
                     at,
                     "`" + instruction + " key value` is the old form",
                     "write " + instruction + " " + pair.key + "=…");
    }

    void check(const ShellForm& /*shell*/, const Location& /*at*/) { shell_ = true; }

    void check(const Cmd& cmd, const Location& at) { check_form(cmd.command, "CMD", at); }

    void check(const Entrypoint& entry, const Location& at) {
        check_form(entry.command, "ENTRYPOINT", at);
    }

    void check_form(const CommandLine& command,
                    const std::string& instruction,
                    const Location& at) {
        if (command.shell && !shell_ && !command.words.empty())
            warn("JSONArgsRecommended",
                 at,
                 instruction + " runs by a shell, which does not pass signals on",
                 "write " + instruction + " [\"…\", \"…\"]");
    }

    void check(const Workdir& directory, const Location& at) {
        const bool is_absolute = directory.path.starts_with('/') || directory.path.starts_with('$');
        if (!is_absolute && !absolute_)
            warn("WorkdirRelativePath",
                 at,
                 "`" + directory.path + "` begins wherever the base image leaves off",
                 "write the whole path");
        absolute_ = absolute_ || is_absolute;
    }

    void check(const Expose& expose, const Location& at) {
        for (const auto& port : expose.ports) {
            const auto slash = port.find('/');
            if (port.find(':') != std::string::npos)
                warn("ExposeInvalidFormat",
                     at,
                     "`" + port + "` names an address or a second port, which EXPOSE ignores");
            else if (slash != std::string::npos && !is_lower(port.substr(slash)))
                warn("ExposeProtoCasing",
                     at,
                     "the protocol of `" + port + "` is not in lower case",
                     "write `" + to_lower(port) + "`");
        }
    }

    const BuildInputs& inputs_;
    const Dockerfile& file_;
    const std::map<std::string, Strings>& variables_;
    const StringMap defaults_;  // what the arguments before the first FROM are by themselves
    const Strings lines_;
    Diagnostics found_;
    std::set<std::string> names_;  // of the stages so far
    // Of the stage that is looked at:
    std::set<std::string> declared_;
    bool base_is_known_ = false;
    bool shell_ = false;
    bool absolute_ = false;
    // Of those before:
    std::map<std::size_t, std::set<std::string>> of_stages_;
    std::set<std::size_t> absolute_stages_;
    std::set<std::size_t> unknown_stages_;  // on a base that is not known
};

}  // namespace

Diagnostics lint(const BuildInputs& inputs, const std::map<std::string, Strings>& variables) {
    return Linter(inputs, variables).run();
}

}  // namespace stack::build
