// Whatever a registry or an archive has for a manifest or an index: what is taken names everything
// by digests and sizes, and is one of the two.

#include "engine/image/manifest.h"

#include <stack/error.h>

#include "base/digest.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace stack;

void expect(bool holds) {
    if (!holds)
        std::abort();
}

void expect_usable(const std::vector<image::Descriptor>& list) {
    for (const auto& one : list)
        expect(is_digest(one.digest) && one.size >= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto manifest = image::parse_manifest({reinterpret_cast<const char*>(data), size});
        expect_usable(manifest.entries);
        expect_usable(manifest.layers);
        expect(manifest.is_index != manifest.config.has_value());
        expect(manifest.is_index ? manifest.layers.empty() : manifest.entries.empty());
        for (const auto* platform : {"", "linux/arm64", "linux/arm/v6", "/", "x"})
            if (const auto* chosen = image::choose_platform(manifest.entries, platform))
                expect(!image::is_attestation(*chosen));
    } catch (const Error&) {  // a sentence
    }
    return 0;
}
