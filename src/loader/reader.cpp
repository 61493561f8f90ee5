#include "loader/reader.h"

#include "base/text.h"
#include "base/units.h"
#include "loader/command_line.h"

#include <algorithm>
#include <set>

namespace stack::loader {

namespace {

/// The limits of an int are named only to whom they keep out.
std::string range_text(const Range& range, bool is_number) {
    const std::string least = std::to_string(range.least);
    const bool is_bounded = range.most != Range{}.most;
    if ((!is_bounded && range.least == Range{}.least) ||
        (!is_number && range.least == any_int.least))
        return "a whole number";
    if (!is_bounded || (!is_number && range.most == any_int.most))
        return "a whole number that is not less than " + least;
    return "a whole number from " + least + " to " + std::to_string(range.most);
}

std::string in_backticks(std::string_view key) {
    return "`" + std::string(key) + "`";
}

/// What people call keys that have another name here.
std::string synonym(const std::string& key, const Strings& known) {
    static const StringMap meanings{{"alias", "aliases"},
                                    {"cmd", "command"},
                                    {"cpu", "cpus"},
                                    {"destination", "target"},
                                    {"dst", "target"},
                                    {"env", "environment"},
                                    {"mem", "memory"},
                                    {"memory", "mem_limit"},
                                    {"mounts", "volumes"},
                                    {"name", "container_name"},
                                    {"readonly", "read_only"},
                                    {"replicas", "scale"},
                                    {"ro", "read_only"},
                                    {"src", "source"},
                                    {"workdir", "working_dir"}};
    const auto found = meanings.find(key);
    const bool fits = found != meanings.end() &&
                      std::find(known.begin(), known.end(), found->second) != known.end();
    return fits ? found->second : std::string();
}

/// What was meant by a key that is none of `known`.
std::string hint_for(const std::string& key, const Strings& known) {
    constexpr std::size_t most_listed = 12;
    if (key.starts_with('-'))
        return "a blank is missing after the `-` of a list";
    const std::string other = synonym(key, known);
    if (const std::string meant = other.empty() ? closest(key, known) : other; !meant.empty())
        return "did you mean `" + meant + "`?";
    return known.size() > most_listed ? "" : "known here: " + join(known, ", ");
}

/// `image:nginx` is a text.
std::string hint_for_text(const Node& node) {
    const auto colon = node.value.find(':');
    return node.is_scalar() && colon != std::string::npos && colon > 0
               ? "a blank is missing after the `:`"
               : "";
}

}  // namespace

Object::Object(const Node& node, std::string what, Reporter& to)
    : reporter(to), what_(std::move(what)), node_(node), taken_(node.entries.size()) {
    if (!node.is_mapping() && !node.is_null())
        reporter.wrong_type(node, what_, "a mapping", hint_for_text(node));
}

Object::~Object() {
    for (std::size_t i = 0; i < node_.entries.size(); ++i)
        if (const Key& key = node_.entries[i].key;
            !taken_[i] && !key.text.starts_with("x-") && !reporter.is_full())
            complain_of(key);
}

void Object::complain_of(const Key& key) {
    const std::set<std::string> all(known_.begin(), known_.end());  // some are asked for twice
    const Strings known(all.begin(), all.end());
    reporter.unknown(key.at,
                     "unknown-key",
                     "unknown key `" + key.text + "` in " + what_,
                     hint_for(key.text, known),
                     known);
}

const Node* Object::take_even_null(std::string_view key) {
    known_.push_back(key);
    for (std::size_t i = 0; i < node_.entries.size(); ++i)
        if (node_.entries[i].key.text == key) {
            taken_[i] = true;
            return &node_.entries[i].value;
        }
    return nullptr;
}

const Node* Object::take(std::string_view key) {
    const Node* node = take_even_null(key);
    return node == nullptr || node->is_null() ? nullptr : node;
}

bool Object::knows(std::string_view key) const {
    return std::find(known_.begin(), known_.end(), key) != known_.end();
}

const Node* Object::need(std::string_view key, std::string complaint, std::string hint) {
    const Node* node = take(key);
    const bool is_misspelt =
        std::any_of(node_.entries.begin(), node_.entries.end(), [&](const auto& entry) {
            const std::string& name = entry.key.text;
            const Strings wanted{std::string(key)};
            return name != key &&
                   (!closest(name, wanted).empty() || !synonym(name, wanted).empty());
        });
    if (node == nullptr && !is_misspelt && !node_.is_scalar() && !node_.is_sequence())
        reporter.error(node_.at, "missing-key", std::move(complaint), std::move(hint));
    return node;
}

void Object::warn_ignored(std::initializer_list<const char*> keys, const std::string& hint) {
    for (const auto* key : keys)
        if (take(key) != nullptr)
            for (const auto& [name, value] : node_.entries)
                if (name.text == key)
                    reporter.warning(name.at,
                                     "ignored",
                                     "`" + name.text + "` of " + what_ + " has no effect here",
                                     hint);
}

void Object::text(std::string_view key, std::string& value) {
    if (const Node* node = take(key))
        value = text_of(*node, in_backticks(key), reporter);
}

void Object::unread_text(std::string_view key) {
    std::string unread;
    text(key, unread);
}

void Object::id(std::string_view key, std::string& value) {
    text(key, value);
    if (const Node* node = take(key))
        check_id(*node, value, in_backticks(key), reporter);
}

void Object::choice(std::string_view key, std::string& value, const Strings& allowed) {
    const Node* node = take(key);
    if (node == nullptr || (node->is_scalar() && node->value.empty()))
        return;  // `${DRIVER}`, and there is none
    if (check_choice(*node, in_backticks(key), allowed, reporter))
        value = node->value;
}

void Object::boolean(std::string_view key, bool& value) {
    if (const Node* node = take(key))
        value = boolean_of(*node, in_backticks(key), reporter);
}

void Object::integer(std::string_view key, int& value, const Range& range) {
    std::optional<int> number;
    this->number(key, number, range);
    value = number.value_or(value);
}

void Object::strings(std::string_view key, Strings& value) {
    const Node* node = take(key);
    if (node != nullptr && node->is_mapping())
        reporter.wrong_type(*node, in_backticks(key), "a text or a list of texts");
    else if (node != nullptr)
        for_each_item(*node, [&](const Node& item) {
            std::string text = text_of(item, in_backticks(key), reporter);
            if (item.is_scalar())
                value.push_back(std::move(text));
        });
}

namespace {

/// The elements of the list at `key`, each as `read` reads it.
template <class Read>
void read_list(Object& object, std::string_view key, Strings& value, const Read& read) {
    const Node* node = object.take(key);
    if (node == nullptr)
        return;
    if (!node->is_sequence()) {
        object.reporter.wrong_type(
            *node, in_backticks(key), "a list", "write it as `- " + node->value + "`");
        return;
    }
    for (const auto& item : node->items)
        value.push_back(read(item, "an element of " + in_backticks(key), object.reporter));
}

Strings words_of(const Node& node, const std::string& what, Reporter& reporter) {
    auto line = parse_command_line(node.value);
    if (!line) {
        reporter.malformed(node, what, line.error());
        return {};
    }
    if (line->end)
        reporter.warning(node.at,
                         "shell",
                         what + " ends before `" + node.value.substr(*line->end, 1) +
                             "`: no shell reads it, and the rest is left out",
                         "write [sh, -c, \"…\"] where a shell is meant, or quote the character");
    return std::move(line->words);
}

}  // namespace

void Object::list(std::string_view key, Strings& value) {
    read_list(*this, key, value, text_of);
}

void Object::scalars(std::string_view key, Strings& value) {
    read_list(*this, key, value, scalar_of);
}

void Object::words(std::string_view key, std::optional<Strings>& value) {
    const Node* node = take(key);
    if (node == nullptr)
        return;
    if (node->is_scalar()) {
        static_cast<void>(text_of(*node, in_backticks(key), reporter));
        value = words_of(*node, in_backticks(key), reporter);
        return;
    }
    value.emplace();
    if (!node->is_sequence()) {
        reporter.wrong_type(*node, in_backticks(key), "a text or a list of words");
        return;
    }
    for (const auto& item : node->items)
        value->push_back(text_of(item, "a word of " + in_backticks(key), reporter));
}

void Object::nullable_map(std::string_view key,
                          std::map<std::string, std::optional<std::string>>& value) {
    const Node* node = take(key);
    if (node == nullptr)
        return;
    for (const auto& [name, item] : node->entries)
        value[name.text] =
            item.is_null() ? std::nullopt
                           : std::optional(scalar_of(
                                 item, in_backticks(std::string(key) + "." + name.text), reporter));
    for (const auto& item : node->items) {
        if (item.is_mapping()) {
            reporter.wrong_type(item,
                                "an element of " + in_backticks(key),
                                "a text",
                                "write it as `- NAME=value`, or leave all the `- ` out");
            continue;
        }
        const std::string text = text_of(item, "an element of " + in_backticks(key), reporter);
        const auto [name, rest] = split_once(text, '=');
        value[name] = text.find('=') == std::string::npos ? std::nullopt : std::optional(rest);
    }
    if (node->is_scalar())
        reporter.wrong_type(*node,
                            in_backticks(key),
                            "a mapping or a list of NAME=value",
                            node->value.find('=') == std::string::npos
                                ? ""
                                : "write it as `- " + shortened(node->value) + "`");
}

void Object::map(std::string_view key, StringMap& value) {
    std::map<std::string, std::optional<std::string>> nullable;
    nullable_map(key, nullable);
    for (const auto& [name, item] : nullable)
        value[name] = item.value_or("");
}

void Object::duration(std::string_view key, std::optional<Duration>& value) {
    if (const Node* node = take(key))
        value = duration_of(*node, in_backticks(key), reporter);
}

void Object::bytes(std::string_view key, std::optional<Bytes>& value) {
    if (const Node* node = take(key))
        value = bytes_of(*node, in_backticks(key), reporter);
}

void Object::limit(std::string_view key, std::optional<Bytes>& value) {
    const Node* node = take(key);
    if (node != nullptr && node->value == "-1")
        value = -1;
    else if (node != nullptr)
        value = bytes_of(*node, in_backticks(key), reporter);
}

void Object::number(std::string_view key, std::optional<double>& value) {
    if (const Node* node = take(key))
        value = number_of(*node, in_backticks(key), reporter);
}

void Object::number(std::string_view key, std::optional<std::int64_t>& value, const Range& range) {
    if (const Node* node = take(key))
        value = integer_of(*node, in_backticks(key), range, reporter);
}

void Object::number(std::string_view key, std::optional<int>& value, const Range& range) {
    if (const Node* node = take(key))
        if (const auto number = integer_of(*node, in_backticks(key), range, reporter))
            value = static_cast<int>(*number);
}

std::string text_of(const Node& node, const std::string& what, Reporter& reporter) {
    if (node.number || node.boolean)
        reporter.wrong_type(node, what, "a text", "write it in quotes: \"" + node.value + "\"");
    return scalar_of(node, what, reporter);
}

std::string scalar_of(const Node& node, const std::string& what, Reporter& reporter) {
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
                                       const Range& range,
                                       Reporter& reporter) {
    const auto number = node.is_scalar() ? parse_number<std::int64_t>(node.value) : std::nullopt;
    if (number && *number >= range.least && *number <= range.most)
        return number;
    const bool is_number = node.is_scalar() && !node.value.empty() &&
                           node.value.find_first_not_of(
                               "0123456789", node.value[0] == '-' ? 1 : 0) == std::string::npos;
    reporter.wrong_type(node, what, range_text(range, is_number));
    return std::nullopt;
}

std::optional<double> number_of(const Node& node, const std::string& what, Reporter& reporter) {
    const auto number = node.is_scalar() ? parse_number<double>(node.value) : std::nullopt;
    if (!number || !(*number >= 0) || *number > 1e9) {
        reporter.wrong_type(node, what, "a number from 0 to 1000000000");
        return std::nullopt;
    }
    return number;
}

std::optional<Bytes> bytes_of(const Node& node, const std::string& what, Reporter& reporter) {
    if (!node.is_scalar()) {
        reporter.wrong_type(node, what, "a size such as 512m");
        return std::nullopt;
    }
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

std::string octal(std::uint32_t mode) {
    std::string text;
    for (; mode != 0; mode >>= 3U)
        text.insert(text.begin(), static_cast<char>('0' + (mode & 7U)));
    return "0" + text;
}

std::optional<std::uint32_t> mode_of(const Node& node,
                                     const std::string& what,
                                     Reporter& reporter) {
    std::string_view digits = node.value;
    if (digits.starts_with("0o"))
        digits.remove_prefix(2);
    std::uint32_t mode = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), mode, node.number ? 10 : 8);
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

void check_id(const Node& node, std::string_view id, const std::string& what, Reporter& reporter) {
    // 2^32 - 1 means "no change" to the kernel.
    constexpr std::uint32_t largest = std::numeric_limits<std::uint32_t>::max() - 1;
    if (id.empty() || id.find_first_not_of("0123456789") != std::string_view::npos)
        return;
    const auto number = parse_number<std::uint32_t>(id);
    if (!number || *number > largest)
        reporter.wrong_type(node, what, "a number from 0 to " + std::to_string(largest));
}

bool check_choice(const Node& node,
                  const std::string& what,
                  const Strings& allowed,
                  Reporter& reporter) {
    if (std::find(allowed.begin(), allowed.end(), node.value) != allowed.end())
        return true;
    const auto longer = std::find_if(allowed.begin(), allowed.end(), [&](const auto& word) {
        return !node.value.empty() && word.ends_with("_" + node.value);
    });
    const std::string meant = longer != allowed.end() ? *longer : closest(node.value, allowed);
    const std::string list = allowed.size() == 1 ? "only `" + allowed.front() + "` is known"
                                                 : "one of " + join(allowed, ", ");
    reporter.unknown(node.at,
                     "unknown-value",
                     what + " cannot be " +
                         (node.is_scalar() ? "\"" + shortened(node.value) + "\"" : described(node)),
                     meant.empty() ? list : "did you mean `" + meant + "`?",
                     allowed);
    return false;
}

}  // namespace stack::loader
