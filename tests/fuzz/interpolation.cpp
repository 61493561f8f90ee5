// Whatever stands in a template: it is replaced within bounds, and what has no dollar stays as it
// is.

#include "loader/interpolate.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto variables = [](const std::string& name) -> std::optional<std::string> {
        return name == "EMPTY" ? std::optional<std::string>("")
               : name == "A"   ? std::optional<std::string>("value $B ${C}")
                               : std::nullopt;
    };
    std::set<std::string> unset;
    const auto value = stack::loader::interpolate(text, variables, unset);
    if (text.find('$') == std::string::npos && (!value || *value != text))
        std::abort();
    if (!value && (value.error().message.empty() || value.error().offset > text.size()))
        std::abort();
    for (const auto& variable : stack::loader::variables_of_template(text))
        if (variable.name.empty())
            std::abort();
    return 0;
}
