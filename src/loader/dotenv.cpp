#include "loader/dotenv.h"

#include "base/text.h"

#include <algorithm>
#include <map>

namespace stack::loader {
namespace {

bool in_key(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.-[]").find(c) != std::string_view::npos;
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
        const auto line =
            1 +
            std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(begin_), '\n');
        reporter_.error(
            {file_, static_cast<int>(line), 1, 1}, "env-file", std::move(message), std::move(hint));
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
        }
        written_ += text.size();
        own_[key] = text;
        assignments_.emplace_back(key, std::move(text));
    }

    bool quoted(char quote, std::string& text) {
        std::size_t i = at_ + 1;
        for (; i < text_.size() && text_[i] != quote; ++i) {
            const bool escapes = text_[i] == '\\' && i + 1 < text_.size();
            if (quote == '"' && escapes)
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
        switch (c) {
            case 'n':
                return "\n";
            case 'r':
                return "\r";
            case 't':
                return "\t";
            case '$':
                return "$$";  // interpolation comes after
            case '"':
            case '\\':
                return std::string(1, c);
            default:
                return std::string("\\") + c;
        }
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
