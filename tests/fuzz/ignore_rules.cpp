// Whatever stands in a .dockerignore, before the first empty line, of a path, after it: the answer
// comes within bounds, and what an excluded directory may still show agrees with it.

#include "engine/build/ignore.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stack;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto gap = text.find("\n\n");
    const std::string path = gap == std::string::npos ? "a/b/c" : text.substr(gap + 2, 200);
    Diagnostics diagnostics;
    const auto rules = build::IgnoreRules::parse(text.substr(0, gap), ".dockerignore", diagnostics);
    if (has_errors(diagnostics) || path.empty())
        return 0;
    const bool excluded = rules.excludes(path);
    static_cast<void>(rules.may_include_below(path));
    if (excluded != rules.excludes(path))
        std::abort();
    return 0;
}
