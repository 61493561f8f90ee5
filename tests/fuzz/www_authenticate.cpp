// Whatever a registry asks for: what is sent goes where secrets may go.

#include "fetch/auth.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stack::fetch;
    const std::string header(reinterpret_cast<const char*>(data), size);
    const auto chosen = choose_challenge(parse_challenges({header, "Basic realm=\"r\"", header}));
    if (!chosen || (chosen->scheme != "bearer" && chosen->scheme != "basic"))
        std::abort();
    const std::string url = token_url(*chosen, {"repository:a/b:pull"});
    static_cast<void>(token_form(chosen->parameters, {"a"}, "token"));
    const std::string endpoint = "https://registry.example";
    if (may_carry_secrets(url, endpoint) && !origin(url).starts_with("https://"))
        std::abort();
    return 0;
}
