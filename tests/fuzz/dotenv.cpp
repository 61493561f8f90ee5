// Whatever stands in a file of variables, by both rules.

#include "loader/dotenv.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto none = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
    for (const bool raw : {false, true}) {
        stack::Diagnostics diagnostics;
        stack::loader::Reporter reporter(diagnostics);
        for (const auto& [name, value] :
             stack::loader::parse_dotenv("a.env", text, none, none, raw, reporter))
            if (!raw && name.empty())
                std::abort();
        for (const auto& diagnostic : diagnostics)
            if (diagnostic.location.line < 0)
                std::abort();
    }
    return 0;
}
