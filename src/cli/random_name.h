#pragma once

#include <functional>
#include <string>

namespace stack::cli {

/// A name for something nobody has named: `quiet_harbour`. One that `is_taken` says so of gets a
/// number.
[[nodiscard]] std::string random_name(const std::function<bool(const std::string&)>& is_taken);

}  // namespace stack::cli
