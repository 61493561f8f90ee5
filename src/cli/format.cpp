#include "cli/format.h"

#include "base/text.h"
#include "cli/cli11.h"
#include "cli/style.h"
#include "cli/template.h"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

constexpr std::string_view table_word = "table ";

/// `\t` and `\n` as shells hand them on.
std::string unescaped(const std::string& text) {
    return replace_all(replace_all(text, "\\t", "\t"), "\\n", "\n");
}

[[noreturn]] void refuse(const std::string& text, const Malformed& mistake) {
    const std::size_t offset = std::min(mistake.offset, text.size());
    const auto line_start = text.rfind('\n', offset == 0 ? 0 : offset - 1);
    const std::size_t start =
        line_start == std::string::npos || line_start >= offset ? 0 : line_start + 1;
    const std::string line = text.substr(start, text.find('\n', start) - start);
    give_up("--format: " + mistake.message + "\n    " + replace_all(line, "\t", " ") + "\n    " +
            std::string(offset - start, ' ') + "^");
}

/// `RunningFor` is headed RUNNING FOR.
std::string title_of(const std::string& field) {
    std::string title;
    for (std::size_t i = 0; i < field.size(); ++i) {
        const auto is_upper = [&](std::size_t at) {
            return std::isupper(static_cast<unsigned char>(field[at])) != 0;
        };
        if (i > 0 && is_upper(i) && !is_upper(i - 1))
            title += ' ';
        title += static_cast<char>(std::toupper(static_cast<unsigned char>(field[i])));
    }
    return title;
}

Json head_of(const Template& what, const std::map<std::string, std::string>& titles) {
    Json head = Json::object();
    for (const auto& field : what.fields()) {
        const auto title = titles.find(field);
        head[field] = title == titles.end() ? title_of(field) : title->second;
    }
    return head;
}

}  // namespace

bool is_template(const std::string& format) {
    return format.find("{{") != std::string::npos || format.starts_with(table_word);
}

void add_format(CLI::App& app,
                std::string& format,
                const Strings& words,
                const std::string& names) {
    const std::string known = join(words, ", ");
    app.add_option(names, format, known + ", or a template: '{{.Name}}', 'table {{.Name}}'")
        ->check([words, known](const std::string& value) {
            const bool is_known =
                is_template(value) || std::find(words.begin(), words.end(), value) != words.end();
            return is_known ? std::string()
                            : "--format takes " + known + " or a template such as '{{.Name}}'";
        });
}

std::string formatted(const std::string& format,
                      const std::vector<Json>& rows,
                      const std::map<std::string, std::string>& titles) {
    const bool in_columns = format.starts_with(table_word);
    const std::string text = unescaped(in_columns ? format.substr(table_word.size()) : format);
    const auto what = Template::parse(text);
    if (!what)
        refuse(text, what.error());
    std::string lines;
    std::vector<Strings> cells;
    if (in_columns)  // a head for what is more than fields is better empty than wrong
        cells.push_back(split(what->render_head(head_of(*what, titles)).value_or(""), '\t'));
    for (const auto& row : rows) {
        const auto line = what->render(row);
        if (!line)
            refuse(text, line.error());
        cells.push_back(split(*line, '\t'));
        lines += *line + "\n";
    }
    if (!in_columns)
        return lines;
    std::size_t widest = 0;
    for (const auto& row : cells)
        widest = std::max(widest, row.size());
    for (auto& row : cells)
        row.resize(widest);
    return table(cells);
}

void add_inspect_format(CLI::App& app, std::string& format) {
    add_format(app, format, {"json"}, "-f,--format");
}

std::string inspected(const std::string& format, const std::vector<Json>& objects) {
    constexpr auto replace = Json::error_handler_t::replace;
    if (format.empty())
        return Json(objects).dump(4, ' ', false, replace) + "\n";
    if (is_template(format))
        return formatted(format, objects);
    std::string lines;
    for (const auto& object : objects)
        lines += object.dump(-1, ' ', false, replace) + "\n";
    return lines;
}

}  // namespace stack::cli
