#include "sys/tree.h"

#include <set>

#include <fcntl.h>
#include <sys/stat.h>

namespace stack::sys {
namespace {

class TreeSize {
  public:
    [[nodiscard]] std::int64_t bytes() const { return bytes_; }

    void add_content(const Fd& directory) {
        for (const auto& name : names_in(directory))
            add(directory, name);
    }

  private:
    void add(const Fd& directory, const std::string& name) {
        constexpr int block = 512;  // the unit of st_blocks, whatever the file system's is

        struct stat status {};

        if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0)
            return;
        if (status.st_nlink > 1 && !S_ISDIR(status.st_mode) &&
            !seen_.emplace(status.st_dev, status.st_ino).second)
            return;
        bytes_ += status.st_blocks * block;
        if (!S_ISDIR(status.st_mode))
            return;
        const Fd below(::openat(
            directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (below)
            add_content(below);
    }

    std::set<std::pair<dev_t, ino_t>> seen_;
    std::int64_t bytes_ = 0;
};

}  // namespace

std::int64_t tree_size(const Fd& directory) {
    TreeSize size;
    size.add_content(directory);
    return size.bytes();
}

}  // namespace stack::sys
