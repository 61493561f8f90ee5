#include "engine/build/statement_reader.h"

#include "base/text.h"
#include "engine/build/words.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace stack::build {
namespace {

/// A JSON array of strings, or nullopt where the text is not a JSON array and so is the shell form.
/// An array that holds anything else is a mistake: `mistaken` is set.
std::optional<Strings> json_words(std::string_view text, bool& mistaken) {
    text = trim(text);
    if (!text.starts_with('['))
        return std::nullopt;
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_array())
        return std::nullopt;
    mistaken =
        !std::all_of(json.begin(), json.end(), [](const auto& item) { return item.is_string(); });
    return mistaken ? Strings{} : json.get<Strings>();
}

}  // namespace

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    });
    return result;
}

std::string did_you_mean(const std::string& word, const Strings& candidates) {
    const std::string near = closest(word, candidates);
    return near.empty() ? "" : "did you mean `" + near + "`?";
}

StatementReader::StatementReader(const Statement& statement, char escape, Diagnostics& diagnostics)
    : statement_(statement), escape_(escape), diagnostics_(diagnostics) {
    const std::string_view text = statement.text;
    const auto end = std::min(text.find_first_of(" \t\v\f\r"), text.size());
    keyword_ = text.substr(0, end);
    name_ = upper(keyword_);
    arguments_ = trim(text.substr(end));
}

std::nullopt_t StatementReader::fail(const char* code,
                                     std::string message,
                                     std::string_view part,
                                     std::string hint) {
    const Location at = part.empty() ? statement_.locate(keyword_) : statement_.locate(part);
    diagnostics_.push_back({Severity::error, code, std::move(message), at, std::move(hint), {}});
    return std::nullopt;
}

void StatementReader::warn(const char* code,
                           std::string message,
                           std::string_view part,
                           std::string hint) {
    diagnostics_.push_back({Severity::warning,
                            code,
                            std::move(message),
                            statement_.locate(part),
                            std::move(hint),
                            {}});
}

bool StatementReader::read_flags(const std::vector<FlagRule>& allowed) {
    const auto flags = leading_flags(arguments_);
    rest_ = flags.rest;
    return std::all_of(flags.words.begin(), flags.words.end(), [&](const Word& word) {
        return read_flag(word, allowed);
    });
}

bool StatementReader::read_flag(const Word& word, const std::vector<FlagRule>& allowed) {
    const auto equals = word.text.find('=');
    const std::string flag = word.text.substr(2, equals == std::string::npos ? equals : equals - 2);
    const auto rule = std::find_if(
        allowed.begin(), allowed.end(), [&](const FlagRule& known) { return known.name == flag; });
    if (rule == allowed.end())
        return unknown_flag(flag, word, allowed);
    std::string value = equals == std::string::npos ? "" : word.text.substr(equals + 1);
    const bool assigned = equals != std::string::npos;
    if (rule->boolean ? assigned && value.empty() : !assigned) {
        fail("bad-flag", "the flag --" + flag + " needs a value", word.span);
        return false;
    }
    if (rule->boolean && !assigned)
        value = "true";
    if (rule->boolean && to_lower(value) != "true" && to_lower(value) != "false") {
        fail("bad-flag", "--" + flag + " is true or false, not `" + value + "`", word.span);
        return false;
    }
    if (!rule->repeated && find_flag(flag) != nullptr) {
        fail("bad-flag", "the flag --" + flag + " is given twice", word.span);
        return false;
    }
    flags_.push_back({flag, rule->boolean ? to_lower(value) : value, word.span});
    return true;
}

bool StatementReader::unknown_flag(const std::string& flag,
                                   const Word& word,
                                   const std::vector<FlagRule>& allowed) {
    Strings names;
    for (const auto& rule : allowed)
        names.emplace_back(rule.name);
    const std::string near = closest(flag, names);
    fail("unknown-flag",
         name_ + " has no flag --" + flag,
         word.span,
         near.empty() ? "" : "did you mean `--" + near + "`?");
    return false;
}

const StatementReader::Flag* StatementReader::find_flag(std::string_view name) const {
    const auto found = std::find_if(
        flags_.begin(), flags_.end(), [&](const Flag& flag) { return flag.name == name; });
    return found == flags_.end() ? nullptr : &*found;
}

std::string StatementReader::flag_value(std::string_view name) const {
    const Flag* flag = find_flag(name);
    return flag == nullptr ? "" : flag->value;
}

bool StatementReader::is_set(std::string_view name) const {
    return flag_value(name) == "true";
}

std::optional<std::string> StatementReader::one_argument() {
    if (rest_.empty()) {
        fail("missing-argument", name_ + " needs an argument", {});
        return std::nullopt;
    }
    return std::string(rest_);
}

std::optional<CommandLine> StatementReader::command_line(std::string_view text) {
    bool mistaken = false;
    const auto words = json_words(text, mistaken);
    if (mistaken) {
        fail("bad-json", "the JSON form of " + name_ + " holds strings and nothing else", text);
        return std::nullopt;
    }
    if (words)
        return CommandLine{false, *words};
    return CommandLine{true, text.empty() ? Strings{} : Strings{std::string(text)}};
}

std::optional<Strings> StatementReader::list() {
    bool mistaken = false;
    if (const auto words = json_words(rest_, mistaken)) {
        if (mistaken) {
            fail(
                "bad-json", "the JSON form of " + name_ + " holds strings and nothing else", rest_);
            return std::nullopt;
        }
        return words;
    }
    Strings words;
    for (const auto word : blank_separated(rest_))
        words.emplace_back(word);
    return words;
}

std::optional<std::vector<KeyValue>> StatementReader::key_values() {
    const auto words = quoted_words(rest_, escape_);
    if (words.empty()) {
        fail("missing-argument", name_ + " needs a name and a value", {});
        return std::nullopt;
    }
    if (words.front().text.find('=') == std::string::npos)
        return legacy_key_value();
    std::vector<KeyValue> pairs;
    for (const auto& word : words) {
        const auto [key, value] = split_once(word.text, '=');
        if (word.text.find('=') == std::string::npos) {
            fail("bad-pair", "`" + word.text + "` is not of the form name=value", word.span);
            return std::nullopt;
        }
        if (key.empty()) {
            fail("bad-pair", "a name of " + name_ + " cannot be empty", word.span);
            return std::nullopt;
        }
        pairs.push_back({key, value, false});
    }
    return pairs;
}

std::optional<std::vector<KeyValue>> StatementReader::legacy_key_value() {
    const auto end = rest_.find_first_of(" \t\v\f\r");
    if (end == std::string_view::npos) {
        fail("missing-argument", name_ + " needs a value: " + name_ + " NAME=VALUE", rest_);
        return std::nullopt;
    }
    const std::string_view value = trim(rest_.substr(end));
    return std::vector{KeyValue{std::string(rest_.substr(0, end)), std::string(value), true}};
}

}  // namespace stack::build
