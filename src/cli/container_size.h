#pragma once

// What a container, or a volume, takes of the disk.

#include <stack/observed.h>

#include "cli/context.h"

#include <cstdint>
#include <string>

namespace stack::cli {

struct ContainerSize {
    std::int64_t written = 0;  // its own writable layer
    std::int64_t image = 0;    // what it shares with others of its image
};

/// Reads the whole writable layer.
[[nodiscard]] ContainerSize size_of(const Paths& paths, const ObservedContainer& container);

/// `2B (virtual 1.2MB)`.
[[nodiscard]] std::string size_text(const ContainerSize& size);

/// Reads the whole volume; 0 where there is none.
[[nodiscard]] std::int64_t volume_size(const Paths& paths, const std::string& name);

}  // namespace stack::cli
