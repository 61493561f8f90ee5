#pragma once

// One statement of a Dockerfile, taken apart: its keyword, its flags, and its arguments in the
// forms that instructions have. What is wrong is complained of where it stands.

#include "engine/build/dockerfile.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stack::build {

struct Word;

struct FlagRule {
    std::string_view name;
    bool boolean = false;
    bool repeated = false;
};

[[nodiscard]] std::string upper(std::string_view text);
/// A hint at the candidate that is near; empty where none is.
[[nodiscard]] std::string did_you_mean(const std::string& word, const Strings& candidates);

class StatementReader {
  public:
    StatementReader(const Statement& statement, char escape, Diagnostics& diagnostics);

  protected:
    struct Flag {
        std::string name;
        std::string value;
        std::string_view span;
    };

    std::nullopt_t fail(const char* code,
                        std::string message,
                        std::string_view part,
                        std::string hint = {});
    void warn(const char* code, std::string message, std::string_view part, std::string hint = {});

    /// Takes the flags from the arguments: `rest_` follows them. False where one is wrong.
    bool read_flags(const std::vector<FlagRule>& allowed);
    [[nodiscard]] const Flag* find_flag(std::string_view name) const;
    [[nodiscard]] std::string flag_value(std::string_view name) const;
    [[nodiscard]] bool is_set(std::string_view name) const;

    // nullopt where the arguments have another form.

    std::optional<std::string> one_argument();
    std::optional<CommandLine> command_line(std::string_view text);
    /// A JSON array or words between blanks.
    std::optional<Strings> list();
    std::optional<std::vector<KeyValue>> key_values();

    const Statement& statement_;
    char escape_;
    Diagnostics& diagnostics_;
    std::string_view keyword_;
    std::string name_;  // upper case
    std::string_view arguments_;
    std::string_view rest_;  // after the flags
    std::vector<Flag> flags_;

  private:
    bool read_flag(const Word& word, const std::vector<FlagRule>& allowed);
    bool unknown_flag(const std::string& flag,
                      const Word& word,
                      const std::vector<FlagRule>& allowed);
    std::optional<std::vector<KeyValue>> legacy_key_value();
};

}  // namespace stack::build
