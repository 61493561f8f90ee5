#include "engine/build/modifiers.h"

#include "engine/build/glob.h"

#include <algorithm>
#include <optional>

namespace stack::build {
namespace {

constexpr std::size_t most_work = std::size_t{1} << 26U;  // characters x tokens: some 0.3 s

/// What `pattern` matches; nothing, where it cannot be compiled.
std::optional<Glob> compiled(const std::string& pattern) {
    const auto glob = Glob::compile(pattern, GlobStyle::shell);
    return glob ? std::optional(*glob) : std::nullopt;
}

bool is_too_much(const std::string& text, const std::string& pattern) {
    return text.size() * pattern.size() > most_work;
}

tl::unexpected<Malformed> too_much(const std::string& text, const std::string& pattern) {
    return malformed("a value of " + std::to_string(text.size()) +
                     " bytes is too long for a pattern of " + std::to_string(pattern.size()));
}

/// The length of the shortest or longest prefix of `text` that matches.
std::optional<std::size_t> matching_prefix(const Glob& glob, std::string_view text, bool longest) {
    const auto lengths = glob.matching_prefixes(text);
    if (lengths.empty())
        return std::nullopt;
    return longest ? lengths.back() : lengths.front();
}

std::string backwards(const std::string& text) {
    return {text.rbegin(), text.rend()};
}

/// For each n in 0…size: whether a match begins at character n, seen from the end in one pass.
std::vector<bool> match_begins(const std::string& text, const std::string& pattern) {
    const auto from_here = compiled(pattern + "*");
    std::vector<bool> begins(text.size() + 1);
    for (const std::size_t length : from_here->reversed().matching_prefixes(backwards(text)))
        begins[text.size() - length] = true;
    return begins;
}

}  // namespace

Expected<std::string> without_prefix(const std::string& text,
                                     const std::string& pattern,
                                     bool longest) {
    if (is_too_much(text, pattern))
        return too_much(text, pattern);
    const auto glob = compiled(pattern);
    const auto size = glob ? matching_prefix(*glob, text, longest) : std::nullopt;
    return text.substr(size.value_or(0));
}

Expected<std::string> without_suffix(const std::string& text,
                                     const std::string& pattern,
                                     bool longest) {
    if (is_too_much(text, pattern))
        return too_much(text, pattern);
    const auto glob = compiled(pattern);
    const auto size =
        glob ? matching_prefix(glob->reversed(), backwards(text), longest) : std::nullopt;
    return text.substr(0, text.size() - size.value_or(0));
}

// A match is looked for only where one begins. One that has a `*` ends where the last can end, so
// nothing follows it; any other is as long as its pattern: all in all each character is seen about
// once by each token.
Expected<std::string> replace_matches(const std::string& text,
                                      const std::string& pattern,
                                      const std::string& replacement,
                                      bool everywhere,
                                      std::size_t limit) {
    if (is_too_much(text, pattern))
        return too_much(text, pattern);
    const auto glob = compiled(pattern);
    if (!glob || pattern.empty())
        return text;
    const auto begins = match_begins(text, pattern);
    std::string result;
    std::size_t at = 0;
    bool done = false;
    while (at < text.size() && result.size() <= limit) {
        std::size_t size = 0;
        if (begins[at] && !done)
            size = matching_prefix(*glob, std::string_view(text).substr(at), true).value_or(0);
        if (size == 0) {
            result += text[at++];
            continue;
        }
        result += replacement;
        at += size;
        done = !everywhere;
    }
    if (result.size() > limit)
        return malformed("the result is longer than " + std::to_string(limit) + " bytes");
    return result;
}

}  // namespace stack::build
