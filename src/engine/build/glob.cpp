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
    glob.find_prefix();
    return glob;
}

void Glob::find_prefix() {
    first_ = !tokens_.empty() && tokens_.front().kind == Kind::directories ? 1 : 0;
    prefix_.clear();
    for (auto token = tokens_.begin() + static_cast<std::ptrdiff_t>(first_);
         token != tokens_.end() && token->kind == Kind::one;
         ++token)
        prefix_ += token->c;
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

// State 2i: before token i. State 2i+1: inside `directories` token i, which only a slash can leave.

/// With those that need no character: tokens that may match nothing are passed.
void Glob::add(State state, States& states) const {
    for (;; state += 2) {
        const auto place = std::lower_bound(states.begin(), states.end(), state);
        if (place != states.end() && *place == state)
            return;
        states.insert(place, state);
        if (state % 2 != 0 || is_last(state))
            return;
        const Kind kind = tokens_[state / 2].kind;
        if (kind != Kind::many && kind != Kind::rest && kind != Kind::directories)
            return;
    }
}

void Glob::step(const States& states, char c, States& next) const {
    next.clear();
    for (const State state : states) {
        if (is_last(state))
            continue;
        const State i = state / 2;
        const Token& token = tokens_[i];
        if (token.kind == Kind::directories) {
            add(2 * i + 1, next);
            if (c == '/')
                add(2 * (i + 1), next);
        } else if (accepts(token, c)) {
            const bool repeats = token.kind == Kind::many || token.kind == Kind::rest;
            add(repeats ? 2 * i : 2 * (i + 1), next);
        }
    }
}

template <class Wanted>
bool Glob::has_end(std::string_view text, std::size_t begin, State first, Wanted wanted) const {
    const auto is_match = [this](const States& states) {
        return !states.empty() && is_last(states.back());
    };
    States states;
    States next;
    add(first, states);
    if (is_match(states) && wanted(begin))
        return true;
    for (std::size_t i = begin; i < text.size() && !states.empty(); ++i) {
        step(states, text[i], next);
        states.swap(next);
        if (is_match(states) && wanted(i + 1))
            return true;
    }
    return false;
}

std::vector<std::size_t> Glob::matching_prefixes(std::string_view text) const {
    std::vector<std::size_t> lengths;
    has_end(text, 0, 0, [&](std::size_t end) {
        lengths.push_back(end);
        return false;
    });
    return lengths;
}

bool Glob::matches(std::string_view text) const {
    const auto is_all = [&](std::size_t end) { return end == text.size(); };
    if (first_ != 0)
        return has_end(text, 0, 0, is_all);
    return text.starts_with(prefix_) && has_end(text, prefix_.size(), 2 * prefix_.size(), is_all);
}

bool Glob::matches_at_or_above(std::string_view path) const {
    const auto matches_from = [&](std::size_t begin) {
        const auto is_path = [&](std::size_t end) {
            return end != 0 && (end == path.size() || path[end] == '/');
        };
        return path.substr(begin).starts_with(prefix_) &&
               has_end(path, begin + prefix_.size(), 2 * (first_ + prefix_.size()), is_path);
    };
    if (first_ == 0)
        return matches_from(0);
    std::size_t name = 0;  // where it begins
    while (!matches_from(name)) {
        const auto slash = path.find('/', name);
        if (slash == std::string_view::npos)
            return false;
        name = slash + 1;
    }
    return true;
}

bool Glob::may_match_below(std::string_view text) const {
    if (first_ != 0)
        return true;
    const std::size_t shared = std::min(text.size(), prefix_.size());
    if (text.substr(0, shared) != std::string_view(prefix_).substr(0, shared))
        return false;
    States states;
    States next;
    add(2 * shared, states);
    for (std::size_t i = shared; i < text.size() && !states.empty(); ++i) {
        step(states, text[i], next);
        states.swap(next);
    }
    return !states.empty();
}

Glob Glob::reversed() const {
    Glob glob = *this;
    std::reverse(glob.tokens_.begin(), glob.tokens_.end());
    glob.find_prefix();
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
