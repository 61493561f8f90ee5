#pragma once

// A layer's entries written to a directory as overlayfs wants them, with chroot semantics: no name,
// link or device of an archive reaches anything outside the directory (security.md 2E). Rules: OCI
// image-spec layer.md, images.md 2.2.

#include "sys/fd.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace stack::fetch {

struct Entry {
    std::string path;  // as the archive has it
    std::string link;  // target of a symbolic or hard link
    bool hard_link = false;
    std::uint32_t mode = 0;  // with the file type
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint64_t device = 0;
    timespec modified{};
    std::vector<std::pair<std::string, std::string>> attributes;
};

class TreeWriter {
  public:
    /// `layer`: whiteouts are meant as such; otherwise (ADD of an archive) they are files like
    /// others.
    TreeWriter(const sys::Fd& root, bool layer);

    /// Makes the entry; for a regular file, returns the descriptor to write its content to (sparse
    /// writes allowed), which close() takes back. Throws stack::Error naming the entry where it
    /// cannot be.
    sys::Fd begin(const Entry& entry);
    void finish_file(const Entry& entry, const sys::Fd& file);
    /// Sets what had to wait for the last entry: times of directories.
    void finish();

    [[nodiscard]] std::int64_t size() const { return size_; }

    void add_size(std::int64_t bytes) { size_ += bytes; }

  private:
    bool apply_whiteout(const sys::Fd& parent,
                        const std::string& directory,
                        const std::string& name);
    void make_directory(const sys::Fd& parent, const Entry& entry, const std::string& name);
    void set_attributes(const sys::Fd& file, const Entry& entry) const;
    [[nodiscard]] sys::Fd parent_of(const std::string& directory) const;
    void clear_place(const sys::Fd& parent, const std::string& name, const Entry& entry);

    const sys::Fd& root_;
    bool layer_;
    std::map<std::string, timespec> directory_times_;
    std::int64_t size_ = 0;
};

}  // namespace stack::fetch
