#pragma once

// What `cp` copies to where: docker's rules for files, directories and trailing slashes. Pure.

#include <optional>
#include <string>

namespace stack::cli {

/// An argument of `cp`: NAME:PATH, a local path, or `-`.
struct CopyEnd {
    std::optional<std::string> container;  // the name; nullopt: local
    std::string path;

    bool operator==(const CopyEnd&) const = default;
};

/// What starts with `/` or `.`, or has no colon, is local.
[[nodiscard]] CopyEnd parse_copy_end(const std::string& text);

/// A path before its last component, and that. The last is empty where the path can only mean a
/// directory's content: it ends in `.`, `..` or is `/`. A `/` at the end says that it is a
/// directory.
struct SplitPath {
    std::string parent;
    std::string last;
    bool is_directory = false;

    bool operator==(const SplitPath&) const = default;
};

[[nodiscard]] SplitPath split_path(const std::string& path);

/// Special: a device, a FIFO or a socket.
enum class PathKind { none, directory, file, special };

/// An existing directory of the destination, and the name of the copy in it; an empty one where the
/// source is a directory whose content goes there.
struct CopyTarget {
    std::string directory;
    std::string name;

    bool operator==(const CopyTarget&) const = default;
};

/// Where `source` (whose last component is `source_name`; empty: the content of a directory) goes.
/// `destination` has been followed through links. Throws stack::Error where docker refuses.
[[nodiscard]] CopyTarget copy_target(PathKind source,
                                     const std::string& source_name,
                                     PathKind destination_kind,
                                     const std::string& destination);

}  // namespace stack::cli
