#pragma once

// Running the static helper (src/shim) from a copy in memory, so that nothing in a container can
// reach the file on disk through /proc (CVE-2019-5736).

#include "sys/process.h"

#include <string>
#include <utility>
#include <vector>

namespace stack::runtime {

/// Starts `stack-shim ROLE` with `spec` on descriptor 3 and the given descriptors ({ours, the
/// helper's}).
[[nodiscard]] sys::Child start_helper(const char* role,
                                      const std::string& spec,
                                      std::vector<std::pair<int, int>> descriptors,
                                      bool new_session);
/// The same without a `spec`.
[[nodiscard]] sys::Child start_helper(const char* role,
                                      std::vector<std::pair<int, int>> descriptors,
                                      bool new_session);

/// The helper's file on disk, for a container's own process 1 (`init: true`).
[[nodiscard]] std::string helper_file();

}  // namespace stack::runtime
