#include "cli/field_list.h"

#include <stack/error.h>

#include "base/text.h"

namespace stack::cli {

std::vector<std::string> parts_of(const std::string& option, const std::string& text) {
    std::vector<std::string> parts{""};
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_doubled =
            quoted && text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"';
        if (is_doubled)
            parts.back() += text[i++];
        else if (text[i] == '"' && (quoted || parts.back().empty()))
            quoted = !quoted;
        else if (text[i] == ',' && !quoted)
            parts.emplace_back();
        else
            parts.back() += text[i];
    }
    if (quoted)
        throw Error(option + " " + text + ": a double quote has no end");
    return parts;
}

std::vector<Field> fields_of(const std::string& option, const std::string& text) {
    std::vector<Field> fields;
    for (const auto& part : parts_of(option, text)) {
        const auto [name, value] = split_once(part, '=');
        if (name.empty())
            throw Error(option + " " + text +
                        ": NAME=VALUE fields are expected between the commas");
        const bool is_alone = part.find('=') == std::string::npos;
        fields.push_back({to_lower(name), is_alone ? "true" : value});
    }
    return fields;
}

}  // namespace stack::cli
