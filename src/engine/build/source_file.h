#pragma once

// A file of a source tree, and what tells its content from another one's.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

namespace stack::build {

/// A file whose content changes gets another one: its ctime is beyond anybody's reach. (Of a write
/// through a mapping, when it is written back.)
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;

    bool operator==(const FileIdentity&) const = default;
};

[[nodiscard]] FileIdentity identity_of(const struct stat& status);

/// A file of a source tree and what it is called where it is copied to.
struct SourceFile {
    std::string path;       // in the tree, links resolved; "" is its root
    std::size_t below = 0;  // where in the path the part below what was listed begins

    struct stat status {};

    std::string link{};    // target of a symbolic link
    std::string digest{};  // of a regular file's content and capabilities, once it is known

    /// Relative to the destination; "" is the destination itself.
    [[nodiscard]] std::string_view name() const {
        return below < path.size() ? std::string_view(path).substr(below) : std::string_view();
    }
};

/// One digest for what was listed: names, modes, owners, links and contents, not times.
[[nodiscard]] std::string content_digest(const std::vector<SourceFile>& files);

/// The order of a listing: by name, a directory before what is in it, and that before the next one.
[[nodiscard]] bool comes_before(std::string_view path, std::string_view other);

}  // namespace stack::build
