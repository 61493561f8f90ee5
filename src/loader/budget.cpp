#include "loader/budget.h"

#include <algorithm>

namespace stack::loader {

Extent extent_of(const Node& node) {
    Extent whole{1, node.value.size(), 0};
    const auto add = [&](const Node& child) {
        const Extent part = extent_of(child);
        whole.values += part.values;
        whole.text += part.text;
        whole.depth = std::max(whole.depth, part.depth + 1);
    };
    for (const auto& item : node.items)
        add(item);
    for (const auto& [key, value] : node.entries) {
        ++whole.values;
        whole.text += key.text.size();
        add(value);
    }
    return whole;
}

bool Budget::has(const Extent& extent) {
    values_ += extent.values;
    text_ += extent.text;
    return values_ <= most_values && text_ <= most_text;
}

bool Budget::complain(const Location& at) {
    if (!spent_)
        reporter_.error(
            at,
            "too-large",
            values_ > most_values
                ? "the stack, with its aliases, includes and extends written out, has more than "
                  "600,000 keys and values"
                : "the stack, with its aliases, variables and env_files written out, is larger "
                  "than 32 MiB",
            "it is here that the limit is passed: does something multiply itself?");
    spent_ = true;
    return false;
}

}  // namespace stack::loader
