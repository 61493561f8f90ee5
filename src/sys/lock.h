#pragma once

#include "sys/fd.h"

#include <cstdint>
#include <optional>
#include <string>

namespace stack::sys {

/// An exclusive flock(2) on a file, held while the object lives. The kernel drops it when the
/// holder dies.
class Lock {
  public:
    /// Waits until the lock is free. A file that is not there is made, with `mode`.
    [[nodiscard]] static Lock acquire(const std::string& path, std::uint32_t mode = 0600);
    /// nullopt where somebody else holds it.
    [[nodiscard]] static std::optional<Lock> try_acquire(const std::string& path);
    /// Whether somebody holds it exclusively now. Not where there is no such file.
    [[nodiscard]] static bool is_held(const std::string& path);
    /// Waits for a shared lock.
    [[nodiscard]] static Lock acquire_shared(const std::string& path);

    [[nodiscard]] const Fd& fd() const { return file_; }

  private:
    explicit Lock(Fd file) : file_(std::move(file)) {}

    Fd file_;
};

}  // namespace stack::sys
