#include "loader/reader.h"

#include "base/text.h"
#include "base/units.h"

#include <algorithm>

namespace stack::loader {

void Reporter::error(const Location& at,
                     const char* code,
                     std::string message,
                     std::string hint,
                     std::vector<Note> notes) {
    diagnostics_.push_back(
        {Severity::error, code, std::move(message), at, std::move(hint), std::move(notes)});
}

void Reporter::warning(const Location& at,
                       const char* code,
                       std::string message,
                       std::string hint) {
    diagnostics_.push_back({Severity::warning, code, std::move(message), at, std::move(hint), {}});
}

void Reporter::wrong_type(const Node& node,
                          const std::string& what,
                          const std::string& expected,
                          std::string hint) {
    error(node.at,
          "wrong-type",
          what + " must be " + expected + ", not " + described(node),
          std::move(hint));
}

void Reporter::malformed(const Node& node, const std::string& what, const Malformed& problem) {
    Location at = node.at;
    const int offset = static_cast<int>(problem.offset);
    at.column += offset + (node.quoted ? 1 : 0);
    at.length = std::max(1, static_cast<int>(node.value.size()) - offset);
    error(at, "malformed", what + ": \"" + node.value + "\" is malformed", problem.message);
}

Object::Object(const Node& node, std::string what, Reporter& to)
    : reporter(to), what_(std::move(what)), node_(node) {
    if (!node.is_mapping() && !node.is_null())
        reporter.wrong_type(node, what_, "a mapping");
}

Object::~Object() {
    for (const auto& [key, value] : node_.entries) {
        if (key.text.starts_with("x-") ||
            std::find(known_.begin(), known_.end(), key.text) != known_.end())
            continue;
        const std::string meant = closest(key.text, known_);
        reporter.error(
            key.at,
            "unknown-key",
            "unknown key `" + key.text + "` in " + what_,
            meant.empty() ? "known here: " + join(known_, ", ") : "did you mean `" + meant + "`?");
    }
}

const Node* Object::take_even_null(const std::string& key) {
    known_.push_back(key);
    return node_.find(key);
}

const Node* Object::take(const std::string& key) {
    const Node* node = take_even_null(key);
    return node == nullptr || node->is_null() ? nullptr : node;
}

void Object::text(const std::string& key, std::string& value) {
    if (const Node* node = take(key))
        value = text_of(*node, "`" + key + "`", reporter);
}

void Object::boolean(const std::string& key, bool& value) {
    if (const Node* node = take(key))
        value = boolean_of(*node, "`" + key + "`", reporter);
}

void Object::integer(const std::string& key, int& value) {
    if (const Node* node = take(key))
        if (const auto number = integer_of(*node, "`" + key + "`", reporter))
            value = static_cast<int>(*number);
}

void Object::strings(const std::string& key, Strings& value) {
    if (const Node* node = take(key))
        for_each_item(*node, [&](const Node& item) {
            value.push_back(text_of(item, "`" + key + "`", reporter));
        });
}

void Object::list(const std::string& key, Strings& value) {
    const Node* node = take(key);
    if (node == nullptr)
        return;
    if (!node->is_sequence()) {
        reporter.wrong_type(
            *node, "`" + key + "`", "a list", "write it as `- " + node->value + "`");
        return;
    }
    for (const auto& item : node->items)
        value.push_back(text_of(item, "an element of `" + key + "`", reporter));
}

void Object::words(const std::string& key, std::optional<Strings>& value) {
    const Node* node = take(key);
    if (node == nullptr)
        return;
    if (node->is_scalar()) {
        value = split_words(node->value);
        return;
    }
    value.emplace();
    if (!node->is_sequence()) {
        reporter.wrong_type(*node, "`" + key + "`", "a text or a list of words");
        return;
    }
    for (const auto& item : node->items)
        value->push_back(text_of(item, "a word of `" + key + "`", reporter));
}

void Object::nullable_map(const std::string& key,
                          std::map<std::string, std::optional<std::string>>& value) {
    const Node* node = take(key);
    if (node == nullptr)
        return;
    for (const auto& [name, item] : node->entries)
        value[name.text] =
            item.is_null()
                ? std::nullopt
                : std::optional(text_of(item, "`" + key + "." + name.text + "`", reporter));
    for (const auto& item : node->items) {
        const std::string text = text_of(item, "an element of `" + key + "`", reporter);
        const auto [name, rest] = split_once(text, '=');
        value[name] = text.find('=') == std::string::npos ? std::nullopt : std::optional(rest);
    }
    if (node->is_scalar())
        reporter.wrong_type(*node, "`" + key + "`", "a mapping or a list of NAME=value");
}

void Object::map(const std::string& key, StringMap& value) {
    std::map<std::string, std::optional<std::string>> nullable;
    nullable_map(key, nullable);
    for (const auto& [name, item] : nullable)
        value[name] = item.value_or("");
}

void Object::duration(const std::string& key, std::optional<Duration>& value) {
    if (const Node* node = take(key))
        value = duration_of(*node, "`" + key + "`", reporter);
}

void Object::bytes(const std::string& key, std::optional<Bytes>& value) {
    if (const Node* node = take(key))
        value = bytes_of(*node, "`" + key + "`", reporter);
}

void Object::number(const std::string& key, std::optional<double>& value) {
    if (const Node* node = take(key))
        value = number_of(*node, "`" + key + "`", reporter);
}

void Object::number(const std::string& key, std::optional<std::int64_t>& value) {
    if (const Node* node = take(key))
        value = integer_of(*node, "`" + key + "`", reporter);
}

void Object::number(const std::string& key, std::optional<int>& value) {
    if (const Node* node = take(key))
        if (const auto number = integer_of(*node, "`" + key + "`", reporter))
            value = static_cast<int>(*number);
}

std::string text_of(const Node& node, const std::string& what, Reporter& reporter) {
    if (node.is_scalar())
        return node.value;
    reporter.wrong_type(node, what, "a text");
    return {};
}

bool boolean_of(const Node& node, const std::string& what, Reporter& reporter) {
    const std::string word = to_lower(node.value);
    for (const auto* yes : {"true", "yes", "on", "y"})
        if (word == yes)
            return true;
    for (const auto* no : {"false", "no", "off", "n"})
        if (word == no)
            return false;
    reporter.wrong_type(node, what, "true or false");
    return false;
}

std::optional<std::int64_t> integer_of(const Node& node,
                                       const std::string& what,
                                       Reporter& reporter) {
    const auto number = node.is_scalar() ? parse_number<std::int64_t>(node.value) : std::nullopt;
    if (!number)
        reporter.wrong_type(node, what, "a whole number");
    return number;
}

std::optional<double> number_of(const Node& node, const std::string& what, Reporter& reporter) {
    const auto number = node.is_scalar() ? parse_number<double>(node.value) : std::nullopt;
    if (!number || !(*number >= 0) || *number > 1e9) {
        reporter.wrong_type(node, what, "a number that is not negative");
        return std::nullopt;
    }
    return number;
}

std::optional<Bytes> bytes_of(const Node& node, const std::string& what, Reporter& reporter) {
    if (!node.is_scalar()) {
        reporter.wrong_type(node, what, "a size such as 512m");
        return std::nullopt;
    }
    if (node.value == "-1")
        return -1;
    const auto bytes = parse_bytes(node.value);
    if (bytes)
        return *bytes;
    reporter.malformed(node, what, bytes.error());
    return std::nullopt;
}

std::optional<Duration> duration_of(const Node& node, const std::string& what, Reporter& reporter) {
    if (!node.is_scalar()) {
        reporter.wrong_type(node, what, "a duration such as 30s");
        return std::nullopt;
    }
    const auto duration = parse_duration(node.value);
    if (duration)
        return *duration;
    reporter.malformed(node, what, duration.error());
    return std::nullopt;
}

std::optional<std::uint32_t> mode_of(const Node& node,
                                     const std::string& what,
                                     Reporter& reporter) {
    std::string_view digits = node.value;
    if (digits.starts_with("0o"))
        digits.remove_prefix(2);
    std::uint32_t mode = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), mode, 8);
    if (!node.is_scalar() || digits.empty() || error != std::errc{} ||
        end != digits.data() + digits.size() || mode > 07777U) {
        reporter.wrong_type(node, what, "a mode in octal such as 0440");
        return std::nullopt;
    }
    return mode;
}

void for_each_item(const Node& node, const std::function<void(const Node&)>& each) {
    if (!node.is_sequence()) {
        each(node);
        return;
    }
    for (const auto& item : node.items)
        each(item);
}

bool check_choice(const Node& node,
                  const std::string& what,
                  const Strings& allowed,
                  Reporter& reporter) {
    if (std::find(allowed.begin(), allowed.end(), node.value) != allowed.end())
        return true;
    const std::string meant = closest(node.value, allowed);
    reporter.error(
        node.at,
        "unknown-value",
        what + " cannot be \"" + node.value + "\"",
        meant.empty() ? "one of " + join(allowed, ", ") : "did you mean `" + meant + "`?");
    return false;
}

}  // namespace stack::loader
