#pragma once

// Trees as a tar archive.
//
// The same trees give the same bytes: entries sorted, times in whole seconds, numeric owners, no
// host names; pax headers only where ustar cannot say it. Hard links refer to the first name. What
// a tar cannot hold (a socket) is left out.

#include "engine/image/tar_stream.h"
#include "sys/fd.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace stack::sys {
class TreeWalk;
}

namespace stack::image {

/// Of a path, bytes: sixteen times what a system call takes. Neither end makes or takes a longer
/// one.
constexpr std::size_t longest_path = 65536;

struct Owner {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

struct TarOptions {
    /// The tree is an overlay's upper directory: what it hides takes the tar's form (.wh.name,
    /// .wh..wh..opq), before its siblings.
    bool whiteouts = false;
    /// Of all entries, instead of their own. As with chown(2), a file that ran as the owner or the
    /// group that it had does not run as another one.
    std::optional<Owner> owner;
    bool devices = true;  // otherwise they are left out
    /// The first of the host's ids that users of a container's own are (runtime/user_range.h): in
    /// the archive the files are theirs as the container sees it. 0: they are the host's.
    std::uint32_t first_user = 0;
};

class TarWriter {
  public:
    explicit TarWriter(ByteSink sink, TarOptions options = {});
    ~TarWriter();
    TarWriter(const TarWriter&) = delete;
    TarWriter& operator=(const TarWriter&) = delete;

    /// The entry `name` of `directory`, and what lies below it, as `path`. A file that others write
    /// to meanwhile has the size that it had when it was opened.
    void add(const sys::Fd& directory, const std::string& name, const std::string& path);
    /// Everything in `directory`, as `prefix` + its name.
    void add_content(const sys::Fd& directory, const std::string& prefix);
    /// The mark of the archive's end.
    void finish();

    [[nodiscard]] bool is_empty() const { return empty_; }

    /// How many devices have been left out.
    [[nodiscard]] int devices_left_out() const { return devices_left_out_; }

    /// Sum of file sizes, bytes.
    [[nodiscard]] std::int64_t size() const { return size_; }

  private:
    struct Names;

    /// Whatever `name` is but a directory: then false. `status` is that of a moment ago.
    bool add_file(const sys::Fd& directory,
                  const std::string& name,
                  struct stat status,
                  const std::string& path);
    /// Itself alone, and that nothing shines through where that is so.
    void add_directory(const sys::Fd& directory, const std::string& path);
    /// What the directory that the walk has come to hides.
    void add_whiteouts(sys::TreeWalk& walk, const std::string& prefix);
    void add_content_of(const sys::Fd& file, TarEntry entry);
    bool add_hard_link(const TarEntry& entry, std::uint64_t device, std::uint64_t inode);
    void own(TarEntry& entry, const Owner& owner) const;
    void write(TarEntry entry);
    void put(std::string_view bytes);

    ByteSink sink_;
    TarOptions options_;
    std::string waiting_;  // for the sink
    ByteSink collect_;     // what waits
    TarStream stream_;
    std::unique_ptr<Names> first_names_;  // of files with several names
    bool empty_ = true;
    int devices_left_out_ = 0;
    std::int64_t size_ = 0;
};

}  // namespace stack::image
