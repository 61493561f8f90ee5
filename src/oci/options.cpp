#include "oci/options.h"

#include <stack/error.h>

#include "base/text.h"

#include <algorithm>

namespace stack::oci {
namespace {

const Option& find_option(const std::string& word, const std::vector<Option>& options) {
    const bool is_long = word.starts_with("--");
    // One dash before a name is taken for two, as Go's flag packages do.
    const std::string name = word.substr(is_long ? 2 : 1);
    for (const auto& option : options)
        if (name == option.name || (!is_long && name.size() == 1 && name.front() == option.letter))
            return option;
    throw Error("there is no option " + word);
}

bool is_option(const std::string& word) {
    return word.size() > 1 && word.front() == '-';
}

void take_option(const Strings& words, std::size_t& at, const std::vector<Option>& options) {
    const auto equals = words[at].find('=');
    const std::string word = words[at].substr(0, equals);
    const Option& option = find_option(word, options);
    std::string value = equals == std::string::npos ? "" : words[at].substr(equals + 1);
    if (option.value_name.empty()) {
        if (!value.empty() && value != "true" && value != "false")
            throw Error("option " + word + " takes no value");
        if (value != "false")
            option.set(value);
        return;
    }
    if (equals == std::string::npos) {
        if (++at == words.size())
            throw Error("option " + word + " needs a value: " + option.value_name);
        value = words[at];
    }
    option.set(value);
}

}  // namespace

Strings take_options(const Strings& words, const std::vector<Option>& options, bool only_first) {
    Strings rest;
    for (std::size_t at = 0; at < words.size(); ++at) {
        const bool is_end = words[at] == "--";
        if (!is_end && is_option(words[at])) {
            take_option(words, at, options);
            continue;
        }
        if (!is_end)
            rest.push_back(words[at]);
        if (!is_end && !only_first)
            continue;
        rest.insert(rest.end(), words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
        break;
    }
    return rest;
}

std::string help_of(const std::vector<Option>& options) {
    std::string text;
    constexpr std::size_t column = 30;
    for (const auto& option : options) {
        std::string line = "  --" + option.name;
        if (option.letter != 0)
            line += std::string(", -") + option.letter;
        if (!option.value_name.empty())
            line += " " + option.value_name;
        line.resize(std::max(line.size() + 2, column), ' ');
        text += line + option.help + "\n";
    }
    return text;
}

std::function<void(const std::string&)> keep(std::string& to) {
    return [&to](const std::string& value) { to = value; };
}

std::function<void(const std::string&)> keep(Strings& to) {
    return [&to](const std::string& value) { to.push_back(value); };
}

std::function<void(const std::string&)> keep(bool& to) {
    return [&to](const std::string&) { to = true; };
}

std::function<void(const std::string&)> keep(std::uint32_t& to) {
    return [&to](const std::string& value) {
        const auto number = parse_number<std::uint32_t>(value);
        if (!number)
            throw Error("\"" + value + "\" is not a number");
        to = *number;
    };
}

}  // namespace stack::oci
