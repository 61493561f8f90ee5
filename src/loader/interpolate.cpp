#include "loader/interpolate.h"

#include "base/text.h"

namespace stack::loader {
namespace {

constexpr int deepest = 50;

bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool in_name(char c) {
    return begins_name(c) || (c >= '0' && c <= '9');
}

std::size_t name_length(std::string_view text) {
    std::size_t length = 0;
    if (!text.empty() && begins_name(text[0]))
        while (length < text.size() && in_name(text[length]))
            ++length;
    return length;
}

/// The index of the brace that closes one opened before `text`; npos where none does.
std::size_t closing_brace(std::string_view text) {
    int depth = 1;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '{')
            ++depth;
        else if (text[i] == '}' && --depth == 0)
            return i;
    }
    return std::string_view::npos;
}

class Interpolation {
  public:
    Interpolation(const Variables& variables, std::set<std::string>& unset)
        : variables_(variables), unset_(unset) {}

    Expected<std::string> run(std::string_view text, int depth) {
        if (depth > deepest)
            return malformed("variables are nested more than 50 levels deep");
        std::string result;
        for (std::size_t i = 0; i < text.size();) {
            if (result.size() > longest_value)
                return malformed("with its variables put in, the value is longer than 1 MiB");
            if (text[i] != '$') {
                result += text[i++];
                continue;
            }
            const std::string_view rest = text.substr(i + 1);
            if (rest.starts_with('$')) {
                result += '$';
                i += 2;
            } else if (const auto length = name_length(rest); length > 0) {
                result += plain(std::string(rest.substr(0, length)));
                i += 1 + length;
            } else if (rest.starts_with('{')) {
                const auto end = closing_brace(rest.substr(1));
                if (end == std::string_view::npos)
                    return malformed("`${` is never closed", i);
                auto value = braced(rest.substr(1, end), depth);
                if (!value)
                    return malformed(value.error().message, i);
                result += *value;
                i += end + 3;
            } else {
                result += text[i++];  // a lone dollar
            }
        }
        return result;
    }

  private:
    std::string plain(const std::string& name) {
        const auto value = variables_(name);
        if (!value)
            unset_.insert(name);
        return value.value_or("");
    }

    /// NAME, or NAME with one of :- - :+ + :? ? and a word.
    Expected<std::string> braced(std::string_view text, int depth) {
        const auto length = name_length(text);
        const std::string name(text.substr(0, length));
        std::string_view rest = text.substr(length);
        if (name.empty())
            return malformed("a variable's name is expected after `${`");
        if (rest.empty())
            return plain(name);
        const bool colon = rest.starts_with(':');
        if (colon)
            rest.remove_prefix(1);
        if (rest.empty() || (rest[0] != '-' && rest[0] != '+' && rest[0] != '?'))
            return malformed("after the name only `:-`, `-`, `:+`, `+`, `:?` or `?` may follow");
        const char kind = rest[0];
        const std::string_view word = rest.substr(1);
        const auto value = variables_(name);
        const bool has = value && !(colon && value->empty());
        if (kind == '+')
            return has ? run(word, depth + 1) : Expected<std::string>(std::string());
        if (has)
            return *value;
        auto other = run(word, depth + 1);
        if (kind == '-' || !other)
            return other;
        return malformed("required variable " + name + " is missing a value" +
                         (other->empty() ? "" : ": " + *other));
    }

    const Variables& variables_;
    std::set<std::string>& unset_;
};

}  // namespace

Expected<std::string> interpolate(std::string_view template_text,
                                  const Variables& variables,
                                  std::set<std::string>& unset) {
    return Interpolation(variables, unset).run(template_text, 0);
}

std::vector<Variable> variables_of_template(std::string_view text) {
    std::vector<Variable> list;
    for (auto dollar = text.find('$'); dollar != std::string_view::npos; dollar = text.find('$')) {
        text.remove_prefix(dollar + 1);
        if (text.starts_with('$')) {
            text.remove_prefix(1);
            continue;
        }
        const bool is_braced = text.starts_with('{');
        const std::string_view inside = is_braced ? text.substr(1) : text;
        const auto length = name_length(inside);
        const auto end = is_braced ? closing_brace(inside) : length;
        if (length == 0 || end == std::string_view::npos)
            continue;
        Variable variable{.name = std::string(inside.substr(0, length))};
        std::string_view word = inside.substr(length, end - length);
        if (word.starts_with(':'))
            word.remove_prefix(1);
        const char kind = word.empty() ? '\0' : word[0];
        word = word.substr(word.empty() ? 0 : 1);
        variable.required = kind == '?';
        if (kind == '-')
            variable.default_value = word;
        if (kind == '+')
            variable.alternate = word;
        list.push_back(std::move(variable));
        const auto nested = variables_of_template(word);
        list.insert(list.end(), nested.begin(), nested.end());
        text = inside.substr(end);
    }
    return list;
}

void interpolate_tree(Node& node,
                      const Variables& variables,
                      std::set<std::string>& warned,
                      Reporter& reporter,
                      Budget& budget) {
    if (budget.is_spent() || reporter.is_full())
        return;
    for (auto& item : node.items)
        interpolate_tree(item, variables, warned, reporter, budget);
    for (auto& [key, value] : node.entries) {
        if (key.text.find("${") != std::string::npos)
            reporter.warning(key.at,
                             "variable-in-key",
                             "variables in keys are not replaced",
                             "a list of NAME=value can have them");
        interpolate_tree(value, variables, warned, reporter, budget);
    }
    if (!node.is_scalar() || node.value.find('$') == std::string::npos)
        return;
    std::set<std::string> unset;
    auto value = interpolate(node.value, variables, unset);
    if (!value) {
        const bool required = value.error().message.starts_with("required variable");
        Location at = node.at;
        at.column += static_cast<int>(characters(node.value.substr(0, value.error().offset))) +
                     (node.quoted ? 1 : 0);
        at.length = 1;
        reporter.error(at,
                       required ? "required-variable" : "interpolation",
                       required ? value.error().message
                                : "invalid interpolation format: " + value.error().message,
                       required ? "set it in the environment or in .env"
                                : "you may need to escape any $ with another $");
        return;
    }
    for (const auto& name : unset)
        if (warned.insert(name).second)
            reporter.warning(
                node.at,
                "unset-variable",
                "The \"" + name + "\" variable is not set. Defaulting to a blank string.");
    if (budget.spend({0, value->size(), 0}, node.at))
        node.value = std::move(*value);
}

}  // namespace stack::loader
