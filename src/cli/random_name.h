#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace stack::cli {

/// A name for something nobody has named: `quiet_harbour`. One that `is_taken` says so of gets a
/// number. Seeds that are near each other have different names, so that processes which look for
/// one at once do not meet where their own numbers are the seeds.
[[nodiscard]] std::string random_name(std::uint32_t seed,
                                      const std::function<bool(const std::string&)>& is_taken);

}  // namespace stack::cli
