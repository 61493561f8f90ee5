#pragma once

// Where an image layout is written to: a directory, or a tar.

#include "engine/image/tar_stream.h"
#include "sys/fd.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace stack::fetch {

class LayoutTarget {
  public:
    virtual ~LayoutTarget() = default;
    virtual void put(const std::string& name, std::string_view bytes) = 0;
    /// A blob's file; its name says what is in it.
    virtual void put_blob(const std::string& hex, const sys::Fd& file, std::int64_t size) = 0;
    /// What was put there survives a loss of power: now it may be named.
    virtual void settle() = 0;
    virtual void finish() = 0;
    /// The index.json that is there already; "" where there is none.
    [[nodiscard]] virtual std::string index() const = 0;
};

/// `target` is a directory or a file that is open for writing.
[[nodiscard]] std::unique_ptr<LayoutTarget> make_target(const sys::Fd& target);

}  // namespace stack::fetch
