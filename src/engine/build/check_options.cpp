#include "engine/build/check_options.h"

#include "base/text.h"

#include <algorithm>

namespace stack::build {
namespace {

bool is_true(const std::string& value) {
    return value == "true" || value == "1";
}

bool names(const Strings& rules, const std::string& wanted) {
    return std::any_of(rules.begin(), rules.end(), [&](const std::string& rule) {
        return rule == "all" || rule == wanted;
    });
}

Strings rules_of(const std::string& value) {
    Strings rules;
    for (const auto& rule : split(value, ','))
        rules.emplace_back(trim(rule));
    return rules;
}

}  // namespace

bool CheckOptions::asks_for(const std::string& experimental_rule) const {
    return names(experimental, experimental_rule);
}

Expected<CheckOptions> parse_check_options(std::string_view text) {
    CheckOptions options;
    for (const auto& part : split(text, ';')) {
        const auto [written, text_of_value] = split_once(part, '=');
        const std::string key(trim(written));
        const std::string value(trim(text_of_value));
        if (key == "skip")
            options.skip = rules_of(value);
        else if (key == "error" && (is_true(value) || value == "false" || value == "0"))
            options.error = is_true(value);
        else if (key == "error")
            return malformed("`error` of a check is true or false, not `" + value + "`");
        else if (key == "experimental")
            options.experimental = rules_of(value);
        else if (!trim(part).empty())
            return malformed("a check is skip=RULE,… or error=true, not `" +
                             std::string(trim(part)) + "`");
    }
    return options;
}

Diagnostics checked(Diagnostics found, const CheckOptions& options) {
    std::erase_if(found, [&](const Diagnostic& one) {
        return one.severity == Severity::warning && names(options.skip, one.code);
    });
    if (options.error)
        for (auto& one : found)
            one.severity = Severity::error;
    return found;
}

}  // namespace stack::build
