#pragma once

// Patterns over text, matched by simulating an automaton: time is the product of both lengths,
// whatever the pattern.
//
// One language serves three users: variable modifiers (`*` and `?` match anything), sources of COPY
// (`*` and `?` stop at a slash, `[…]` is a class; Go's filepath.Match) and .dockerignore (those,
// and `**`; moby/patternmatcher).

#include "base/expected.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stack::build {

enum class GlobStyle {
    shell,     // * ? \x                       any character
    path,      // * ? [a-z] [^a] \x            not the slash
    wildcard,  // as path, and **              for --parents, --exclude and .dockerignore
};

class Glob {
  public:
    /// Fails where a class is not closed or empty, or the pattern ends in an escape.
    [[nodiscard]] static Expected<Glob> compile(std::string_view pattern, GlobStyle style);

    [[nodiscard]] bool matches(std::string_view text) const;
    /// For each n in 0…size: whether the first n characters match.
    [[nodiscard]] std::vector<bool> prefix_matches(std::string_view text) const;
    /// Whether some text that begins with `text` can match.
    [[nodiscard]] bool may_match_below(std::string_view text) const;
    /// The pattern that matches reversed texts.
    [[nodiscard]] Glob reversed() const;

  private:
    enum class Kind { one, any, many, rest, directories, set };

    struct Token {
        Kind kind = Kind::one;
        char c = 0;                                   // one
        std::vector<std::pair<char, char>> ranges{};  // set
        bool negated = false;
    };

    using States = std::vector<bool>;

    [[nodiscard]] std::string_view read_class(std::string_view pattern, std::string& problem);
    void read_stars(std::string_view& pattern, GlobStyle style);
    [[nodiscard]] bool accepts(const Token& token, char c) const;
    void follow_empty(States& states) const;
    [[nodiscard]] States step(const States& states, char c) const;
    [[nodiscard]] States initial() const;

    std::vector<Token> tokens_;
    bool slash_is_special_ = true;
};

/// The modifiers # ## % %% / // of variables. `pattern` is of shell style; what cannot be compiled
/// matches nothing.
[[nodiscard]] std::string without_prefix(const std::string& text,
                                         const std::string& pattern,
                                         bool longest);
[[nodiscard]] std::string without_suffix(const std::string& text,
                                         const std::string& pattern,
                                         bool longest);
[[nodiscard]] std::string replace_matches(const std::string& text,
                                          const std::string& pattern,
                                          const std::string& replacement,
                                          bool everywhere);

/// Whether a path names a pattern: it has an unescaped * ? or [.
[[nodiscard]] bool has_wildcards(std::string_view path);

}  // namespace stack::build
