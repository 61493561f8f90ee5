#include "engine/build/glob.h"

#include <algorithm>

namespace stack::build {

// Tokens: `rest` is any text, slashes included; `directories` is nothing or any text that ends in a
// slash ("**/").

Expected<Glob> Glob::compile(std::string_view pattern, GlobStyle style) {
    Glob glob;
    glob.slash_is_special_ = style != GlobStyle::shell;
    while (!pattern.empty()) {
        const char c = pattern.front();
        pattern.remove_prefix(1);
        if (c == '*') {
            glob.read_stars(pattern, style);
        } else if (c == '?') {
            glob.tokens_.push_back({Kind::any});
        } else if (c == '[' && style != GlobStyle::shell) {
            std::string problem;
            pattern = glob.read_class(pattern, problem);
            if (!problem.empty())
                return malformed(problem);
        } else if (c == '\\' && pattern.empty()) {
            return malformed("the pattern ends in an escape");
        } else if (c == '\\') {
            glob.tokens_.push_back({Kind::one, pattern.front()});
            pattern.remove_prefix(1);
        } else {
            glob.tokens_.push_back({Kind::one, c});
        }
    }
    return glob;
}

void Glob::read_stars(std::string_view& pattern, GlobStyle style) {
    if (style != GlobStyle::wildcard || !pattern.starts_with('*')) {
        tokens_.push_back({Kind::many});
        return;
    }
    pattern.remove_prefix(1);
    if (pattern.starts_with('/'))
        pattern.remove_prefix(1);
    tokens_.push_back({pattern.empty() ? Kind::rest : Kind::directories});
}

/// What follows `[`; returns what follows the class.
std::string_view Glob::read_class(std::string_view pattern, std::string& problem) {
    Token token{Kind::set};
    const auto next = [&] {
        if (pattern.starts_with('\\'))
            pattern.remove_prefix(1);
        const char c = pattern.empty() ? '\0' : pattern.front();
        pattern.remove_prefix(pattern.empty() ? 0 : 1);
        return c;
    };
    if (pattern.starts_with('^') || pattern.starts_with('!')) {
        token.negated = true;
        pattern.remove_prefix(1);
    }
    while (!pattern.empty() && (pattern.front() != ']' || token.ranges.empty())) {
        if (pattern.front() == ']')
            break;
        const char first = next();
        char last = first;
        if (pattern.starts_with('-') && !pattern.substr(1).starts_with(']')) {
            pattern.remove_prefix(1);
            last = next();
        }
        token.ranges.emplace_back(first, last);
    }
    if (pattern.empty() || token.ranges.empty()) {
        problem = "a class `[…]` is empty or not closed";
        return pattern;
    }
    tokens_.push_back(std::move(token));
    return pattern.substr(1);
}

bool Glob::accepts(const Token& token, char c) const {
    switch (token.kind) {
        case Kind::one:
            return c == token.c;
        case Kind::any:
        case Kind::many:
            return c != '/' || !slash_is_special_;
        case Kind::rest:
        case Kind::directories:
            return true;
        case Kind::set:
            if (c == '/')
                return false;
            return token.negated !=
                   std::any_of(token.ranges.begin(), token.ranges.end(), [&](const auto& range) {
                       return range.first <= c && c <= range.second;
                   });
    }
    return false;
}

/// States that need no character: tokens that may match nothing are passed.
void Glob::follow_empty(States& states) const {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        const Kind kind = tokens_[i].kind;
        if (states[2 * i] &&
            (kind == Kind::many || kind == Kind::rest || kind == Kind::directories))
            states[2 * (i + 1)] = true;
    }
}

// State 2i: before token i. State 2i+1: inside `directories` token i, which only a slash can leave.
Glob::States Glob::initial() const {
    States states(2 * tokens_.size() + 1);
    states[0] = true;
    follow_empty(states);
    return states;
}

Glob::States Glob::step(const States& states, char c) const {
    States next(states.size());
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        const Token& token = tokens_[i];
        const bool here = states[2 * i];
        if (token.kind == Kind::directories && (here || states[2 * i + 1])) {
            next[2 * i + 1] = true;
            if (c == '/')
                next[2 * (i + 1)] = true;
        } else if (here && accepts(token, c)) {
            const bool repeats = token.kind == Kind::many || token.kind == Kind::rest;
            next[repeats ? 2 * i : 2 * (i + 1)] = true;
        }
    }
    follow_empty(next);
    return next;
}

bool Glob::is_alive(const States& states) {
    return std::find(states.begin(), states.end(), true) != states.end();
}

std::vector<std::size_t> Glob::matching_prefixes(std::string_view text) const {
    std::vector<std::size_t> lengths;
    States states = initial();
    if (states.back())
        lengths.push_back(0);
    for (std::size_t i = 0; i < text.size() && is_alive(states); ++i) {
        states = step(states, text[i]);
        if (states.back())
            lengths.push_back(i + 1);
    }
    return lengths;
}

bool Glob::matches(std::string_view text) const {
    const auto lengths = matching_prefixes(text);
    return !lengths.empty() && lengths.back() == text.size();
}

bool Glob::matches_at_or_above(std::string_view path) const {
    const auto lengths = matching_prefixes(path);
    return std::any_of(lengths.begin(), lengths.end(), [&](std::size_t length) {
        return length != 0 && (length == path.size() || path[length] == '/');
    });
}

bool Glob::may_match_below(std::string_view text) const {
    States states = initial();
    for (const char c : text)
        states = step(states, c);
    return is_alive(states);
}

Glob Glob::reversed() const {
    Glob glob = *this;
    std::reverse(glob.tokens_.begin(), glob.tokens_.end());
    return glob;
}

bool has_wildcards(std::string_view path) {
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] == '*' || path[i] == '?' || path[i] == '[')
            return true;
        if (path[i] == '\\')
            ++i;
    }
    return false;
}

}  // namespace stack::build
