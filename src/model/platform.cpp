#include "model/platform.h"

#include <stack/model.h>

#include "base/text.h"

#include <algorithm>

namespace stack::model {
namespace {

/// An architecture alone is one of Linux.
Strings parts_of(const std::string& platform) {
    Strings parts = split(platform, '/');
    if (parts.size() == 1 && !platform.empty() && platform != "linux")
        parts.insert(parts.begin(), "linux");
    for (auto& part : parts)
        part = architecture_of(part);
    return parts;
}

}  // namespace

std::string architecture_of(const std::string& word) {
    if (word == "x86_64")
        return "amd64";
    return word == "aarch64" ? "arm64" : word;
}

bool fits_platform(const std::string& own, const std::string& wanted) {
    const Strings has = parts_of(own);
    const Strings wants = parts_of(wanted);
    for (std::size_t i = 0; i < std::min(has.size(), wants.size()); ++i)
        if (!has[i].empty() && !wants[i].empty() && has[i] != wants[i])
            return false;
    return true;
}

}  // namespace stack::model
