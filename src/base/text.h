#pragma once

// Small things done with strings.

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stack {

[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
/// The two halves around the first `separator`; the second is empty where there is none.
[[nodiscard]] std::pair<std::string, std::string> split_once(std::string_view text, char separator);
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);
[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] std::string replace_all(std::string text,
                                      std::string_view what,
                                      std::string_view with);
/// How many characters the UTF-8 bytes of `text` are.
[[nodiscard]] std::size_t characters(std::string_view text);
/// Where the first byte stands that is not UTF-8; npos where all are.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text);
[[nodiscard]] std::string to_hex(std::string_view bytes);

/// The number that `text` is, all of it; nullopt otherwise. Decimal digits only, no sign unless `T`
/// has one.
template <class T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

/// Words of a command line as a POSIX shell splits them (quotes and backslashes, no expansion).
/// Throws nothing; an unterminated quote takes the rest of the line.
[[nodiscard]] std::vector<std::string> split_words(std::string_view line);

/// The candidate closest to `word` by Damerau-Levenshtein distance, where it is close enough to be
/// what was meant; "" otherwise, and among so many candidates that nobody would look through them.
[[nodiscard]] std::string closest(std::string_view word,
                                  const std::vector<std::string>& candidates);

}  // namespace stack
