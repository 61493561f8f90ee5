#include "cli/template_functions.h"

#include "base/text.h"

#include <algorithm>
#include <cctype>
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

TemplateResult element(const Arguments& arguments) {
    Json value = arguments.front();
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        const Json& key = arguments[i];
        if (value.is_object() && key.is_string()) {
            const auto found = value.find(key.get_ref<const std::string&>());
            value = found == value.end() ? Json() : Json(*found);
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
    const auto& separator = arguments[1].get_ref<const std::string&>();
    if (separator.size() != 1)
        return refuse("its separator is one character");
    return {split(arguments[0].get_ref<const std::string&>(), separator.front()), ""};
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

/// %s, %d, %v, %q and %%, without widths.
TemplateResult formatted(const Arguments& arguments) {
    const std::string format = template_text(arguments.front());
    std::string text;
    std::size_t next = 1;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') {
            text += format[i];
            continue;
        }
        const char verb = i + 1 < format.size() ? format[++i] : '\0';
        if (verb == '%') {
            text += '%';
            continue;
        }
        if (std::string_view("sdvq").find(verb) == std::string_view::npos)
            return refuse("printf knows %s, %d, %v, %q and %%");
        if (next >= arguments.size())
            return refuse("there are fewer values than the text has places for");
        const Json& value = arguments[next++];
        text += verb == 'q' ? dumped(template_text(value)) : template_text(value);
    }
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
        {"split", {2, 2, parts}},
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
