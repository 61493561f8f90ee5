// Whatever stands for a port: what is taken is in range.

#include "loader/short_syntax.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto ports = stack::loader::parse_port(text);
    if (!ports) {
        if (ports.error().message.empty() || ports.error().offset > size)
            std::abort();
        return 0;
    }
    for (const auto& port : *ports)
        if (port.target == 0 ||
            (!port.published.empty() && !stack::loader::is_port_range(port.published)))
            std::abort();
    return 0;
}
