#pragma once

// A few things at once, in threads that end before the call does.

#include <cstddef>
#include <functional>

namespace stack::fetch {

/// Calls `work(worker, index)` for each index below `count`, in at most `workers` threads. After
/// the first failure no new one begins, `stop` is called, and the failure is thrown in the end.
void work_together(std::size_t count,
                   std::size_t workers,
                   const std::function<void(std::size_t worker, std::size_t index)>& work,
                   const std::function<void()>& stop = {});

}  // namespace stack::fetch
