// Whatever somebody gives to --format.

#include "cli/template.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <nlohmann/json.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const nlohmann::json container = {
        {"Names", "a-b"},
        {"State", {{"Status", "running"}}},
        {"Labels", {{"a", "1"}}},
        {"Args", {"x", "y"}},
        {"Size", 12},
    };
    const auto parsed = stack::cli::Template::parse(text);
    if (!parsed)
        return parsed.error().message.empty() ? (std::abort(), 1) : 0;
    const auto rendered = parsed->render(container);
    if (!rendered && rendered.error().message.empty())
        std::abort();
    return 0;
}
