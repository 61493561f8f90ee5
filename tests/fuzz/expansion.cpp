// Whatever stands in an instruction's argument: its variables are replaced within bounds, and text
// without a dollar, a quote or an escape stays as it is.

#include "engine/build/expand.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stack;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const StringMap variables{{"A", "a*b"}, {"EMPTY", ""}, {"LONG", std::string(300, 'x')}};
    const auto value = build::expand(text, variables);
    static_cast<void>(build::expand(text, variables, '`', build::Quotes::kept));
    static_cast<void>(build::expand_words(text, variables));
    if (!value && value.error().message.empty())
        std::abort();
    if (text.find_first_of("$\\\"'") == std::string::npos && (!value || *value != text))
        std::abort();
    return 0;
}
