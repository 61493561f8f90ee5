#pragma once

// An owned file descriptor, and how the kernel's refusals become stack::Error.

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

namespace stack::sys {

/// Owns a descriptor; -1 is none. Descriptors of this program are close-on-exec from birth.
class Fd {
  public:
    Fd() = default;

    explicit Fd(int fd) noexcept : fd_(fd) {}

    Fd(Fd&& other) noexcept : fd_(other.release()) {}

    Fd& operator=(Fd&& other) noexcept {
        reset(other.release());
        return *this;
    }

    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;

    ~Fd() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }

    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    void reset(int fd = -1) noexcept;

    explicit operator bool() const noexcept { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

/// Throws stack::Error "<what>: <text of errno>".
[[noreturn]] void fail(std::string_view what, int error = errno);

/// Passes a system call's result through; throws as fail() does where it is negative.
template <class T>
T check(T result, std::string_view what) {
    if (result < 0)
        fail(what);
    return result;
}

/// Whether this process has the descriptor.
[[nodiscard]] bool is_open(int fd);

/// Another descriptor of the same open file, close-on-exec, not below `lowest`.
[[nodiscard]] Fd duplicate(const Fd& fd, int lowest = 3);

}  // namespace stack::sys
