// Whatever stands for a duration: what is taken prints to what reads the same.

#include "base/units.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto value = stack::parse_duration(text);
    if (!value)
        return 0;
    const auto again = stack::parse_duration(stack::format_duration(*value));
    if (!again || *again != *value)
        std::abort();
    return 0;
}
