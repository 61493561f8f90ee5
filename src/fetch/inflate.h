#pragma once

// The bytes of a layer, whatever they are packed with: gzip (of several members), zstd (of several
// frames, with skippable ones) or nothing, told apart by their first bytes, not by what the
// manifest says.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace stack::fetch {

enum class Packing { none, gzip, zstd };

/// So many bytes at the beginning say how the rest is packed.
constexpr std::size_t enough_to_tell = 4;
[[nodiscard]] Packing packing_of(std::string_view head);

class Inflater {
  public:
    using OnBytes = std::function<void(std::string_view)>;

    explicit Inflater(OnBytes on_bytes);
    ~Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    /// Throws stack::Error where the bytes are damaged.
    void feed(std::string_view bytes);
    /// Throws where the stream ends in the middle.
    void finish();

    class Format;

  private:
    void choose();

    OnBytes on_bytes_;
    std::string head_;  // until there is enough to tell the format
    std::unique_ptr<Format> format_;
};

}  // namespace stack::fetch
