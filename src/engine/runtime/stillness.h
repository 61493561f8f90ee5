#pragma once

// A container that is frozen for a while.

#include "sys/fd.h"
#include "sys/process.h"

#include <optional>

namespace stack::runtime {

/// Thaws the container at its end, and at the end of this process, however that dies: a helper
/// waits for either.
class Stillness {
  public:
    /// Nothing is frozen.
    Stillness() = default;
    /// `helper` thaws when `end` is closed.
    Stillness(sys::Child helper, sys::Fd end);
    ~Stillness();
    Stillness(Stillness&&) = default;
    Stillness& operator=(Stillness&&) = delete;

  private:
    std::optional<sys::Child> helper_;
    sys::Fd end_;
};

}  // namespace stack::runtime
