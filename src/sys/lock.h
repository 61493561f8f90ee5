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

/// The same on one of 2^62 parts of a file, which need not be that long: one file locks many
/// things, and none of them leaves a file behind (fcntl(2), open file description locks).
class PartLock {
  public:
    /// nullopt where somebody else holds it, be it in this process.
    [[nodiscard]] static std::optional<PartLock> try_acquire(const std::string& path,
                                                             std::uint64_t part);

  private:
    explicit PartLock(Fd file) : file_(std::move(file)) {}

    Fd file_;
};

}  // namespace stack::sys
