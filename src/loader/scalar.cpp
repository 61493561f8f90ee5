#include "loader/scalar.h"

#include "base/text.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

namespace stack::loader {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Digits behind their prefix, and what they count in.
std::pair<std::string_view, int> digits_of(std::string_view unsigned_text) {
    if (unsigned_text.size() > 1 && unsigned_text[0] == '0') {
        const char kind = unsigned_text[1];
        if (kind == 'x' || kind == 'X')
            return {unsigned_text.substr(2), 16};
        if (kind == 'o' || kind == 'O')
            return {unsigned_text.substr(2), 8};
        if (kind == 'b' || kind == 'B')
            return {unsigned_text.substr(2), 2};
        return {unsigned_text.substr(1), 8};
    }
    return {unsigned_text, 10};
}

std::optional<std::string> integer_text(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+'))
        text.remove_prefix(1);
    const auto [digits, base] = digits_of(text);
    std::uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size())
        return std::nullopt;
    constexpr std::uint64_t least = std::uint64_t{1} << 63U;
    if (negative && value > least)
        return std::nullopt;
    return (negative && value != 0 ? "-" : "") + std::to_string(value);
}

/// [-+]? ( .digits | digits [. digits] ) [ e [-+] digits ]
bool is_float(std::string_view text) {
    std::size_t i = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
    const auto digits = [&] {
        const std::size_t begin = i;
        while (i < text.size() && is_digit(text[i]))
            ++i;
        return i - begin;
    };
    const std::size_t before = digits();
    std::size_t behind = 0;
    if (i < text.size() && text[i] == '.') {
        ++i;
        behind = digits();
    }
    if (before + behind == 0)
        return false;
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '-' || text[i] == '+'))
            ++i;
        if (digits() == 0)
            return false;
    }
    return i == text.size();
}

/// The shortest text that is this number again, with an exponent as Go's %v has one.
std::optional<std::string> float_text(std::string_view text) {
    if (text.starts_with('+'))
        text.remove_prefix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    const double size = value < 0 ? -value : value;
    const auto format = value == 0 || (size >= 1e-4 && size < 1e21) ? std::chars_format::fixed
                                                                    : std::chars_format::scientific;
    std::array<char, 64> buffer{};
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
    return std::string(buffer.data(), written.ptr);
}

}  // namespace

std::optional<std::string> number_text(std::string_view plain) {
    if (plain.empty() ||
        (!is_digit(plain[0]) && plain[0] != '-' && plain[0] != '+' && plain[0] != '.'))
        return std::nullopt;
    const std::string text = replace_all(std::string(plain), "_", "");
    if (auto integer = integer_text(text))
        return integer;
    return is_float(text) ? float_text(text) : std::nullopt;
}

std::optional<std::string> boolean_text(std::string_view plain) {
    if (plain == "true" || plain == "True" || plain == "TRUE")
        return "true";
    if (plain == "false" || plain == "False" || plain == "FALSE")
        return "false";
    return std::nullopt;
}

}  // namespace stack::loader
