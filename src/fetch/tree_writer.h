#pragma once

// A layer's entries written to a directory as overlayfs wants them, with chroot semantics: no name,
// link or device of an archive reaches anything outside the directory (security.md 2E). Rules: OCI
// image-spec layer.md, images.md 2.2.

#include "engine/image/layer_record.h"
#include "sys/fd.h"

#include <cstdint>
#include <map>
#include <optional>
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

/// What an archive is written for.
struct WriteRules {
    /// A layer: whiteouts are meant as such, and what its entries do not say is remembered for
    /// unsaid(). Otherwise whiteouts are files like others, and a hard link needs its file.
    bool whiteouts = false;
    /// Into a tree that is in use: what is there keeps its kind. No directory gives way to a file,
    /// no file to a directory, and the top keeps its owner and mode.
    bool merge = false;
    std::string base;        // a directory inside the root: the archive's names begin there
    bool keeps_top = false;  // its owner, mode and time, whatever the archive says of `.`
    std::optional<std::pair<std::uint32_t, std::uint32_t>>
        owner{};  // uid, gid of all; none: its own
};

class TreeWriter {
  public:
    TreeWriter(const sys::Fd& root, WriteRules rules);

    /// Makes the entry; for a regular file, returns the descriptor to write its content to (sparse
    /// writes allowed), which close() takes back. Throws stack::Error naming the entry where it
    /// cannot be.
    sys::Fd begin(const Entry& entry);
    void finish_file(const Entry& entry, const sys::Fd& file);
    /// Sets what had to wait for the last entry: times of directories.
    void finish();

    [[nodiscard]] std::int64_t size() const { return size_; }

    /// No further than there are numbers.
    void add_size(std::int64_t bytes);

    /// Of a layer: what it leaves to those below it.
    [[nodiscard]] image::Unsaid unsaid() const;

  private:
    bool apply_whiteout(const sys::Fd& parent,
                        const std::string& directory,
                        const std::string& name);
    void make_directory(const sys::Fd& parent, const Entry& entry, const std::string& name);
    void set_attributes(const sys::Fd& file, const Entry& entry) const;
    [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> owner_of(const Entry& entry) const;
    [[nodiscard]] std::string place_of(const std::string& path) const;
    [[nodiscard]] sys::Fd parent_of(const std::string& directory);
    void note_implied(const std::string& directory);
    void make_link(const sys::Fd& parent, const Entry& entry, const std::string& path);
    void clear_place(const sys::Fd& parent, const std::string& name, const Entry& entry) const;

    const sys::Fd& root_;
    WriteRules rules_;
    std::map<std::string, timespec> directory_times_;
    std::set<std::string> implied_;             // directories without an entry
    std::size_t implied_bytes_ = 0;             // of all names that were ever among them
    std::map<std::string, std::string> links_;  // hard ones, and what they name, which is not there
    std::int64_t size_ = 0;
};

}  // namespace stack::fetch
