#pragma once

// Names of images: `[domain/]path[:tag][@digest]` (distribution/reference grammar), and
// `debootstrap:…` (debootstrap.h), which has its domain alone, and its whole text as its path.

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

/// The domain of images that are made from Debian's packages.
inline constexpr std::string_view debootstrap_domain = "debootstrap";

/// Splits and normalizes: no domain means docker.io, one path component there means library/.
[[nodiscard]] Expected<Reference> parse_reference(std::string_view text);

/// The same of what must be one: throws stack::Error, which names it and says why it is none.
[[nodiscard]] Reference require_reference(const std::string& text);

/// Whether an image may be given it: it has no digest, which only content can have, and looks like
/// none (`sha256:…`).
[[nodiscard]] bool is_name(const Reference& reference);

/// docker.io/library/nginx:latest: the key under which the store knows it.
[[nodiscard]] std::string canonical(const Reference& reference);
/// nginx:latest: what people write.
[[nodiscard]] std::string familiar(const Reference& reference);

}  // namespace stack::image
