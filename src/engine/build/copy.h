#pragma once

// Writing what COPY and ADD bring into the root of a stage (Dockerfile reference; images.md 3.4).

#include "engine/build/context.h"
#include "engine/build/ownership.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stack::build {

struct WriteOptions {
    std::optional<Owner> owner;  // of everything written, made parents included
    std::string mode;            // as --chmod has it; empty: as in the source
};

struct Destination {
    std::string path;
    bool follows = true;  // a link there leads on; not the one in a directory that was named
};

/// Writes below a root as a process chrooted there would, links included.
class TreeWriter {
  public:
    TreeWriter(const sys::Fd& root, WriteOptions options)
        : root_(root), options_(std::move(options)) {}

    [[nodiscard]] bool is_directory(const std::string& path) const;

    /// Postcondition: `path` and its parents are directories; made ones have mode 0755 and the
    /// options' owner.
    sys::Fd ensure_directory(const std::string& path);

    /// Postcondition: the listed files are at the destination, their names below it. A directory
    /// there stays as it is, or is made as ensure_directory() makes one, with the source's time:
    /// what is copied is what is in it. Those below get the source's owner, mode and times; other
    /// files that are in the way are replaced.
    void write(const SourceTree& source,
               const std::vector<SourceFile>& files,
               const Destination& destination);

    /// Postcondition: a file with this content is there.
    void write_text(const Destination& destination, std::string_view content, std::uint32_t mode);

  private:
    struct MadeDirectory {
        std::string path;
        struct timespec modified;
    };

    using Inode = std::pair<dev_t, ino_t>;

    sys::Fd ensure_directory(const std::string& path, int links_left);
    void make_directory(const SourceFile& file, const std::string& path);
    void write_entry(const SourceTree& source, const SourceFile& file, const std::string& path);
    void write_file(const SourceTree& source,
                    const SourceFile& file,
                    const sys::Fd& parent,
                    const std::string& path);
    const sys::Fd& parent_for(const std::string& path);
    static void make_room(const sys::Fd& parent, const std::string& path);
    static sys::Fd create(const sys::Fd& parent, const std::string& path);
    /// What was made for what is in it.
    void finish_new(const sys::Fd& directory) const;
    void finish(const sys::Fd& file, const struct stat& status) const;
    void set_owner_and_times(const sys::Fd& parent,
                             const std::string& name,
                             const struct stat& status) const;
    [[nodiscard]] Owner owner_for(const struct stat& status) const;
    [[nodiscard]] std::uint32_t mode_for(const struct stat& status) const;
    /// The path that a chain of symbolic links at the end of `path` leads to.
    [[nodiscard]] std::string follow(std::string path) const;

    const sys::Fd& root_;
    WriteOptions options_;
    std::vector<MadeDirectory> made_;      // their times are set when they are full
    std::map<Inode, std::string> linked_;  // files with several names: the first one's path
    std::string parent_path_;
    sys::Fd parent_;  // the directory there, where the last file was written
};

/// The size of the deepest chain of links that is followed.
inline constexpr int most_links = 40;

}  // namespace stack::build
