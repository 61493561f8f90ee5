#pragma once

// Lines of a file that somebody else appends to.

#include "sys/fd.h"

#include <optional>
#include <string>

namespace stack::sys {

class LogSource {
  public:
    explicit LogSource(const std::string& path);

    /// The next whole line, without its newline; nullopt at the end so far.
    [[nodiscard]] std::optional<std::string> next();
    /// Whether it is this file that is at `path` now.
    [[nodiscard]] bool is_at(const std::string& path) const;

  private:
    [[nodiscard]] bool forget_what_is_gone();

    Fd file_;
    std::string buffer_;
    std::size_t begin_ = 0;
};

/// Tells when one of several files has grown or was replaced (inotify on their directories).
class GrowthWatch {
  public:
    GrowthWatch();
    void add(const std::string& path);

    /// Readable when something happened since the last drain().
    [[nodiscard]] const Fd& fd() const { return inotify_; }

    void drain() const;

  private:
    Fd inotify_;
};

}  // namespace stack::sys
