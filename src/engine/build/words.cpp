#include "engine/build/words.h"

namespace stack::build {
namespace {

std::size_t skip_blanks(std::string_view line, std::size_t at) {
    while (at < line.size() && is_blank(line[at]))
        ++at;
    return at;
}

/// The end of the word that begins at `at`, and its text with quotes and escapes kept.
std::size_t read_quoted_word(std::string_view line,
                             std::size_t at,
                             char escape,
                             std::string& text) {
    char quote = 0;
    for (; at < line.size(); ++at) {
        const char c = line[at];
        if (quote == 0 && is_blank(c))
            break;
        if (c == escape && quote != '\'') {
            if (at + 1 == line.size())
                return line.size();  // an escape at the end of the line escapes nothing
            text += c;
            text += line[++at];
            continue;
        }
        if (quote == 0 && (c == '\'' || c == '"'))
            quote = c;
        else if (c == quote)
            quote = 0;
        text += c;
    }
    return at;
}

/// As above for flags: quotes and backslashes go.
std::size_t read_flag(std::string_view line, std::size_t at, std::string& text) {
    char quote = 0;
    for (; at < line.size(); ++at) {
        const char c = line[at];
        if (quote == 0 && is_blank(c))
            break;
        if (c == quote)
            quote = 0;
        else if (quote == 0 && (c == '\'' || c == '"'))
            quote = c;
        else if (c != '\\')
            text += c;
        else if (at + 1 < line.size())
            text += line[++at];
    }
    return at;
}

}  // namespace

std::vector<std::string_view> blank_separated(std::string_view line) {
    std::vector<std::string_view> words;
    for (std::size_t at = skip_blanks(line, 0); at < line.size(); at = skip_blanks(line, at)) {
        const std::size_t begin = at;
        while (at < line.size() && !is_blank(line[at]))
            ++at;
        words.push_back(line.substr(begin, at - begin));
    }
    return words;
}

std::vector<Word> quoted_words(std::string_view line, char escape) {
    std::vector<Word> words;
    for (std::size_t at = skip_blanks(line, 0); at < line.size(); at = skip_blanks(line, at)) {
        Word word;
        const std::size_t end = read_quoted_word(line, at, escape, word.text);
        word.span = line.substr(at, end - at);
        at = end;
        if (!word.text.empty())
            words.push_back(std::move(word));
    }
    return words;
}

Flags leading_flags(std::string_view line) {
    Flags flags;
    std::size_t at = skip_blanks(line, 0);
    while (line.substr(at).starts_with("--")) {
        Word word;
        const std::size_t end = read_flag(line, at, word.text);
        word.span = line.substr(at, end - at);
        at = skip_blanks(line, end);
        if (word.text == "--")
            break;
        flags.words.push_back(std::move(word));
    }
    flags.rest = line.substr(at);
    return flags;
}

}  // namespace stack::build
