#pragma once

// What this instance takes of the disk, by kind: docker's table.

#include "cli/context.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace stack::cli {

struct Usage {
    int count = 0;
    int active = 0;                // that something needs now
    std::int64_t size = 0;         // bytes
    std::int64_t reclaimable = 0;  // of those that nothing needs now
};

/// Images, Containers, Local Volumes and Build Cache. Reads all that containers have written.
[[nodiscard]] std::vector<std::pair<std::string, Usage>> disk_usage(const Context& context);

struct UsageSection {
    std::string title;
    std::vector<Strings> rows;  // the first is the head
};

/// The same, one by one.
[[nodiscard]] std::vector<UsageSection> detailed_usage(const Context& context);

}  // namespace stack::cli
