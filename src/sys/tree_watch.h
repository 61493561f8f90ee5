#pragma once

// The files below a directory that others write to, and when they may have changed.

#include "sys/fd.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace stack::sys {

/// Tells one content of a file from the next. All directories are alike: what they hold counts.
struct FileState {
    bool is_directory = false;
    std::uint32_t mode = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;

    bool operator==(const FileState&) const = default;
};

using TreeState = std::map<std::string, FileState>;  // by absolute path

/// What is in one of them only, or another in both; a directory before what is in it.
[[nodiscard]] std::vector<std::string> changed_paths(const TreeState& before,
                                                     const TreeState& after);

/// Wakes only; a look finds what has changed. So nothing is lost where the kernel's queue of events
/// overflows, or a directory is filled before it is watched.
class TreeWatch {
  public:
    /// Whether neither a path nor, where it is a directory, anything in it is of interest.
    using Skips = std::function<bool(const std::string& path)>;

    TreeWatch();

    /// Adds the regular files, links and directories below `path` to `state`, or `path` where it is
    /// a file; nothing where nothing is there yet. From before the look until the end of this
    /// object a change there is told. Links below are not followed.
    void look(const std::string& path, const Skips& skips, TreeState& state);

    /// Readable when something happened since the last drain().
    [[nodiscard]] const Fd& fd() const { return inotify_; }

    void drain() const;

  private:
    void watch(const Fd& directory, const std::string& path);
    void walk(const Fd& directory, std::string path, const Skips& skips, TreeState& state);

    Fd inotify_;
};

}  // namespace stack::sys
