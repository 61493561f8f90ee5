#pragma once

// Layers that are packed here: gzip by ISA-L, which is many times faster than zlib and good enough
// (images.md 2.4).

#include <functional>
#include <memory>
#include <string_view>

namespace stack::fetch {

class Deflater {
  public:
    using OnBytes = std::function<void(std::string_view)>;

    explicit Deflater(OnBytes on_bytes);
    ~Deflater();
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;

    void feed(std::string_view bytes);
    void finish();

  private:
    struct State;

    void pump();

    OnBytes on_bytes_;
    std::unique_ptr<State> state_;
};

}  // namespace stack::fetch
