#include "engine/build/glob.h"

#include <algorithm>
#include <optional>

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

std::vector<bool> Glob::prefix_matches(std::string_view text) const {
    std::vector<bool> matched;
    States states = initial();
    matched.push_back(states.back());
    for (const char c : text) {
        states = step(states, c);
        matched.push_back(states.back());
    }
    return matched;
}

bool Glob::matches(std::string_view text) const {
    return prefix_matches(text).back();
}

bool Glob::may_match_below(std::string_view text) const {
    States states = initial();
    for (const char c : text)
        states = step(states, c);
    return std::find(states.begin(), states.end(), true) != states.end();
}

Glob Glob::reversed() const {
    Glob glob = *this;
    std::reverse(glob.tokens_.begin(), glob.tokens_.end());
    return glob;
}

namespace {

constexpr std::size_t longest_pattern = 4096;  // bytes; keeps text x pattern within reason

/// The length of the shortest or longest prefix of `text` that matches; npos where none does.
std::size_t matching_prefix(const Glob& glob, std::string_view text, bool longest) {
    const auto matched = glob.prefix_matches(text);
    if (longest) {
        const auto found = std::find(matched.rbegin(), matched.rend(), true);
        return found == matched.rend() ? std::string::npos
                                       : static_cast<std::size_t>(matched.rend() - found) - 1;
    }
    const auto found = std::find(matched.begin(), matched.end(), true);
    return found == matched.end() ? std::string::npos
                                  : static_cast<std::size_t>(found - matched.begin());
}

std::optional<Glob> shell_pattern(const std::string& pattern) {
    if (pattern.size() > longest_pattern)
        return std::nullopt;
    const auto glob = Glob::compile(pattern, GlobStyle::shell);
    return glob ? std::optional(*glob) : std::nullopt;
}

}  // namespace

std::string without_prefix(const std::string& text, const std::string& pattern, bool longest) {
    const auto glob = shell_pattern(pattern);
    const std::size_t size = glob ? matching_prefix(*glob, text, longest) : std::string::npos;
    return size == std::string::npos ? text : text.substr(size);
}

std::string without_suffix(const std::string& text, const std::string& pattern, bool longest) {
    const auto glob = shell_pattern(pattern);
    const std::string backwards(text.rbegin(), text.rend());
    const std::size_t size =
        glob ? matching_prefix(glob->reversed(), backwards, longest) : std::string::npos;
    return size == std::string::npos ? text : text.substr(0, text.size() - size);
}

std::string replace_matches(const std::string& text,
                            const std::string& pattern,
                            const std::string& replacement,
                            bool everywhere) {
    const auto glob = shell_pattern(pattern);
    constexpr std::size_t longest_text = 16384;  // a match is tried at each character
    if (!glob || pattern.empty() || text.size() > longest_text)
        return text;
    std::string result;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t size = matching_prefix(*glob, std::string_view(text).substr(at), true);
        if (size == std::string::npos || size == 0) {
            result += text[at++];
            continue;
        }
        result += replacement;
        at += size;
        if (!everywhere)
            break;
    }
    return result + text.substr(at);
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
