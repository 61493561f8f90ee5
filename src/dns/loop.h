#pragma once

// The event loop of the name service: epoll, and a tick while somebody waits for one. Callbacks may
// remove watches, their own as well.

#include "sys/fd.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

namespace stack::dns {

using Instant = std::chrono::steady_clock::time_point;

class Loop {
  public:
    using Callback = std::function<void(std::uint32_t events)>;

    Loop();

    /// Calls `callback` with the events of epoll_ctl(2) that occur. The descriptor stays open until
    /// unwatch().
    std::uint64_t watch(const sys::Fd& fd, std::uint32_t events, Callback callback);
    void change(std::uint64_t watch, const sys::Fd& fd, std::uint32_t events);
    void unwatch(std::uint64_t watch, const sys::Fd& fd);

    /// Handles what has happened, or waits for it: without end, or for a tick of a quarter of a
    /// second.
    void run_once(bool tick);

  private:
    sys::Fd epoll_;
    std::uint64_t last_ = 0;
    std::unordered_map<std::uint64_t, std::shared_ptr<Callback>> callbacks_;
};

}  // namespace stack::dns
