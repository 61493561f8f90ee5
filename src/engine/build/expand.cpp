#include "engine/build/expand.h"

#include "engine/build/modifiers.h"
#include "engine/build/words.h"

#include <optional>

namespace stack::build {
namespace {

constexpr int deepest_nesting = 32;
constexpr std::size_t longest_result = 1U << 20U;  // bytes

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Letters, as names have them; whatever is not ASCII counts as one.
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool is_special_parameter(char c) {
    return std::string_view("@*#?-$!0").find(c) != std::string_view::npos;
}

/// Collects the result, as one text and as words.
class Collector {
  public:
    void add(char c, bool protects) {
        text_ += c;
        if (!protects && is_blank(c)) {
            end_word();
            return;
        }
        words_.back() += c;
        open_ = true;
    }

    void add(std::string_view value, bool protects) {
        for (const char c : value)
            add(c, protects);
    }

    /// A pair of quotes makes a word even when nothing is between them.
    void quote() { open_ = true; }

    [[nodiscard]] std::size_t size() const { return text_.size(); }

    [[nodiscard]] std::string text() && { return std::move(text_); }

    [[nodiscard]] Strings words() && {
        if (!open_)
            words_.pop_back();
        return std::move(words_);
    }

  private:
    void end_word() {
        if (open_)
            words_.emplace_back();
        open_ = false;
    }

    std::string text_;
    Strings words_{""};
    bool open_ = false;
};

/// Reads on after a mistake as if the text had ended there; the first mistake counts.
class Expander {
  public:
    Expander(std::string_view text, const StringMap& variables, char escape, Quotes quotes)
        : text_(text), variables_(variables), escape_(escape), quotes_(quotes) {}

    [[nodiscard]] const std::optional<Malformed>& mistake() const { return mistake_; }

    /// Up to `stop` (not part of the result) or the end of the text, where `stop` is 0.
    void run(Collector& out, char stop, bool raw_escapes) {
        while (!at_end()) {
            const char c = peek();
            if (stop != 0 && c == stop) {
                ++at_;
                return;
            }
            if (c == '$')
                read_dollar(out, false);
            else if (c == '\'' && quotes_ == Quotes::removed)
                read_single_quoted(out);
            else if (c == '"' && quotes_ == Quotes::removed)
                read_double_quoted(out, raw_escapes);
            else
                read_plain(out, raw_escapes);
            if (out.size() > longest_result)
                return fail("the result is longer than " + std::to_string(longest_result) +
                            " bytes");
        }
        if (stop != 0)
            fail(std::string("`") + stop + "` is missing");
    }

  private:
    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void fail(std::string message) {
        if (!mistake_)
            mistake_ = Malformed{std::move(message), at_};
        at_ = text_.size();
    }

    void read_plain(Collector& out, bool raw_escapes) {
        const char c = text_[at_++];
        if (c != escape_) {
            out.add(c, false);
            return;
        }
        if (at_end())
            return;  // an escape at the end escapes nothing
        if (raw_escapes)
            out.add(c, true);
        out.add(text_[at_++], true);
    }

    void read_single_quoted(Collector& out) {
        const auto end = text_.find('\'', at_ + 1);
        if (end == std::string_view::npos)
            return fail("a single quote is not closed");
        out.quote();
        out.add(text_.substr(at_ + 1, end - at_ - 1), true);
        at_ = end + 1;
    }

    void read_double_quoted(Collector& out, bool raw_escapes) {
        ++at_;
        out.quote();
        while (!at_end() && peek() != '"') {
            if (peek() == '$') {
                read_dollar(out, true);
                continue;
            }
            const char c = text_[at_++];
            const bool escapes =
                c == escape_ && (peek() == '"' || peek() == '$' || peek() == escape_);
            if (!escapes || raw_escapes)
                out.add(c, true);
            if (escapes)
                out.add(text_[at_++], true);
        }
        if (at_end())
            fail("a double quote is not closed");
        else
            ++at_;
    }

    std::string read_name() {
        const std::size_t begin = at_;
        if (is_digit(peek())) {
            while (is_digit(peek()))
                ++at_;
        } else if (is_special_parameter(peek())) {
            ++at_;
        } else {
            while (!at_end() && (is_letter(peek()) || is_digit(peek()) || peek() == '_'))
                ++at_;
        }
        return std::string(text_.substr(begin, at_ - begin));
    }

    [[nodiscard]] std::optional<std::string> value_of(const std::string& name) const {
        const auto found = variables_.find(name);
        return found == variables_.end() ? std::nullopt : std::optional(found->second);
    }

    void read_dollar(Collector& out, bool quoted) {
        ++at_;
        if (peek() != '{') {
            const std::string name = read_name();
            out.add(name.empty() ? "$" : value_of(name).value_or(""), quoted);
            return;
        }
        ++at_;
        if (at_end())
            return fail("`}` is missing");
        if (peek() == '{' || peek() == '}' || peek() == ':')
            return fail("a name is missing in `${…}`");
        if (++depth_ > deepest_nesting)
            return fail("variables are nested deeper than 32");
        const std::string name = read_name();
        out.add(read_modifier(name), quoted);
        --depth_;
    }

    /// What follows the name in `${name…}`, to the closing brace.
    std::string read_modifier(const std::string& name) {
        if (at_end())
            return missing_brace();
        char modifier = text_[at_++];
        const bool empty_is_unset = modifier == ':';
        if (empty_is_unset && !at_end())
            modifier = text_[at_++];
        auto value = value_of(name);
        if (modifier == '}' && !empty_is_unset)
            return value.value_or("");
        if (empty_is_unset && value && value->empty())
            value.reset();
        if (modifier == '-' || modifier == '+' || modifier == '?')
            return choose(name, value, modifier);
        if (!empty_is_unset && (modifier == '#' || modifier == '%'))
            return trim_pattern(value.value_or(""), modifier);
        if (!empty_is_unset && modifier == '/')
            return replace_pattern(value.value_or(""));
        --at_;
        fail(std::string("`") + (empty_is_unset ? ":" : "") + modifier +
             "` is not a modifier of a variable");
        return {};
    }

    std::string missing_brace() {
        fail("`}` is missing");
        return {};
    }

    std::string read_word(char stop, bool raw_escapes) {
        Collector word;
        run(word, stop, raw_escapes);
        return std::move(word).text();
    }

    std::string choose(const std::string& name,
                       const std::optional<std::string>& value,
                       char modifier) {
        const std::string word = read_word('}', false);
        if (modifier == '-')
            return value.value_or(word);
        if (modifier == '+')
            return value ? word : "";
        if (!value)
            fail(name + ": " + (word.empty() ? "not allowed to be unset" : word));
        return value.value_or("");
    }

    std::string trim_pattern(const std::string& value, char side) {
        std::string pattern = read_word('}', true);
        const bool longest = pattern.starts_with(side);
        if (longest)
            pattern.erase(0, 1);
        return checked(side == '#' ? without_prefix(value, pattern, longest)
                                   : without_suffix(value, pattern, longest));
    }

    std::string replace_pattern(const std::string& value) {
        const bool everywhere = peek() == '/';
        if (everywhere)
            ++at_;
        const std::string pattern = read_word('/', true);
        const std::string replacement = read_word('}', false);
        return checked(replace_matches(value, pattern, replacement, everywhere, longest_result));
    }

    std::string checked(Expected<std::string> value) {
        if (value)
            return std::move(*value);
        fail(value.error().message);
        return {};
    }

    std::string_view text_;
    const StringMap& variables_;
    char escape_;
    Quotes quotes_;
    std::size_t at_ = 0;
    int depth_ = 0;
    std::optional<Malformed> mistake_;
};

Expected<Collector> collect(std::string_view text,
                            const StringMap& variables,
                            char escape,
                            Quotes quotes) {
    Collector collected;
    Expander expander(text, variables, escape, quotes);
    expander.run(collected, 0, false);
    if (expander.mistake())
        return tl::unexpected(*expander.mistake());
    return collected;
}

}  // namespace

Expected<std::string> expand(std::string_view text,
                             const StringMap& variables,
                             char escape,
                             Quotes quotes) {
    auto collected = collect(text, variables, escape, quotes);
    if (!collected)
        return tl::unexpected(collected.error());
    return std::move(*collected).text();
}

Expected<Strings> expand_words(std::string_view text, const StringMap& variables, char escape) {
    auto collected = collect(text, variables, escape, Quotes::removed);
    if (!collected)
        return tl::unexpected(collected.error());
    return std::move(*collected).words();
}

}  // namespace stack::build
