#pragma once

// What COPY and ADD take from: a build context, or the root of a stage or image. Reached from a
// directory descriptor only; a symbolic link leads to where it would lead a process chrooted there,
// and what .dockerignore excludes does not exist.

#include <stack/model.h>

#include "engine/build/digest_cache.h"
#include "engine/build/ignore.h"
#include "engine/build/source_file.h"
#include "sys/fd.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace stack::build {

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

    /// The file at `path`, or the directory with all below it. `excludes` are matched against the
    /// paths below it, or against a single file's name. Sorted by name, a directory before what is
    /// in it.
    [[nodiscard]] std::vector<SourceFile> list(const std::string& path,
                                               const IgnoreRules& excludes) const;

    /// The real path, links resolved, of what a path names; nullopt where nothing is there.
    [[nodiscard]] std::optional<std::string> resolve(const std::string& path) const;

    void add_digests(std::vector<SourceFile>& files) const;
    void save_digests() const;

    /// Opens a listed regular file. Throws where it is not what was listed any more.
    [[nodiscard]] sys::Fd open(const SourceFile& file) const;

    [[nodiscard]] const sys::Fd& root() const { return root_; }

  private:
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

}  // namespace stack::build
