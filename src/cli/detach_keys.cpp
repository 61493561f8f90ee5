#include "cli/detach_keys.h"

#include "base/text.h"

namespace stack::cli {
namespace {

std::optional<char> parse_key(const std::string& key) {
    constexpr std::string_view prefix = "ctrl-";
    constexpr std::string_view controls = "@abcdefghijklmnopqrstuvwxyz[\\]^_";  // by code
    if (key.size() == 1)
        return key.front();
    if (!key.starts_with(prefix) || key.size() != prefix.size() + 1)
        return std::nullopt;
    const auto code = controls.find(key.back());
    return code == std::string_view::npos ? std::nullopt : std::optional(static_cast<char>(code));
}

}  // namespace

std::optional<std::string> parse_keys(std::string_view list) {
    std::string keys;
    for (const auto& name : split(list, ',')) {
        const auto key = parse_key(name);
        if (!key)
            return std::nullopt;
        keys += *key;
    }
    return keys;
}

std::string DetachKeys::pass(std::string_view given) {
    std::string passed;
    for (const char key : given) {
        if (typed())
            break;
        std::string recent = sequence_.substr(0, held_) + key;
        // The longest end of what was typed that may still become the sequence stays here.
        while (!sequence_.starts_with(recent)) {
            passed += recent.front();
            recent.erase(0, 1);
        }
        held_ = recent.size();
    }
    return passed;
}

}  // namespace stack::cli
