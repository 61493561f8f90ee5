#pragma once

// Patterns over text, matched by simulating an automaton: time is at most the product of both
// lengths, whatever the pattern. A context has many files and .dockerignore many patterns, nearly
// all of which part from a path at its first characters: there they cost next to nothing.
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

    using State = std::size_t;
    using States = std::vector<State>;  // those that it is in, ascending: a few of many

    [[nodiscard]] std::string_view read_class(std::string_view pattern, std::string& problem);
    void read_stars(std::string_view& pattern, GlobStyle style);
    [[nodiscard]] bool accepts(const Token& token, char c) const;

    [[nodiscard]] bool is_last(State state) const { return state == 2 * tokens_.size(); }

    void add(State state, States& states) const;
    void step(const States& states, char c, States& next) const;
    /// Whether `wanted` holds of the end of some part of `text` that begins at `begin` and matches
    /// the tokens from the state `first` on. The ends come in ascending order.
    template <class Wanted>
    bool has_end(std::string_view text, std::size_t begin, State first, Wanted wanted) const;
    void find_prefix();

    std::vector<Token> tokens_;
    std::size_t first_ = 0;  // 1: `**/` comes before
    std::string prefix_;     // what every match begins with, after that
    bool slash_is_special_ = true;
};

/// Whether a path names a pattern: it has an unescaped * ? or [.
[[nodiscard]] bool has_wildcards(std::string_view path);

}  // namespace stack::build
