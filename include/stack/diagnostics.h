#pragma once

// What the user wrote wrong: all of it, each complaint with the place it is about.

#include <string>
#include <vector>

namespace stack {

/// A span in a file. Lines and columns count from 1 in characters; 0 means "the file as a whole".
struct Location {
    std::string file;
    int line = 0;
    int column = 0;
    int length = 1;  // characters under the caret

    bool operator==(const Location&) const = default;
};

enum class Severity { error, warning };

/// A remark that belongs to a diagnostic, about another place ("first defined here").
struct Note {
    std::string message;
    Location location;

    bool operator==(const Note&) const = default;
};

struct Diagnostic {
    Severity severity = Severity::error;
    std::string code;  // stable identifier such as "unknown-key"
    std::string message;
    Location location;
    std::string hint;  // what to do about it: "did you mean `image`?"; may be empty
    std::vector<Note> notes;
    std::vector<std::string> expected;  // every word that may stand there, where they are known

    bool operator==(const Diagnostic&) const = default;
};

using Diagnostics = std::vector<Diagnostic>;

[[nodiscard]] bool has_errors(const Diagnostics& diagnostics);

/// Finds the text of a file by the name that locations carry; returns "" when it is not to be had.
using SourceText = std::string (*)(const std::string& file, const void* context);

/// The diagnostics as a person reads them, in the manner of a compiler:
///
///     compose.yaml:4:5: error: unknown key `imgae` in service `web`
///      4 |     imgae: nginx
///        |     ^^^^^ did you mean `image`?
///
/// `source` supplies the lines to quote (called with `context`); pass nullptr to quote none.
[[nodiscard]] std::string to_text(const Diagnostics& diagnostics,
                                  SourceText source,
                                  const void* context);

/// One JSON array of objects {severity, code, message, file, line, column, length, hint, notes,
/// expected}, for editors.
[[nodiscard]] std::string to_json_text(const Diagnostics& diagnostics);

}  // namespace stack
