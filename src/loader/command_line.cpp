#include "loader/command_line.h"

namespace stack::loader {
namespace {

class Words {
  public:
    explicit Words(std::string_view text) : text_(text) {}

    Expected<CommandLine> read() {
        for (at_ = 0; at_ < text_.size() && !line_.end && !misplaced_; ++at_)
            take(text_[at_]);
        if (misplaced_)
            return malformed("a parenthesis has no meaning here: quote it", *misplaced_);
        if (quote_ != '\0')
            return malformed("what opens here is never closed", opened_);
        if (escapes_)
            return malformed("a backslash stands at the end", text_.size() - 1);
        end_word();
        return std::move(line_);
    }

  private:
    void take(char c) {
        constexpr char substitution = ')';  // what closes $(…)
        const bool is_open = quote_ != '\0';
        if (escapes_) {
            add(c == 't' ? '\t' : c == 'n' ? '\n' : c);
            escapes_ = false;
        } else if (c == '\\' && quote_ != '\'') {
            escapes_ = true;
        } else if (is_open && c == quote_) {
            if (c == '`' || c == substitution)
                add(c);
            quote_ = '\0';
        } else if (is_open) {
            add(c);
        } else if (c == '\'' || c == '"' || c == '`') {
            open(c);
            if (c == '`')
                add(c);
        } else if (c == '(' && word_.ends_with('$')) {
            open(substitution);
            add(c);
        } else if (c == '(' || c == ')') {
            misplaced_ = at_;
        } else if (std::string_view(";&|<>").find(c) != std::string_view::npos) {
            end_at(c);
        } else if (std::string_view(" \t\r\n").find(c) != std::string_view::npos) {
            end_word();
        } else {
            add(c);
        }
    }

    void open(char quote) {
        quote_ = quote;
        opened_ = at_;
        in_word_ = true;
    }

    void add(char c) {
        word_ += c;
        in_word_ = true;
    }

    void end_at(char c) {
        line_.end = at_;
        if (c == '>' && !word_.empty() && word_[0] >= '0' && word_[0] <= '9') {
            word_.clear();  // a descriptor, as in 2>
            in_word_ = false;
        }
    }

    void end_word() {
        if (in_word_)
            line_.words.push_back(std::move(word_));
        word_.clear();
        in_word_ = false;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    CommandLine line_;
    std::string word_;
    bool in_word_ = false;
    bool escapes_ = false;
    char quote_ = '\0';       // what would close what is open
    std::size_t opened_ = 0;  // where it was
    std::optional<std::size_t> misplaced_;
};

}  // namespace

Expected<CommandLine> parse_command_line(std::string_view text) {
    return Words(text).read();
}

}  // namespace stack::loader
