#pragma once

// --chown and --chmod.

#include "base/expected.h"
#include "sys/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stack::build {

struct Owner {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;

    bool operator==(const Owner&) const = default;
};

/// `user[:group]`, names or numbers, by the passwd and group files of the tree at `root`. A number
/// alone is the group, too; a name alone has its group from passwd. Throws stack::Error where a
/// name is not there.
[[nodiscard]] Owner find_owner(const sys::Fd& root, const std::string& text);

/// `0755`, or as chmod(1) has it: `u=rwX,go=rX`. The mode that a file with `mode` gets.
[[nodiscard]] Expected<std::uint32_t> changed_mode(std::string_view text,
                                                   std::uint32_t mode,
                                                   bool directory);

}  // namespace stack::build
