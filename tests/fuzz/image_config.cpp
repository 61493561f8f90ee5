// Whatever an image says of itself: what is taken can be written and read again, and means the
// same.

#include <stack/error.h>

#include "base/digest.h"
#include "engine/image/manifest.h"
#include "engine/image/store.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stack;
    const std::string text(reinterpret_cast<const char*>(data), size);
    try {
        const auto diff_ids = image::parse_diff_ids(text);
        for (const auto& one : diff_ids)
            if (!is_digest(one))
                std::abort();
        auto config = image::parse_config(text);
        for (const auto& variable : config.environment)
            if (variable.find('=') == std::string::npos || variable.find('\0') != std::string::npos)
                std::abort();
        const std::string again = image::make_config(text, config, diff_ids, "", {});
        if (config.os.empty())
            config.os = "linux";
        if (config.architecture.empty())
            config.architecture = "amd64";
        if (image::parse_config(again) != config || image::parse_diff_ids(again) != diff_ids)
            std::abort();
    } catch (const Error&) {  // a sentence
    }
    return 0;
}
