// Whatever stands for a volume, a device or a host: what is taken has what it needs.

#include "loader/short_syntax.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto mount = stack::loader::parse_volume(text);
        mount && !mount->target.starts_with('/'))
        std::abort();
    if (const auto device = stack::loader::parse_device(text); device && device->source.empty())
        std::abort();
    if (const auto host = stack::loader::parse_extra_host(text); host && host->first.empty())
        std::abort();
    return 0;
}
