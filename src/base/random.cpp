#include "base/random.h"

#include <random>

namespace stack {

std::string random_hex(std::size_t digits) {
    constexpr char alphabet[] = "0123456789abcdef";
    std::random_device device;
    std::string text(digits, '0');
    unsigned int bits = 0;
    for (std::size_t i = 0; i < digits; ++i) {
        if (i % 8 == 0)
            bits = device();
        text[i] = alphabet[bits & 15U];
        bits >>= 4U;
    }
    return text;
}

}  // namespace stack
