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
    /// Whether `path` or a directory above it matches.
    [[nodiscard]] bool matches_at_or_above(std::string_view path) const;
    /// The lengths of the prefixes that match, ascending. Nothing is read once none can follow.
    [[nodiscard]] std::vector<std::size_t> matching_prefixes(std::string_view text) const;
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
    /// Whether more characters can lead to a match.
    [[nodiscard]] static bool is_alive(const States& states);

    std::vector<Token> tokens_;
    bool slash_is_special_ = true;
};

/// Whether a path names a pattern: it has an unescaped * ? or [.
[[nodiscard]] bool has_wildcards(std::string_view path);

}  // namespace stack::build
