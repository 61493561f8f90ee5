#pragma once

// Files that ADD fetches, kept from build to build.
//
//   <state>/build/downloads/<sha256 of the URL>            digest of the newest content; its time
//   is
//                                                          that of the last use
//   <state>/build/downloads/<sha256 of the URL>-<digest>   the content, which never changes: a
//   build
//                                                          under way keeps what it began with

#include <stack/paths.h>

#include "engine/build/context.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stack::build {

/// From several threads and processes at once.
class Downloads {
  public:
    explicit Downloads(const Paths& paths);

    /// The file at `url` (mode 0600, the time of Last-Modified), which is open() to tree(), with
    /// its digest. One that is kept is used where it has the digest `checksum`, or where the server
    /// has no newer one. Throws stack::Error, also where the digest is not `checksum`.
    [[nodiscard]] SourceFile fetch(const std::string& url, const std::string& checksum) const;

    [[nodiscard]] const SourceTree& tree() const { return tree_; }

    struct Known {
        std::string name;
        std::int64_t bytes = 0;
        std::int64_t used = 0;  // seconds since 1970
    };

    /// The newest content of each URL.
    [[nodiscard]] std::vector<Known> list() const;
    /// Postcondition: the one of this name is not kept.
    void remove(const std::string& name) const;
    /// Postcondition: what was not used for so many seconds is gone, and so are contents of former
    /// days that a newer one took the place of. Returns the bytes.
    [[nodiscard]] std::int64_t forget(std::int64_t unused_for) const;

  private:
    [[nodiscard]] std::optional<SourceFile> find(const std::string& name) const;
    [[nodiscard]] SourceFile keep(const std::string& name, const std::string& directory) const;

    const Paths& paths_;
    std::string directory_;
    SourceTree tree_;
};

}  // namespace stack::build
