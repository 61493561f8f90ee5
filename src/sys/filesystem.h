#pragma once

// File systems as statfs(2) has them.

#include <cstdint>
#include <string>

namespace stack::sys {

struct Filesystem {
    std::string type;  // "ext4"; a number in hexadecimal digits where it has no name here
    std::uint64_t size = 0;
    std::uint64_t available = 0;  // bytes, for who is not root
    std::uint64_t inodes = 0;
    std::uint64_t free_inodes = 0;
    bool is_read_only = false;
};

/// Of whatever is at `path`, which exists.
[[nodiscard]] Filesystem filesystem_of(const std::string& path);

}  // namespace stack::sys
