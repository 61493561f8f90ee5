#pragma once

// A container that is frozen for a while.

#include "sys/fd.h"
#include "sys/process.h"

#include <optional>
#include <string>

namespace stack::runtime {

/// Thaws the container at its end, and at the end of this process, however that dies: a helper
/// waits for either. Where the helper dies first, this one thaws.
class Stillness {
  public:
    /// Nothing is frozen.
    Stillness() = default;
    /// `helper` thaws when `end` is closed; whoever writes `word` to `freezer` does it, too.
    Stillness(sys::Child helper, sys::Fd end, sys::Fd freezer, std::string word);
    ~Stillness();
    Stillness(Stillness&&) = default;
    Stillness& operator=(Stillness&&) = delete;

  private:
    std::optional<sys::Child> helper_;
    sys::Fd end_;
    sys::Fd freezer_;
    std::string word_;
};

}  // namespace stack::runtime
