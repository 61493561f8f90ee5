#pragma once

#include <string>

namespace stack::sys {

/// Whether it is a pipe, `<(…)` of a shell among them (fifo(7)): what is written there is read
/// once. False where there is nothing.
[[nodiscard]] bool is_fifo(const std::string& path);

}  // namespace stack::sys
