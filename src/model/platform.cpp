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
        part = part == "x86_64" ? "amd64" : part == "aarch64" ? "arm64" : part;
    return parts;
}

}  // namespace

bool fits_platform(const std::string& own, const std::string& wanted) {
    const Strings has = parts_of(own);
    const Strings wants = parts_of(wanted);
    for (std::size_t i = 0; i < std::min(has.size(), wants.size()); ++i)
        if (!has[i].empty() && !wants[i].empty() && has[i] != wants[i])
            return false;
    return true;
}

}  // namespace stack::model
