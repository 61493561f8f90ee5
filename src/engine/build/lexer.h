#pragma once

// A Dockerfile as a sequence of statements: directives read, comments gone, continued lines joined,
// heredocs collected. What a statement means is dockerfile.h's; every character keeps the place it
// was written at.

#include <stack/diagnostics.h>

#include "engine/build/check_options.h"

#include <string>
#include <string_view>
#include <vector>

namespace stack::build {

/// A file written in place. `content` has its leading tabs removed where `<<-` asked for that.
struct Heredoc {
    std::string name;
    std::string content;
    bool expand = true;  // no part of the name was quoted

    bool operator==(const Heredoc&) const = default;
};

/// One instruction with its arguments as a single line.
class Statement {
  public:
    std::string text;
    std::vector<Heredoc> heredocs;
    std::string source;  // the lines as they stand in the file, heredocs included

    Statement(std::string file, int line) : file_(std::move(file)), line_(line) {}

    /// Appends a piece of a source line. `column` is the piece's place in that line.
    void append(std::string_view piece, int line, int column);

    /// Where `part`, a view into `text`, stands in the file.
    [[nodiscard]] Location locate(std::string_view part) const;

    [[nodiscard]] Location location() const { return {file_, line_, column_of_first(), 1}; }

  private:
    /// From `offset` in `text` on, characters come from this place.
    struct Origin {
        std::size_t offset;
        int line;
        int column;
    };

    [[nodiscard]] int column_of_first() const {
        return origins_.empty() ? 1 : origins_.front().column;
    }

    std::string file_;
    int line_;
    std::vector<Origin> origins_;
};

struct Lexed {
    std::vector<Statement> statements;
    char escape = '\\';
    CheckOptions check;
    Diagnostics diagnostics;
};

/// Splits the text of a Dockerfile. `file` is the name that locations carry.
[[nodiscard]] Lexed lex(std::string_view text, const std::string& file);

/// The heredoc that a word such as `<<EOF`, `<<-"EOF"` or `3<<EOF` opens.
struct HeredocWord {
    std::string name;
    bool strip_tabs = false;
    bool expand = true;
};

[[nodiscard]] bool parse_heredoc_word(std::string_view word, HeredocWord& found);

}  // namespace stack::build
