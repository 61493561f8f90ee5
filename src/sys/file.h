#pragma once

// Files. Paths of our own state are strings; everything that lies in a rootfs, layer, volume or
// build context is reached from a directory descriptor (tree.h).

#include "sys/fd.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stack::sys {

/// The whole file, up to `limit` bytes (more is an error); nullopt when it does not exist.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path,
                                                   std::size_t limit = 64U << 20U);
[[nodiscard]] std::string read_all(const Fd& fd, std::size_t limit = 64U << 20U);
/// What one read gives, at most `most` bytes; "" at the end of file.
[[nodiscard]] std::string read_some(const Fd& fd, std::size_t most);
/// Calls `each` with what comes, until the end of file.
void read_each(const Fd& fd, const std::function<void(std::string_view)>& each);
void write_all(const Fd& fd, std::string_view bytes);
/// Writes what a non-blocking descriptor takes now; returns how many bytes that were.
[[nodiscard]] std::size_t write_some(const Fd& fd, std::string_view bytes);
/// Everything from where `from` stands to its end, by the kernel alone where it can
/// (copy_file_range(2)). `what` is named in errors.
void copy_rest(const Fd& from, const Fd& to, const std::string& what);

/// Writes to an existing file in one write(2), as cgroup and /proc files want it.
void write_existing(const std::string& path, std::string_view bytes);
/// The same where a refusal is an answer: 0, or the errno of opening or writing.
[[nodiscard]] int try_write_existing(const std::string& path, std::string_view bytes);

/// After return the file holds exactly `bytes`, also after a power cut: temporary file, fsync,
/// rename, fsync of the directory. A reader sees the old or the new content, never a part. Those
/// who write at once, threads or processes, take turns.
void replace_file(const std::string& path, std::string_view bytes, std::uint32_t mode = 0600);

/// As replace_file(), without the fsyncs: for what a reboot makes worthless (everything under
/// Paths::run). On a full disk a file that is there is overwritten in the room that it has: what
/// ends and removes things must be able to write that down.
void replace_volatile_file(const std::string& path,
                           std::string_view bytes,
                           std::uint32_t mode = 0600);

[[nodiscard]] Fd open_file(const std::string& path, int flags, std::uint32_t mode = 0);
[[nodiscard]] Fd open_directory(const std::string& path);
[[nodiscard]] bool exists(const std::string& path);
/// 0 where there is nothing.
[[nodiscard]] std::int64_t file_size(const std::string& path);
[[nodiscard]] bool is_directory(const std::string& path);
/// A block or character device, not a link to one.
[[nodiscard]] bool is_device(const std::string& path);
/// The device at `path` as device rules name it: "c 188:0"; nullopt where there is none.
[[nodiscard]] std::optional<std::string> find_device(const std::string& path);
/// "major:minor" of the device at `path`; nullopt where there is none.
[[nodiscard]] std::optional<std::string> find_device_number(const std::string& path);

/// Where the file at `path`, to which standard output and error are appended, is larger than
/// `most`, it becomes `path`.1 (in place of the one before), and they go to a new one.
void bound_own_output(const std::string& path, std::uint64_t most);

/// Postcondition: the directory and its parents exist.
void ensure_directory(const std::string& path, std::uint32_t mode = 0755);
/// Postcondition: the directory exists, and only its owner reaches into it.
void ensure_private_directory(const std::string& path);
/// Postcondition: nothing is at `path`. A directory must be empty; see remove_tree() in tree.h.
void remove_file(const std::string& path);
void remove_directory(const std::string& path);
/// The same where a refusal is an answer: 0, or the errno.
[[nodiscard]] int try_remove_directory(const std::string& path);
void rename(const std::string& from, const std::string& to);
/// As rename(); false where something that may not be replaced is there already.
[[nodiscard]] bool try_rename(const std::string& from, const std::string& to);
void sync_directory(const std::string& path);
/// What was written to the file is durable after return.
void sync_file(const Fd& file, const std::string& path);
/// Everything on the file system of `path` is durable after return (syncfs(2)).
void sync_filesystem(const std::string& path);

/// Names in a directory, sorted, without . and ..; empty when there is no such directory.
[[nodiscard]] std::vector<std::string> list_directory(const std::string& path);
/// Of those, the names of directories.
[[nodiscard]] std::vector<std::string> list_subdirectories(const std::string& path);
/// Whether both lead to one file, which exists.
[[nodiscard]] bool is_same_file(const std::string& path, const std::string& other);
/// Whether what is open is what is at `path` now.
[[nodiscard]] bool is_open_file(const Fd& file, const std::string& path);

[[nodiscard]] std::string current_directory();
/// The real path of an existing file; nullopt when it does not exist.
[[nodiscard]] std::optional<std::string> real_path(const std::string& path);
/// `path` made absolute against `base` and cleaned of `.`, `..` and `//` by text alone.
[[nodiscard]] std::string absolute_path(const std::string& path, const std::string& base);
[[nodiscard]] std::string parent_path(const std::string& path);
[[nodiscard]] std::string file_name(const std::string& path);

/// Tells one content of a file that is only ever replaced whole from the next.
struct FileStamp {
    std::uint64_t inode = 0;
    std::int64_t modified_ns = 0;

    bool operator==(const FileStamp&) const = default;
};

/// The file was last modified now; nothing where there is none.
void touch(const std::string& path);

/// After return the file, which stays the same one, holds exactly `bytes`. Whoever reads it
/// meanwhile finds it neither empty nor missing, but maybe some of both contents.
void overwrite(const std::string& path, std::string_view bytes);

/// nullopt when it does not exist.
[[nodiscard]] std::optional<FileStamp> find_stamp(const std::string& path);

/// A file in memory that holds `bytes`, at offset 0.
[[nodiscard]] Fd memory_file(const char* name, std::string_view bytes);

/// Postcondition: the next read starts at the beginning.
void rewind(const Fd& file);

/// A pipe, both ends close-on-exec.
struct Pipe {
    Fd read;
    Fd write;
};

[[nodiscard]] Pipe make_pipe();

/// The boot that the machine is in; records of what lives are keyed by it.
[[nodiscard]] const std::string& boot_id();

}  // namespace stack::sys
