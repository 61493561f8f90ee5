#include "cli/filters.h"

#include "base/text.h"
#include "base/units.h"
#include "cli/context.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>

namespace stack::cli {

Filters::Filters(const Strings& texts, const Strings& keys) {
    for (const auto& text : texts) {
        auto pair = split_once(text, '=');
        if (text.find('=') == std::string::npos ||
            std::find(keys.begin(), keys.end(), pair.first) == keys.end())
            give_up("--filter knows " + join(keys, "=, ") + "=, not \"" + text + "\"");
        pairs_.push_back(std::move(pair));
    }
}

bool Filters::hold(const Test& test) const {
    std::map<std::string, bool> holds;
    for (const auto& [key, value] : pairs_) {
        const bool passed = test(key, value);
        if (!passed && key.starts_with("label"))
            return false;
        bool& any = holds[key];
        any = any || passed;
    }
    return std::all_of(holds.begin(), holds.end(), [](const auto& key) { return key.second; });
}

bool Filters::have(const std::string& key) const {
    return std::any_of(
        pairs_.begin(), pairs_.end(), [&](const auto& pair) { return pair.first == key; });
}

bool has_label(const StringMap& labels, const std::string& wanted) {
    const auto [name, value] = split_once(wanted, '=');
    const auto label = labels.find(name);
    return label != labels.end() &&
           (wanted.find('=') == std::string::npos || label->second == value);
}

namespace {

/// RFC 3339 or a part of it (UTC where it names no zone), Unix seconds, or how long ago.
Time until_of(const std::string& text) {
    constexpr std::int64_t latest = 9'000'000'000;  // what Time holds
    if (const auto seconds = parse_number<std::int64_t>(text);
        seconds && *seconds >= 0 && *seconds < latest)
        return std::chrono::system_clock::from_time_t(*seconds);
    if (const auto age = parse_duration(text))
        return std::chrono::system_clock::now() - std::chrono::duration_cast<Time::duration>(*age);
    for (const auto* form : {"%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"}) {
        std::tm parts{};
        const char* end = ::strptime(text.c_str(), form, &parts);
        const long offset = parts.tm_gmtoff;
        if (end != nullptr && *end == '\0')
            return std::chrono::system_clock::from_time_t(::timegm(&parts) - offset);
    }
    give_up("--filter until is 24h, a date or Unix seconds, not \"" + text + "\"");
}

}  // namespace

bool is_until(Time time, const std::string& until) {
    return time < until_of(until);
}

bool truth_of(const std::string& key, const std::string& value) {
    if (value == "true" || value == "1")
        return true;
    if (value == "false" || value == "0")
        return false;
    give_up("--filter " + key + " is true or false, not \"" + value + "\"");
}

}  // namespace stack::cli
