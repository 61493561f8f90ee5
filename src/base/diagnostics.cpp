#include <stack/diagnostics.h>

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

namespace stack {
namespace {

std::string place(const Location& at) {
    if (at.line == 0)
        return at.file;
    return at.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

std::string printable(std::string_view line) {
    std::string text;
    for (const char c : line)
        text += c == '\t' ? ' ' : (static_cast<unsigned char>(c) < 0x20 ? '?' : c);
    return text;
}

/// The line with that number, from 1; nullopt where the text has fewer.
std::optional<std::string_view> line_of(std::string_view text, int number) {
    for (int i = 1; i < number; ++i) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos)
            return std::nullopt;
        text.remove_prefix(end + 1);
    }
    return text.substr(0, text.find('\n'));
}

/// The line, and under it a caret span with the hint behind it.
std::string quote(const Location& at, const std::string& hint, const std::string& text) {
    if (at.line == 0 || text.empty())
        return {};
    const auto found = line_of(text, at.line);
    if (!found)
        return {};
    constexpr std::size_t widest = 160;
    const std::string line = printable(found->substr(0, widest + 1));
    const auto column = static_cast<std::size_t>(std::max(at.column, 1)) - 1;
    if (line.size() > widest)
        return hint.empty() ? "" : "       | " + hint + "\n";
    const std::size_t width = characters(line);
    const std::size_t span = std::clamp<std::size_t>(
        static_cast<std::size_t>(std::max(at.length, 1)), 1, width > column ? width - column : 1);
    std::array<char, 16> number{};
    std::snprintf(number.data(), number.size(), "%5d | ", at.line);
    std::string quoted =
        number.data() + line + "\n      | " + std::string(column, ' ') + std::string(span, '^');
    if (!hint.empty())
        quoted += " " + hint;
    return quoted + "\n";
}

}  // namespace

bool has_errors(const Diagnostics& diagnostics) {
    return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
        return diagnostic.severity == Severity::error;
    });
}

std::string to_text(const Diagnostics& diagnostics, SourceText source, const void* context) {
    const auto text_of = [&](const std::string& file) {
        return source == nullptr ? std::string() : source(file, context);
    };
    std::string text;
    for (const auto& diagnostic : diagnostics) {
        const std::string where = place(diagnostic.location);
        text += where + (where.empty() ? "" : ": ");
        text += diagnostic.severity == Severity::error ? "error: " : "warning: ";
        text += diagnostic.message + "\n";
        const std::string quoted =
            quote(diagnostic.location, diagnostic.hint, text_of(diagnostic.location.file));
        if (!quoted.empty())
            text += quoted;
        else if (!diagnostic.hint.empty())
            text += "      = " + diagnostic.hint + "\n";
        for (const auto& note : diagnostic.notes) {
            const std::string note_place = place(note.location);
            text += note_place + (note_place.empty() ? "" : ": ") + "note: " + note.message + "\n";
            text += quote(note.location, {}, text_of(note.location.file));
        }
    }
    return text;
}

std::string to_json_text(const Diagnostics& diagnostics) {
    const auto located = [](const Location& at) {
        return nlohmann::json{
            {"file", at.file}, {"line", at.line}, {"column", at.column}, {"length", at.length}};
    };
    nlohmann::json list = nlohmann::json::array();
    for (const auto& diagnostic : diagnostics) {
        nlohmann::json entry = located(diagnostic.location);
        entry["severity"] = diagnostic.severity == Severity::error ? "error" : "warning";
        entry["code"] = diagnostic.code;
        entry["message"] = diagnostic.message;
        entry["hint"] = diagnostic.hint;
        entry["expected"] = diagnostic.expected;
        entry["notes"] = nlohmann::json::array();
        for (const auto& note : diagnostic.notes) {
            nlohmann::json remark = located(note.location);
            remark["message"] = note.message;
            entry["notes"].push_back(std::move(remark));
        }
        list.push_back(std::move(entry));
    }
    return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace stack
