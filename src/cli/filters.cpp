#include "cli/filters.h"

#include "base/text.h"
#include "cli/context.h"
#include "cli/describe.h"
#include "cli/options.h"

#include <algorithm>
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

bool is_until(Time time, const std::string& until) {
    return time_text(time) < time_option(until, "--filter until");
}

bool truth_of(const std::string& key, const std::string& value) {
    if (value == "true" || value == "1")
        return true;
    if (value == "false" || value == "0")
        return false;
    give_up("--filter " + key + " is true or false, not \"" + value + "\"");
}

}  // namespace stack::cli
