#pragma once

// The packed bytes of a layer that is being downloaded. What has come outlives a broken transfer
// and the process, so that the next try goes on from there.

#include "sys/fd.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stack::fetch {

class PartialFile {
  public:
    /// Opens or makes the file, and waits until nobody else writes it.
    explicit PartialFile(std::string path);

    [[nodiscard]] const std::string& path() const { return path_; }

    /// Calls `each` with what has come before. The next append() goes behind it.
    void read(const std::function<void(std::string_view)>& each) const;
    void append(std::string_view bytes) const;

    /// Postcondition: it is empty.
    void restart() const;
    /// Postcondition: nothing is left of it.
    void discard() const;

  private:
    std::string path_;
    sys::Fd file_;
};

}  // namespace stack::fetch
