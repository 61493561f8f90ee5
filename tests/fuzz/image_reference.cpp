// Whatever stands for an image: what is taken has one canonical name, which means the same.

#include "engine/image/reference.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stack::image;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto reference = parse_reference(text);
    if (!reference)
        return 0;
    for (const auto& name : {canonical(*reference), familiar(*reference)}) {
        const auto again = parse_reference(name);
        if (!again || canonical(*again) != canonical(*reference))
            std::abort();
    }
    return 0;
}
