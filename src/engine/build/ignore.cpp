#include "engine/build/ignore.h"

#include "base/text.h"

namespace stack::build {

std::string clean_path(std::string_view path) {
    Strings parts;
    for (auto& part : split(path, '/')) {
        if (part == "..") {
            if (!parts.empty())
                parts.pop_back();
        } else if (!part.empty() && part != ".") {
            parts.push_back(std::move(part));
        }
    }
    return join(parts, "/");
}

Expected<std::optional<IgnoreRules::Rule>> IgnoreRules::parse_rule(std::string_view line) {
    Rule rule;
    line = trim(line);
    if (line.starts_with('!')) {
        rule.takes_back = true;
        line = trim(line.substr(1));
        if (line.empty())
            return malformed("`!` is not followed by a pattern");
    }
    const std::string pattern = clean_path(line);
    if (pattern.empty())
        return std::optional<Rule>();
    auto glob = Glob::compile(pattern, GlobStyle::wildcard);
    if (!glob)
        return malformed("the pattern `" + std::string(line) +
                         "` is wrong: " + glob.error().message);
    rule.pattern = std::move(*glob);
    return std::optional(std::move(rule));
}

IgnoreRules IgnoreRules::parse(std::string_view text,
                               const std::string& file,
                               Diagnostics& diagnostics) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark))
        text.remove_prefix(byte_order_mark.size());
    IgnoreRules rules;
    int number = 0;
    for (const auto& line : split(text, '\n')) {
        ++number;
        if (line.starts_with('#'))
            continue;
        auto rule = parse_rule(line);
        if (!rule)
            diagnostics.push_back({Severity::error,
                                   "bad-pattern",
                                   rule.error().message,
                                   {file, number, 1, static_cast<int>(line.size())},
                                   {},
                                   {}});
        else if (*rule)
            rules.rules_.push_back(std::move(**rule));
    }
    return rules;
}

Expected<IgnoreRules> IgnoreRules::from_patterns(const Strings& patterns) {
    IgnoreRules rules;
    for (const auto& pattern : patterns) {
        auto rule = parse_rule(pattern);
        if (!rule)
            return tl::unexpected(rule.error());
        if (*rule)
            rules.rules_.push_back(std::move(**rule));
    }
    return rules;
}

bool IgnoreRules::excludes(std::string_view path) const {
    for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
        if (rule->pattern.matches_at_or_above(path))
            return !rule->takes_back;
    }
    return false;
}

bool IgnoreRules::may_include_below(std::string_view directory) const {
    const std::string below = std::string(directory) + "/";
    for (const auto& rule : rules_) {
        if (rule.takes_back && rule.pattern.may_match_below(below))
            return true;
    }
    return false;
}

}  // namespace stack::build
