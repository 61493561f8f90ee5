// Whatever stands for a size: what is taken is no less than nothing.

#include "base/units.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto value = stack::parse_bytes(text);
    if (value && *value < 0)
        std::abort();
    if (!value && value.error().offset > size)
        std::abort();
    return 0;
}
