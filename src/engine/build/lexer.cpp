#include "engine/build/lexer.h"

#include "base/text.h"
#include "engine/build/words.h"

#include <algorithm>
#include <optional>
#include <set>

namespace stack::build {
namespace {

constexpr std::size_t longest_line = 65535;  // bytes; the limit of the reference implementation
constexpr std::size_t most_statements = 10000;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

int characters(std::string_view text) {
    return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

std::string_view without_leading_blanks(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size() && is_blank(line[at]))
        ++at;
    return line.substr(at);
}

bool is_comment(std::string_view line) {
    return without_leading_blanks(line).starts_with('#');
}

std::string_view without_newline(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

std::string_view without_leading_tabs(std::string_view line) {
    return line.substr(std::min(line.find_first_not_of('\t'), line.size()));
}

/// A piece of a heredoc's name with its quotes removed; nullopt where a quote is not closed or it
/// is several words.
std::optional<std::string> unquoted_name(std::string_view text, bool& quoted) {
    std::string name;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == quote) {
            quote = 0;
        } else if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
            quoted = true;
        } else if (c == '\\' && quote != '\'') {
            quoted = true;
            if (i + 1 < text.size())
                name += text[++i];
        } else if (quote == 0 && is_blank(c)) {
            return std::nullopt;
        } else {
            name += c;
        }
    }
    return quote == 0 ? std::optional(name) : std::nullopt;
}

/// `# name = value`, as parser directives are written.
std::optional<std::pair<std::string, std::string>> directive(std::string_view line) {
    if (!line.starts_with('#'))
        return std::nullopt;
    const auto [name, value] = split_once(line.substr(1), '=');
    const std::string key = to_lower(trim(name));
    const std::string text(trim(value));
    const bool is_name = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    });
    if (!is_name || text.empty())
        return std::nullopt;
    return std::pair(key, text);
}

class Lexer {
  public:
    Lexer(std::string_view text, const std::string& file) : file_(file) {
        if (text.starts_with(byte_order_mark))
            text.remove_prefix(byte_order_mark.size());
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
            lines_.push_back(text.substr(0, end));
            text.remove_prefix(end);
        }
    }

    Lexed run() {
        if (!lines_are_short())
            return std::move(result_);
        read_directives();
        while (next_ < lines_.size() && result_.statements.size() < most_statements)
            read_statement();
        if (next_ < lines_.size())
            complain(next_, "too-long", "a Dockerfile has at most 10000 instructions");
        else if (result_.statements.empty() && result_.diagnostics.empty())
            result_.diagnostics.push_back({Severity::error,
                                           "empty-dockerfile",
                                           "the Dockerfile has no instructions",
                                           {file_},
                                           {},
                                           {}});
        return std::move(result_);
    }

  private:
    void complain(std::size_t index, const char* code, std::string message, std::string hint = {}) {
        const auto length = characters(trim(lines_[index]));
        const Location at{file_, static_cast<int>(index) + 1, 1, std::max(length, 1)};
        result_.diagnostics.push_back(
            {Severity::error, code, std::move(message), at, std::move(hint), {}});
    }

    bool lines_are_short() {
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            if (lines_[i].size() <= longest_line)
                continue;
            complain(i, "line-too-long", "the line is longer than 65535 bytes");
            return false;
        }
        return true;
    }

    void read_directives() {
        std::set<std::string> seen;
        for (std::size_t i = 0; i < lines_.size(); ++i) {
            const std::string_view line = without_newline(lines_[i]);
            if (i == 0 && line.starts_with("#!"))
                continue;
            const auto found = directive(line);
            if (!found)
                return;
            const auto& [name, value] = *found;
            if (name != "syntax" && name != "escape" && name != "check")
                return;  // a comment like any other
            if (!seen.insert(name).second)
                complain(i, "duplicate-directive", "the directive `" + name + "` is given twice");
            if (name == "escape")
                set_escape(i, value);
            if (name == "check")
                set_check(i, value);
        }
    }

    void set_escape(std::size_t index, const std::string& value) {
        if (value == "\\" || value == "`")
            result_.escape = value.front();
        else
            complain(index, "bad-directive", "the escape character is \\ or `, not " + value);
    }

    void set_check(std::size_t index, const std::string& value) {
        const auto options = parse_check_options(value);
        if (options)
            result_.check = *options;
        else
            complain(index, "bad-directive", options.error().message);
    }

    /// Takes the escape that continues a line away. A doubled escape continues nothing.
    bool is_continued(std::string_view& line) const {
        std::string_view end = line;
        while (end.ends_with(' ') || end.ends_with('\t'))
            end.remove_suffix(1);
        if (!end.ends_with(result_.escape))
            return false;
        end.remove_suffix(1);
        if (end.ends_with(result_.escape))
            return false;
        line = end;
        return true;
    }

    void read_statement() {
        const std::size_t first = next_++;
        const std::string_view whole = without_newline(lines_[first]);
        if (is_comment(whole) || without_leading_blanks(whole).empty())
            return;
        std::string_view line = without_leading_blanks(whole);
        Statement statement(file_, static_cast<int>(first) + 1);
        bool continued = is_continued(line);
        statement.append(
            line,
            static_cast<int>(first) + 1,
            characters(whole.substr(0, whole.size() - without_leading_blanks(whole).size())) + 1);
        while (continued && next_ < lines_.size())
            continued = read_continuation(statement);
        if (statement.text.empty())
            return;
        read_heredocs(statement, first);
        for (std::size_t i = first; i < next_; ++i)
            statement.source += lines_[i];
        result_.statements.push_back(std::move(statement));
    }

    bool read_continuation(Statement& statement) {
        const std::size_t index = next_++;
        std::string_view line = without_newline(lines_[index]);
        if (is_comment(line))
            return true;
        if (without_leading_blanks(line).empty()) {
            const Location at{file_, static_cast<int>(index) + 1, 1, 1};
            result_.diagnostics.push_back({Severity::warning,
                                           "NoEmptyContinuation",
                                           "an empty line inside an instruction",
                                           at,
                                           "remove it, or begin it with #",
                                           {}});
            return true;
        }
        const bool continued = is_continued(line);
        statement.append(line, static_cast<int>(index) + 1, 1);
        return continued;
    }

    static bool may_have_heredocs(std::string_view text) {
        auto words = blank_separated(text);
        std::size_t first = 0;
        if (!words.empty() && to_lower(words[0]) == "onbuild")
            first = 1;
        if (first >= words.size() || text.find("<<") == std::string_view::npos)
            return false;
        const std::string name = to_lower(words[first]);
        if (name != "run" && name != "copy" && name != "add")
            return false;
        const std::string_view after = text.substr(
            static_cast<std::size_t>(words[first].data() + words[first].size() - text.data()));
        return !leading_flags(after).rest.starts_with('[');
    }

    void read_heredocs(Statement& statement, std::size_t first) {
        if (!may_have_heredocs(statement.text))
            return;
        for (const auto& word : quoted_words(statement.text, '\\')) {
            HeredocWord found;
            if (parse_heredoc_word(word.text, found))
                read_heredoc(statement, found, first);
        }
    }

    void read_heredoc(Statement& statement, const HeredocWord& word, std::size_t first) {
        Heredoc heredoc{word.name, {}, word.expand};
        while (next_ < lines_.size()) {
            std::string_view line = lines_[next_++];
            if (word.strip_tabs)
                line = without_leading_tabs(line);
            if (without_newline(line) == word.name) {
                statement.heredocs.push_back(std::move(heredoc));
                return;
            }
            heredoc.content += line;
        }
        complain(first,
                 "unterminated-heredoc",
                 "the heredoc `" + word.name + "` does not end",
                 "a line with nothing but " + word.name + " ends it");
    }

    std::string file_;
    std::vector<std::string_view> lines_;  // each with its newline
    std::size_t next_ = 0;
    Lexed result_;
};

}  // namespace

void Statement::append(std::string_view piece, int line, int column) {
    origins_.push_back({text.size(), line, column});
    text += piece;
}

Location Statement::locate(std::string_view part) const {
    const auto offset = static_cast<std::size_t>(part.data() - text.data());
    const Origin* from = &origins_.front();
    for (const auto& origin : origins_) {
        if (origin.offset <= offset)
            from = &origin;
    }
    const auto before = std::string_view(text).substr(from->offset, offset - from->offset);
    return {file_, from->line, from->column + characters(before), std::max(characters(part), 1)};
}

bool parse_heredoc_word(std::string_view word, HeredocWord& found) {
    word.remove_prefix(std::min(word.find_first_not_of("0123456789"), word.size()));
    if (!word.starts_with("<<"))
        return false;
    word.remove_prefix(2);
    found.strip_tabs = word.starts_with('-');
    word.remove_prefix(found.strip_tabs ? 1 : 0);
    if (word.empty() || word.find('<') != std::string_view::npos)
        return false;
    bool quoted = false;
    const auto name = unquoted_name(word, quoted);
    if (!name || name->empty())
        return false;
    found.name = *name;
    found.expand = !quoted;
    return true;
}

Lexed lex(std::string_view text, const std::string& file) {
    return Lexer(text, file).run();
}

}  // namespace stack::build
