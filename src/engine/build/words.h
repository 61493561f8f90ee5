#pragma once

// Splitting the arguments of an instruction. Words are views or keep their offset, so that a
// complaint about one can be located.

#include <string>
#include <string_view>
#include <vector>

namespace stack::build {

struct Word {
    std::string text;
    std::string_view span;  // where it stands in the line
};

[[nodiscard]] inline bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/// Words between blanks; quotes mean nothing here.
[[nodiscard]] std::vector<std::string_view> blank_separated(std::string_view line);

/// Words in which quotes and escapes protect blanks. Quotes and escapes stay in the word: expansion
/// removes them.
[[nodiscard]] std::vector<Word> quoted_words(std::string_view line, char escape);

struct Flags {
    std::vector<Word> words;  // each begins with `--`; quotes and escapes are removed
    std::string_view rest;    // what follows them
};

/// The `--name[=value]` words at the start of an instruction's arguments; a lone `--` ends them.
[[nodiscard]] Flags leading_flags(std::string_view line);

}  // namespace stack::build
