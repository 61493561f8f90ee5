#pragma once

// Images that are made on this machine from Debian's packages when they are first needed:
// `debootstrap:SUITE[,include=PACKAGE[,PACKAGE…]][,variant=NAME][,mirror=URL]`. As values.

#include "base/expected.h"

#include <string>
#include <string_view>
#include <vector>

namespace stack::image {

inline constexpr std::string_view debootstrap_scheme = "debootstrap:";

struct Debootstrap {
    std::string suite;  // bookworm, stable …
    std::vector<std::string> include;
    std::string variant = "minbase";  // one of mmdebstrap(1)'s
    std::string mirror;               // empty: mmdebstrap's own

    bool operator==(const Debootstrap&) const = default;
};

/// What follows the scheme. Offsets count from there.
[[nodiscard]] Expected<Debootstrap> parse_debootstrap(std::string_view text);

}  // namespace stack::image
