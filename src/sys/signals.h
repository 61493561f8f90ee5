#pragma once

// Signals as something to read.

#include "sys/fd.h"

#include <csignal>
#include <initializer_list>
#include <optional>

namespace stack::sys {

/// Blocks the signals for this process and delivers them here, while it lives.
class SignalWatch {
  public:
    explicit SignalWatch(std::initializer_list<int> signals);
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

    [[nodiscard]] const Fd& fd() const { return fd_; }

    /// A signal that has come; nullopt where none has.
    [[nodiscard]] std::optional<int> next() const;

  private:
    Fd fd_;
    sigset_t watched_{};
    sigset_t before_{};
};

/// Waits until one of the descriptors is readable or the time is over (-1: without end), in
/// milliseconds.
void wait_readable(std::initializer_list<int> descriptors, int milliseconds);

/// Now. One whose other end is gone is, too.
[[nodiscard]] bool is_readable(const Fd& fd);

}  // namespace stack::sys
