#pragma once

#include <cstddef>
#include <string>

namespace stack {

/// `digits` random hexadecimal digits from the operating system, as container ids have 64.
[[nodiscard]] std::string random_hex(std::size_t digits);

}  // namespace stack
