// Whatever stands in a stack file: it is loaded or refused, and what is loaded prints to what loads
// to the same again.

#include <stack/load.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

stack::LoadResult loaded(const std::string& text) {
    stack::LoadInput input{.files = {"/p/compose.yaml"}, .project_directory = "/p"};
    input.environment = {{"A", "a"}, {"EMPTY", ""}, {"PORT", "8080"}, {"TOKEN", "t"}};
    input.profiles = {"*"};
    input.lint = true;
    input.read_file = [&text](const std::string& path) -> std::optional<std::string> {
        if (path == "/p/compose.yaml")
            return text;
        if (path == "/p/other.yaml")
            return "services: {base: {image: x, environment: {A: 1}}}\n";
        return path == "/p/a.env" ? std::optional<std::string>("A=1\nB=${A}\n") : std::nullopt;
    };
    return stack::load(input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto result = loaded(text);
    static_cast<void>(to_text(result.diagnostics, nullptr, nullptr));
    static_cast<void>(to_json_text(result.diagnostics));
    if (result.stack.has_value() == has_errors(result.diagnostics))
        std::abort();
    if (!result.stack)
        return 0;
    const auto again = loaded(to_yaml(*result.stack));
    if (!again.stack || *again.stack != *result.stack)
        std::abort();
    return 0;
}
