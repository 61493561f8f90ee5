#include "loader/dotenv.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace stack::loader {
namespace {

bool in_key(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           static_cast<unsigned char>(c) >= 0x80U ||  // letters of all the world
           std::string_view("_.-[]").find(c) != std::string_view::npos;
}

/// The value of `digits` as three octal ones; nullopt where they are none, or too many for a byte.
std::optional<unsigned> octal_byte(std::string_view digits) {
    unsigned value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
    const bool is_whole = digits.size() == 3 && end == digits.data() + digits.size();
    return is_whole && error == std::errc{} && value <= 0xFFU ? std::optional(value) : std::nullopt;
}

class Parser {
  public:
    Parser(const std::string& file,
           std::string_view text,
           const Variables& above,
           const Variables& below,
           Reporter& reporter)
        : file_(file), text_(text), above_(above), below_(below), reporter_(reporter) {
        if (text_.starts_with("\xEF\xBB\xBF"))
            text_.remove_prefix(3);
    }

    std::vector<Assignment> run() {
        while (at_ < text_.size() && !reporter_.is_full() && written_ <= most_text)
            line();
        if (written_ > most_text) {
            complain("the variables up to here are larger than 32 MiB",
                     "is a variable put into itself again and again?");
            assignments_.clear();
        }
        return std::move(assignments_);
    }

  private:
    /// About the assignment that is being read.
    void complain(std::string message, std::string hint) {
        reporter_.error(place(), "env-file", std::move(message), std::move(hint));
    }

    /// Lines are counted once, from one place to the next.
    Location place() {
        const auto passed = text_.substr(counted_, begin_ - counted_);
        line_ += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
        counted_ = begin_;
        return {file_, line_, 1, 1};
    }

    [[nodiscard]] std::size_t line_end() const {
        return std::min(text_.find('\n', at_), text_.size());
    }

    void skip_blanks() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r'))
            ++at_;
    }

    void next_line() { at_ = std::min(line_end() + 1, text_.size()); }

    void line() {
        begin_ = at_;
        skip_blanks();
        if (at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '#') {
            next_line();
            return;
        }
        constexpr std::string_view word = "export";
        if (const auto rest = text_.substr(at_);
            rest.starts_with(word) && rest.size() > word.size() &&
            (rest[word.size()] == ' ' || rest[word.size()] == '\t'))
            at_ += word.size();
        skip_blanks();
        const std::size_t begin = at_;
        while (at_ < text_.size() && in_key(text_[at_]))
            ++at_;
        const std::string key(text_.substr(begin, at_ - begin));
        skip_blanks();
        if (key.empty() ||
            (at_ < text_.size() && text_[at_] != '=' && text_[at_] != ':' && text_[at_] != '\n')) {
            complain("a line of the form NAME=value is expected",
                     "a name is letters, digits, `_`, `.` and `-`");
            next_line();
            return;
        }
        if (at_ >= text_.size() || text_[at_] == '\n') {
            assignments_.emplace_back(key, std::nullopt);
            next_line();
            return;
        }
        ++at_;
        skip_blanks();
        value(key);
    }

    void value(const std::string& key) {
        const char quote = at_ < text_.size() ? text_[at_] : '\0';
        std::string text;
        if (quote == '\'' || quote == '"') {
            if (!quoted(quote, text))
                return;
        } else {
            const std::size_t end = line_end();
            std::string_view raw = text_.substr(at_, end - at_);
            if (const auto comment = raw.find(" #"); comment != std::string_view::npos)
                raw = raw.substr(0, comment);
            text = trim(raw);
        }
        next_line();
        if (quote != '\'') {
            std::set<std::string> unset;
            auto expanded = interpolate(
                text, [this](const std::string& name) { return look_up(name); }, unset);
            if (!expanded) {
                complain(key + ": " + expanded.error().message,
                         "write $$ for a dollar, or quote the value with '…'");
                return;
            }
            text = std::move(*expanded);
            for (const auto& name : unset)
                reporter_.warning(
                    place(),
                    "unset-variable",
                    "The \"" + name + "\" variable is not set. Defaulting to a blank string.");
        }
        written_ += text.size();
        own_[key] = text;
        assignments_.emplace_back(key, std::move(text));
    }

    bool quoted(char quote, std::string& text) {
        std::size_t i = at_ + 1;
        for (; i < text_.size() && text_[i] != quote; ++i) {
            const bool escapes = text_[i] == '\\' && i + 1 < text_.size();
            if (quote == '"' && escapes && text_[i + 1] == '0')
                text += octal_escape(i);
            else if (quote == '"' && escapes)
                text += escaped(text_[++i]);
            else if (escapes && text_[i + 1] == quote)
                text += text_[++i];
            else
                text += text_[i];
        }
        if (i >= text_.size()) {
            complain("the quoted value is never closed", std::string("add a closing ") + quote);
            at_ = text_.size();
            return false;
        }
        at_ = i + 1;
        return true;
    }

    static std::string escaped(char c) {
        if (c == '$')
            return "$$";  // interpolation comes after
        constexpr std::string_view letters = "abfnrtv\"\\";
        constexpr std::string_view meanings = "\a\b\f\n\r\t\v\"\\";
        const auto letter = letters.find(c);
        return letter == std::string_view::npos ? std::string("\\") + c
                                                : std::string(1, meanings[letter]);
    }

    /// Of `\0NNN`, whose backslash stands at `i`, the character; as it is, without its 0, where no
    /// three octal digits follow. `i` is moved to its last byte.
    std::string octal_escape(std::size_t& i) const {
        constexpr std::size_t most = 3;
        constexpr unsigned largest_ascii = 0x7F;
        std::string_view digits = text_.substr(i + 2, most);
        digits = digits.substr(0, std::min(digits.find_first_not_of("0123456789"), digits.size()));
        i += 1 + digits.size();
        const auto byte = octal_byte(digits);
        if (!byte)
            return "\\" + std::string(digits);
        if (*byte <= largest_ascii)
            return std::string(1, static_cast<char>(*byte));
        return {static_cast<char>(0xC0U | (*byte >> 6U)),
                static_cast<char>(0x80U | (*byte & 0x3FU))};
    }

    std::optional<std::string> look_up(const std::string& name) const {
        if (auto value = above_(name))
            return value;
        const auto own = own_.find(name);
        return own == own_.end() ? below_(name) : std::optional(own->second);
    }

    const std::string& file_;
    std::string_view text_;
    const Variables& above_;
    const Variables& below_;
    Reporter& reporter_;
    std::size_t at_ = 0;
    std::size_t begin_ = 0;    // of the assignment that is being read
    std::size_t counted_ = 0;  // up to where `line_` is counted
    int line_ = 1;
    std::size_t written_ = 0;  // bytes of all values
    std::map<std::string, std::string> own_;
    std::vector<Assignment> assignments_;
};

std::vector<Assignment> parse_raw(const std::string& text) {
    std::vector<Assignment> assignments;
    for (auto& line : split(text, '\n')) {
        if (line.ends_with('\r'))
            line.pop_back();
        const std::string_view trimmed = trim(line);
        if (trimmed.empty() || trimmed.starts_with('#'))
            continue;
        const auto equals = line.find('=');
        if (equals == std::string::npos)
            assignments.emplace_back(trimmed, std::nullopt);
        else
            assignments.emplace_back(trim(line.substr(0, equals)), line.substr(equals + 1));
    }
    return assignments;
}

}  // namespace

std::vector<Assignment> parse_dotenv(const std::string& file,
                                     const std::string& text,
                                     const Variables& above,
                                     const Variables& below,
                                     bool raw,
                                     Reporter& reporter) {
    return raw ? parse_raw(text) : Parser(file, text, above, below, reporter).run();
}

}  // namespace stack::loader
