#pragma once

// A value or the reason why there is none, for parsers, where failure is local and normal.

#include <string>

#include <tl/expected.hpp>

namespace stack {

/// Why a piece of text is not what it should be: a sentence, and the offset in the text where it
/// goes wrong.
struct Malformed {
    std::string message;
    std::size_t offset = 0;
};

template <class T>
using Expected = tl::expected<T, Malformed>;

[[nodiscard]] inline tl::unexpected<Malformed> malformed(std::string message,
                                                         std::size_t offset = 0) {
    return tl::unexpected<Malformed>(Malformed{std::move(message), offset});
}

}  // namespace stack
