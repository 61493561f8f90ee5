#pragma once

// Names of images: `[domain/]path[:tag][@digest]` (distribution/reference grammar).

#include "base/expected.h"

#include <string>
#include <string_view>

namespace stack::image {

struct Reference {
    std::string domain;  // docker.io, localhost:5000 …
    std::string path;    // library/nginx
    std::string tag;     // `latest` where neither tag nor digest is given
    std::string digest;  // sha256:…; decides where both are given

    bool operator==(const Reference&) const = default;
};

/// Splits and normalizes: no domain means docker.io, one path component there means library/.
[[nodiscard]] Expected<Reference> parse_reference(std::string_view text);

/// docker.io/library/nginx:latest: the key under which the store knows it.
[[nodiscard]] std::string canonical(const Reference& reference);
/// nginx:latest: what people write.
[[nodiscard]] std::string familiar(const Reference& reference);

}  // namespace stack::image
