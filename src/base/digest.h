#pragma once

// SHA-256, as OCI digests use it.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace stack {

/// A running SHA-256. Not copyable; `finish()` once.
class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(std::string_view bytes);
    /// 64 lower-case hexadecimal digits.
    [[nodiscard]] std::string finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

/// `sha256:<hex>` and nothing else.
[[nodiscard]] bool is_digest(std::string_view text);

}  // namespace stack
