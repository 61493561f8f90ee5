#include "cli/template_functions.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

namespace stack::cli {
namespace {

using Json = nlohmann::json;
using Arguments = std::vector<Json>;
using Function = std::function<TemplateResult(const Arguments&)>;

struct Known {
    std::size_t fewest;
    std::size_t most;
    Function call;
};

constexpr std::size_t any_number = 1000;
constexpr std::int64_t widest = 10'000;  // that printf and pad make anything

TemplateResult refuse(std::string sentence) {
    return {nullptr, std::move(sentence)};
}

std::string dumped(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

TemplateResult length(const Arguments& arguments) {
    const Json& value = arguments.front();
    if (value.is_string())
        return {value.get_ref<const std::string&>().size(), ""};
    if (value.is_array() || value.is_object() || value.is_null())
        return {value.size(), ""};
    return refuse("it has no length: " + dumped(value));
}

/// Go: what a map of texts, such as labels, does not have is an empty one.
Json missing_in(const Json& map) {
    return std::all_of(map.begin(), map.end(), [](const Json& one) { return one.is_string(); })
               ? Json("")
               : Json();
}

TemplateResult element(const Arguments& arguments) {
    Json value = arguments.front();
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const Json& key = arguments[i];
        if (value.is_object() && key.is_string()) {
            const auto found = value.find(key.get_ref<const std::string&>());
            value = found == value.end() ? missing_in(value) : Json(*found);
        } else if (value.is_array() && key.is_number_integer()) {
            const auto at = key.get<std::int64_t>();
            if (at < 0 || static_cast<std::size_t>(at) >= value.size())
                return refuse("there is no element " + dumped(key) + " among " +
                              std::to_string(value.size()));
            value = Json(value[static_cast<std::size_t>(at)]);
        } else if (!value.is_null()) {
            return refuse("this has no element " + dumped(key));
        }
    }
    return {value, ""};
}

TemplateResult joined(const Arguments& arguments) {
    if (!arguments[0].is_array() || !arguments[1].is_string())
        return refuse("it wants a list and a separator");
    std::vector<std::string> parts;
    for (const auto& part : arguments[0])
        parts.push_back(template_text(part));
    return {join(parts, arguments[1].get_ref<const std::string&>()), ""};
}

TemplateResult parts(const Arguments& arguments) {
    if (!arguments[0].is_string() || !arguments[1].is_string())
        return refuse("it wants a text and a separator");
    const auto& text = arguments[0].get_ref<const std::string&>();
    const auto& separator = arguments[1].get_ref<const std::string&>();
    if (separator.empty())
        return refuse("its separator is empty");
    Json list = Json::array();
    std::size_t from = 0;
    for (auto at = text.find(separator); at != std::string::npos; at = text.find(separator, from)) {
        list.push_back(text.substr(from, at - from));
        from = at + separator.size();
    }
    list.push_back(text.substr(from));
    return {list, ""};
}

/// `slice VALUE FROM TO`: of a text or a list; without TO the rest, without FROM all of it.
TemplateResult sliced(const Arguments& arguments) {
    const Json& value = arguments[0];
    if (!value.is_string() && !value.is_array())
        return refuse("it wants a text or a list");
    const std::size_t size =
        value.is_array() ? value.size() : value.get_ref<const std::string&>().size();
    std::array<std::size_t, 2> bounds{0, size};
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (!arguments[i].is_number_integer() || arguments[i].get<std::int64_t>() < 0)
            return refuse("it wants whole numbers from 0");
        bounds.at(i - 1) = arguments[i].get<std::size_t>();
    }
    const auto [from, to] = bounds;
    if (from > to || to > size)
        return refuse("there is no part from " + std::to_string(from) + " to " +
                      std::to_string(to) + " of " + std::to_string(size));
    if (value.is_string())
        return {value.get_ref<const std::string&>().substr(from, to - from), ""};
    const auto first = value.begin() + static_cast<std::ptrdiff_t>(from);
    return {Json(Json::array_t(first, value.begin() + static_cast<std::ptrdiff_t>(to))), ""};
}

/// `pad TEXT BEFORE BEHIND`: blanks around what is not empty.
TemplateResult padded(const Arguments& arguments) {
    const std::string text = template_text(arguments[0]);
    for (const Json* count : {&arguments[1], &arguments[2]})
        if (!count->is_number_integer() || count->get<std::int64_t>() < 0 ||
            count->get<std::int64_t>() > widest)
            return refuse("it wants a text and two numbers of blanks");
    if (text.empty())
        return {text, ""};
    return {std::string(arguments[1].get<std::size_t>(), ' ') + text +
                std::string(arguments[2].get<std::size_t>(), ' '),
            ""};
}

/// The first letter of every word a capital.
TemplateResult titled(const Arguments& arguments) {
    std::string text = template_text(arguments.front());
    bool in_word = false;
    for (char& c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (!in_word)
            c = static_cast<char>(std::toupper(byte));
        in_word = std::isalnum(byte) != 0 || c == '\'' || c == '_';
    }
    return {text, ""};
}

TemplateResult shortened(const Arguments& arguments) {
    if (!arguments[1].is_number_integer() || arguments[1].get<std::int64_t>() < 0)
        return refuse("it wants a text and a length");
    const auto length = static_cast<std::size_t>(arguments[1].get<std::int64_t>());
    return {template_text(arguments[0]).substr(0, length), ""};
}

std::string printed(const Arguments& arguments, bool spaced) {
    std::string text;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        // print puts a blank between two values of which neither is a text
        const bool blank =
            spaced || (i > 0 && !arguments[i].is_string() && !arguments[i - 1].is_string());
        text += (i > 0 && blank ? " " : "") + template_text(arguments[i]);
    }
    return text;
}

/// Where printf puts a value: `%-10s`, `%05d`, `%.2f`.
struct Place {
    std::string flags;
    std::size_t width = 0;
    std::optional<int> precision;
    char verb = '\0';
};

/// The place that begins behind the `%` at `at`, which goes to its verb.
Place take_place(const std::string& format, std::size_t& at) {
    Place place;
    const auto take_number = [&] {
        std::int64_t number = 0;
        for (; at < format.size() && std::isdigit(static_cast<unsigned char>(format[at])) != 0;
             ++at)
            number = std::min(number * 10 + (format[at] - '0'), widest);
        return number;
    };
    for (; at < format.size() && std::string_view("-+0 ").find(format[at]) != std::string::npos;
         ++at)
        place.flags += format[at];
    place.width = static_cast<std::size_t>(take_number());
    if (at < format.size() && format[at] == '.') {
        ++at;
        place.precision = static_cast<int>(take_number());
    }
    if (at < format.size())
        place.verb = format[at];
    return place;
}

std::string hexadecimal(const Json& value, bool capitals) {
    std::string digits;
    if (value.is_number_integer()) {
        std::array<char, 32> buffer{};
        std::snprintf(buffer.data(),
                      buffer.size(),
                      "%llx",
                      static_cast<unsigned long long>(std::abs(value.get<std::int64_t>())));
        digits = (value < 0 ? "-" : "") + std::string(buffer.data());
    } else {
        digits = to_hex(template_text(value));
    }
    if (capitals)
        std::transform(digits.begin(), digits.end(), digits.begin(), [](unsigned char c) {
            return static_cast<char>(std::toupper(c));
        });
    return digits;
}

std::string decimal(const Json& value, const Place& place) {
    constexpr int usual_precision = 6;
    std::array<char, 512> buffer{};
    std::snprintf(buffer.data(),
                  buffer.size(),
                  "%.*f",
                  std::min(place.precision.value_or(usual_precision), 100),
                  value.get<double>());
    return buffer.data();
}

/// The value as the place's verb has it; nullopt where it is of another kind.
std::optional<std::string> text_at(const Place& place, const Json& value) {
    switch (place.verb) {
        case 's':
        case 'v':
            return template_text(value).substr(
                0, static_cast<std::size_t>(place.precision.value_or(static_cast<int>(widest))));
        case 'q':
            return dumped(template_text(value));
        case 'd':
            return value.is_number_integer() ? std::optional(dumped(value)) : std::nullopt;
        case 't':
            return value.is_boolean() ? std::optional(dumped(value)) : std::nullopt;
        case 'f':
            return value.is_number() ? std::optional(decimal(value, place)) : std::nullopt;
        case 'x':
        case 'X':
            return hexadecimal(value, place.verb == 'X');
        default:
            return std::nullopt;
    }
}

std::string aligned(const Place& place, std::string text, bool is_number) {
    const auto has = [&](char flag) { return place.flags.find(flag) != std::string::npos; };
    if (is_number && !text.starts_with('-') && has('+'))
        text.insert(0, "+");
    const std::size_t length = characters(text);
    if (length >= place.width)
        return text;
    const std::size_t missing = place.width - length;
    if (has('-'))
        return text + std::string(missing, ' ');
    const bool is_signed = text.starts_with('-') || text.starts_with('+');
    if (is_number && has('0'))
        return text.insert(is_signed ? 1 : 0, std::string(missing, '0'));
    return std::string(missing, ' ') + text;
}

/// %s, %d, %v, %q, %t, %f, %x and %%, with width, precision, `-`, `+` and `0`.
TemplateResult formatted(const Arguments& arguments) {
    const std::string format = template_text(arguments.front());
    std::string text;
    std::size_t next = 1;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') {
            text += format[i];
            continue;
        }
        const Place place = take_place(format, ++i);
        if (place.verb == '%') {
            text += '%';
            continue;
        }
        if (place.verb == '\0' ||
            std::string_view("sdvqtfxX").find(place.verb) == std::string::npos)
            return refuse("printf knows %s, %d, %v, %q, %t, %f, %x and %%");
        if (next >= arguments.size())
            return refuse("there are fewer values than the text has places for");
        const Json& value = arguments[next++];
        auto shown = text_at(place, value);
        if (!shown)
            return refuse(std::string("%") + place.verb + " is not for " + dumped(value));
        text += aligned(place, std::move(*shown), value.is_number());
    }
    if (next < arguments.size())
        return refuse("there are more values than the text has places for");
    return {text, ""};
}

Function changed_characters(int (*change)(int)) {
    return [change](const Arguments& arguments) -> TemplateResult {
        std::string text = template_text(arguments.front());
        std::transform(text.begin(), text.end(), text.begin(), [change](unsigned char c) {
            return static_cast<char>(change(c));
        });
        return {text, ""};
    };
}

/// `holds` of the signs of the difference.
Function comparison(bool (*holds)(const Json&, const Json&)) {
    return [holds](const Arguments& arguments) -> TemplateResult {
        const bool comparable = (arguments[0].is_number() && arguments[1].is_number()) ||
                                (arguments[0].is_string() && arguments[1].is_string());
        if (!comparable)
            return refuse("it compares two numbers or two texts");
        return {holds(arguments[0], arguments[1]), ""};
    };
}

TemplateResult equal(const Arguments& arguments) {
    return {std::any_of(arguments.begin() + 1,
                        arguments.end(),
                        [&](const Json& other) { return other == arguments.front(); }),
            ""};
}

/// The first that decides, or the last.
Function chosen(bool decides) {
    return [decides](const Arguments& arguments) -> TemplateResult {
        for (const auto& value : arguments)
            if (is_truthy(value) == decides)
                return {value, ""};
        return {arguments.back(), ""};
    };
}

const std::map<std::string, Known>& functions() {
    static const std::map<std::string, Known> all{
        {"and", {1, any_number, chosen(false)}},
        {"eq", {2, any_number, equal}},
        {"ge", {2, 2, comparison([](const Json& a, const Json& b) { return a >= b; })}},
        {"gt", {2, 2, comparison([](const Json& a, const Json& b) { return a > b; })}},
        {"index", {1, any_number, element}},
        {"join", {2, 2, joined}},
        {"json",
         {1,
          1,
          [](const Arguments& a) {
              return TemplateResult{dumped(a[0]), ""};
          }}},
        {"le", {2, 2, comparison([](const Json& a, const Json& b) { return a <= b; })}},
        {"len", {1, 1, length}},
        {"lower", {1, 1, changed_characters(std::tolower)}},
        {"lt", {2, 2, comparison([](const Json& a, const Json& b) { return a < b; })}},
        {"ne",
         {2,
          2,
          [](const Arguments& a) {
              return TemplateResult{a[0] != a[1], ""};
          }}},
        {"not",
         {1,
          1,
          [](const Arguments& a) {
              return TemplateResult{!is_truthy(a[0]), ""};
          }}},
        {"or", {1, any_number, chosen(true)}},
        {"pad", {3, 3, padded}},
        {"print",
         {0,
          any_number,
          [](const Arguments& a) {
              return TemplateResult{printed(a, false), ""};
          }}},
        {"printf", {1, any_number, formatted}},
        {"println",
         {0,
          any_number,
          [](const Arguments& a) {
              return TemplateResult{printed(a, true) + "\n", ""};
          }}},
        {"slice", {1, 3, sliced}},
        {"split", {2, 2, parts}},
        {"title", {1, 1, titled}},
        {"truncate", {2, 2, shortened}},
        {"upper", {1, 1, changed_characters(std::toupper)}}};
    return all;
}

}  // namespace

std::string template_text(const Json& value) {
    if (value.is_string())
        return value.get<std::string>();
    if (value.is_null())
        return "<no value>";
    if (!value.is_structured())
        return dumped(value);
    std::vector<std::string> words;
    for (const auto& [key, element] : value.items())
        words.push_back((value.is_object() ? key + ":" : "") + template_text(element));
    return (value.is_object() ? "map[" : "[") + join(words, " ") + "]";
}

bool is_truthy(const Json& value) {
    if (value.is_boolean())
        return value.get<bool>();
    if (value.is_number())
        return value != 0;
    if (value.is_string())
        return !value.get_ref<const std::string&>().empty();
    return !value.empty();
}

std::optional<TemplateResult> call_template_function(const std::string& name,
                                                     const Arguments& arguments) {
    const auto found = functions().find(name);
    if (found == functions().end())
        return std::nullopt;
    const Known& function = found->second;
    if (arguments.size() < function.fewest || arguments.size() > function.most)
        return refuse(name + " takes " + (function.most == any_number ? "at least " : "") +
                      std::to_string(function.fewest) + " values, not " +
                      std::to_string(arguments.size()));
    return function.call(arguments);
}

std::string closest_template_function(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& [known, function] : functions())
        names.push_back(known);
    return closest(name, names);
}

}  // namespace stack::cli
