#pragma once

// What COPY and ADD take from: a build context, or the root of a stage or image. Reached from a
// directory descriptor only; a symbolic link leads to where it would lead a process chrooted there,
// and what .dockerignore excludes does not exist.

#include <stack/model.h>

#include "engine/build/ignore.h"
#include "sys/fd.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <sys/stat.h>

namespace stack::build {

/// A file of a source tree and what it is called where it is copied to.
struct SourceFile {
    std::string path;  // in the tree, links resolved; "" is its root
    std::string name;  // relative to the destination; "" is the destination itself

    struct stat status {};

    std::string link;    // target of a symbolic link
    std::string digest;  // of a regular file's content and capabilities; filled by add_digests()
};

/// Digests of file contents, kept in a file from run to run. A file is known by device, inode,
/// size, mtime and ctime; one that changed within the last second before it was read is not
/// remembered, for its next change might not show. Of what never changes, layers, it is known by
/// its path alone. From several threads at once.
class DigestCache {
  public:
    enum class Content { changes, stays };

    /// Reads what was kept under `path`; anything unreadable is as if it were not there.
    explicit DigestCache(std::string path, Content content = Content::changes);

    [[nodiscard]] std::optional<std::string> find(const std::string& file,
                                                  const struct stat& status) const;
    void put(const std::string& file, const struct stat& status, const std::string& digest);
    /// Writes the file, where something was put; its time is that of the last use.
    void save() const;

  private:
    struct Entry {
        std::string identity;
        std::string digest;
    };

    [[nodiscard]] std::string identity_of(const struct stat& status) const;

    std::string path_;
    Content content_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Entry> entries_;
    bool changed_ = false;
};

class SourceTree {
  public:
    enum class Owners {
        root,
        kept
    };  // a context's files belong to root, whoever has them on the host

    SourceTree(sys::Fd root, Owners owners, IgnoreRules ignore = {});

    /// Keeps digests in `cache` from now on.
    void use(std::unique_ptr<DigestCache> cache) { cache_ = std::move(cache); }

    /// Says of which directories (topmost first) the tree is the merged view.
    void consists_of(Strings lowers) { lowers_ = std::move(lowers); }

    /// None where it is no view of layers.
    [[nodiscard]] const Strings& lowers() const { return lowers_; }

    /// The paths that a source names, sorted: itself, or those its wildcards match. A path without
    /// wildcards that does not exist (or is ignored) gives nothing.
    [[nodiscard]] Strings match(const std::string& pattern) const;

    /// The file at `path` under the name `name`, or the directory with all below it. `excludes` are
    /// matched against the names below it, or against a single file's own. Sorted by name, a
    /// directory before what is in it.
    [[nodiscard]] std::vector<SourceFile> list(const std::string& path,
                                               const std::string& name,
                                               const IgnoreRules& excludes) const;

    /// The real path, links resolved, of what a path names; nullopt where nothing is there.
    [[nodiscard]] std::optional<std::string> resolve(const std::string& path) const;

    void add_digests(std::vector<SourceFile>& files) const;
    void save_digests() const;

    /// Opens a listed regular file. Throws where it is not what was listed any more.
    [[nodiscard]] sys::Fd open(const SourceFile& file) const;

    [[nodiscard]] const sys::Fd& root() const { return root_; }

  private:
    struct Walk;
    void list_directory(const sys::Fd& directory, SourceFile self, Walk& walk) const;
    void list_entry(const sys::Fd& directory, SourceFile entry, Walk& walk) const;
    [[nodiscard]] Strings names_matching(const std::string& directory,
                                         const std::string& pattern) const;
    [[nodiscard]] struct stat status_of(const sys::Fd& fd) const;

    sys::Fd root_;
    std::string root_path_;  // as /proc shows it, to tell where a link led
    Owners owners_;
    IgnoreRules ignore_;
    Strings lowers_;
    std::unique_ptr<DigestCache> cache_;
};

/// One digest for what was listed: names, modes, owners, links and contents, not times.
[[nodiscard]] std::string content_digest(const std::vector<SourceFile>& files);

}  // namespace stack::build
