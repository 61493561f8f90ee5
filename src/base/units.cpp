#include "base/units.h"

#include "base/text.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

namespace stack {
namespace {

using std::chrono::nanoseconds;

constexpr std::array<std::pair<std::string_view, std::int64_t>, 9> duration_units{{
    {"w", 7LL * 24 * 3600 * 1'000'000'000},
    {"d", 24LL * 3600 * 1'000'000'000},
    {"h", 3600LL * 1'000'000'000},
    {"m", 60LL * 1'000'000'000},
    {"s", 1'000'000'000},
    {"ms", 1'000'000},
    {"us", 1'000},
    {"µs", 1'000},
    {"ns", 1},
}};

struct Quantity {
    double value;
    std::string_view unit;
    std::size_t end;
};

/// A decimal number and the letters behind it, from `begin`.
Expected<Quantity> parse_quantity(std::string_view text, std::size_t begin) {
    std::size_t digits_end = begin;
    bool digit_seen = false;
    while (digits_end < text.size() &&
           ((text[digits_end] >= '0' && text[digits_end] <= '9') || text[digits_end] == '.')) {
        digit_seen = digit_seen || text[digits_end] != '.';
        ++digits_end;
    }
    const auto value = parse_number<double>(text.substr(begin, digits_end - begin));
    if (!digit_seen || !value)
        return malformed("a number is expected", begin);
    std::size_t unit_end = digits_end;
    while (unit_end < text.size() && !(text[unit_end] >= '0' && text[unit_end] <= '9') &&
           text[unit_end] != '.')
        ++unit_end;
    return Quantity{*value, text.substr(digits_end, unit_end - digits_end), unit_end};
}

constexpr double int64_limit = 9.2e18;

/// `total` and `value` units more; nullopt where that is too much. Whole numbers stay exact, also
/// where a double has no room for their nanoseconds.
std::optional<std::int64_t> plus(std::int64_t total, double value, std::int64_t unit) {
    if (value * static_cast<double>(unit) > int64_limit)
        return std::nullopt;
    const std::int64_t more = value == std::floor(value)
                                  ? static_cast<std::int64_t>(value) * unit
                                  : std::llround(value * static_cast<double>(unit));
    const auto limit = static_cast<std::int64_t>(int64_limit);
    return more > limit - total ? std::nullopt : std::optional(total + more);
}

}  // namespace

Expected<nanoseconds> parse_duration(std::string_view text) {
    text = trim(text);
    if (text == "0")
        return nanoseconds{0};
    if (text.empty())
        return malformed("a duration is expected, such as 30s or 1m30s");
    std::int64_t total = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto quantity = parse_quantity(text, at);
        if (!quantity)
            return malformed("a duration is expected, such as 30s or 1m30s", at);
        const auto* unit = duration_units.begin();
        while (unit != duration_units.end() && unit->first != quantity->unit)
            ++unit;
        if (unit == duration_units.end())
            return malformed(quantity->unit.empty()
                                 ? "the unit is missing: us, ms, s, m, h, d or w"
                                 : "unknown unit `" + std::string(quantity->unit) +
                                       "`: us, ms, s, m, h, d or w are known",
                             at);
        const auto sum = plus(total, quantity->value, unit->second);
        if (!sum)
            return malformed("the duration is too long");
        total = *sum;
        at = quantity->end;
    }
    return nanoseconds{total};
}

Expected<std::int64_t> parse_bytes(std::string_view text) {
    text = trim(text);
    const auto quantity = parse_quantity(text, 0);
    if (!quantity || quantity->end != text.size())
        return malformed("a size is expected, such as 512m or 1.5g");
    std::string unit = to_lower(trim(quantity->unit));
    if (unit.size() == 3 && unit.substr(1) == "ib")
        unit.resize(1);
    if (unit.size() == 2 && unit[1] == 'b')
        unit.resize(1);
    constexpr std::string_view powers = "bkmgtp";
    const auto power = unit.empty() ? 0 : powers.find(unit);
    if (unit.size() > 1 || power == std::string_view::npos)
        return malformed("unknown unit `" + std::string(quantity->unit) +
                         "`: b, k, m, g or t are known");
    const double bytes = quantity->value * std::pow(1024.0, static_cast<double>(power));
    if (bytes > int64_limit)
        return malformed("the size is too large");
    return static_cast<std::int64_t>(bytes);
}

std::string format_duration(nanoseconds duration) {
    std::int64_t rest = duration.count();
    if (rest == 0)
        return "0s";
    std::string text = rest < 0 ? "-" : "";
    rest = std::abs(rest);
    for (const auto& [unit, size] : duration_units) {
        if (unit == "w" || unit == "d" || unit == "µs")
            continue;
        if (rest >= size) {
            text += std::to_string(rest / size);
            text += unit;
        }
        rest %= size;
    }
    return text;
}

std::string format_bytes(std::int64_t bytes) {
    constexpr std::array<const char*, 6> units{"B", "kB", "MB", "GB", "TB", "PB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1000 && unit + 1 < units.size(); ++unit)
        value /= 1000;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f%s" : "%.3g%s", value, units[unit]);
    return text.data();
}

std::string format_age(std::chrono::seconds age) {
    const auto seconds = age.count();
    const auto some = [](std::int64_t count, const char* unit) {
        return std::to_string(count) + " " + unit + (count == 1 ? "" : "s");
    };
    if (seconds < 1)
        return "Less than a second";
    if (seconds < 60)
        return some(seconds, "second");
    if (seconds < 120)
        return "About a minute";
    if (seconds < 3600)
        return some(seconds / 60, "minute");
    if (seconds < 5400)
        return "About an hour";
    if (seconds < 48 * 3600)
        return some((seconds + 1800) / 3600, "hour");
    if (seconds < 14 * 86400)
        return some(seconds / 86400, "day");
    if (seconds < 60 * 86400)
        return some(seconds / (7 * 86400), "week");
    if (seconds < 2 * 365 * 86400)
        return some(seconds / (30 * 86400), "month");
    return some(seconds / (365 * 86400), "year");
}

}  // namespace stack
