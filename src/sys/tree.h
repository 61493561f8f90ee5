#pragma once

// Trees that others wrote (a rootfs, layer, volume, build context), reached from a directory
// descriptor only: no path of theirs meets a path-taking system call (openat2(2): RESOLVE_IN_ROOT,
// RESOLVE_NO_MAGICLINKS).

#include "sys/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stack::sys {

/// Opens `path` as a process chrooted to `root` would find it, symbolic links included.
/// Throws; find_in_root() returns an empty Fd where there is nothing (ENOENT, ENOTDIR).
[[nodiscard]] Fd open_in_root(const Fd& root,
                              const std::string& path,
                              int flags,
                              std::uint32_t mode = 0);
[[nodiscard]] Fd find_in_root(const Fd& root, const std::string& path, int flags);

/// The regular file at `path` inside `root`, to read; an empty Fd where there is none. Nothing else
/// is opened, not even for a moment: to open a device is to use it.
[[nodiscard]] Fd find_file_in_root(const Fd& root, const std::string& path);

/// The content of the regular file at `path` inside `root`, if there is one of at most `limit`
/// bytes.
[[nodiscard]] std::optional<std::string> read_in_root(const Fd& root,
                                                      const std::string& path,
                                                      std::size_t limit);

/// Postcondition: `path` and its parents are directories inside `root`; made ones get `mode`. What
/// a link leads to that is not there is made. Returns the last.
[[nodiscard]] Fd ensure_directory_in_root(const Fd& root,
                                          const std::string& path,
                                          std::uint32_t mode = 0755);

/// The names in a directory, sorted, without . and ..
[[nodiscard]] std::vector<std::string> names_in(const Fd& directory);
/// The same of a descriptor that was opened for this: without another one, from its offset on.
[[nodiscard]] std::vector<std::string> names_left_in(const Fd& directory);

/// The file `name` of a directory, to read. Throws where it is not, or is no longer, a regular one:
/// nothing else is opened, not even for a moment.
[[nodiscard]] Fd open_regular_file(const Fd& directory, const std::string& name);

/// The entry `name` of a directory itself, be it a link, for looking at only (O_PATH); an empty Fd
/// where there is none.
[[nodiscard]] Fd find_entry(const Fd& directory, const std::string& name);

/// What the symbolic link `name` of a directory says; nullopt where it is none.
[[nodiscard]] std::optional<std::string> find_link_target(const Fd& directory,
                                                          const std::string& name);

/// Extended attributes, by name.
using Attributes = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] Attributes attributes_of(const Fd& file);

/// By which an overlay's upper directory says that nothing below it shines through.
inline constexpr std::string_view opaque_attribute = "trusted.overlay.opaque";
[[nodiscard]] bool is_opaque(const Fd& directory);

/// Postcondition: nothing is called `name` in `directory`. Never follows a link, never leaves the
/// file system it began on.
void remove_tree(const Fd& directory, const std::string& name);
/// The same by an absolute path of our own state.
void remove_tree(const std::string& path);

/// Bytes on disk of everything below `directory`; what has several names counts once. What goes
/// meanwhile does not count.
[[nodiscard]] std::int64_t tree_size(const Fd& directory);

/// Copies a regular file into another one, which is new, with owner, mode, times and extended
/// attributes. `name` is for errors.
void copy_file(const Fd& from, const Fd& to, const std::string& name);

/// Copies the content of `from` into `to` with owner, mode, times, links, devices and extended
/// attributes, but for those of an overlay's that mean nothing elsewhere. Neither may be changed by
/// others meanwhile.
void copy_tree(const Fd& from, const Fd& to);

}  // namespace stack::sys
