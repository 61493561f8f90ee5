#include "base/device_rule.h"

#include "base/text.h"

namespace stack {
namespace {

/// A number or `*`; false where it is neither.
bool take_number(const std::string& text, std::optional<std::uint32_t>& number) {
    if (text == "*")
        return true;
    number = parse_number<std::uint32_t>(text);
    return number.has_value();
}

}  // namespace

Expected<DeviceRule> parse_device_rule(std::string_view text) {
    const auto refused = malformed("a device rule is KIND MAJOR:MINOR ACCESS, as in c 188:* rwm");
    const auto words = split(text, ' ');
    DeviceRule rule;
    if (words.size() != 3 || words[0].size() != 1 || words[2].empty() ||
        std::string_view("abc").find(words[0].front()) == std::string_view::npos ||
        words[2].find_first_not_of("rwm") != std::string::npos)
        return refused;
    rule.kind = words[0].front();
    const auto [major_text, minor_text] = split_once(words[1], ':');
    if (!take_number(major_text, rule.major_number) || !take_number(minor_text, rule.minor_number))
        return refused;
    rule.may_read = words[2].find('r') != std::string::npos;
    rule.may_write = words[2].find('w') != std::string::npos;
    rule.may_make = words[2].find('m') != std::string::npos;
    return rule;
}

}  // namespace stack
