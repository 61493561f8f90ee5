#include "sys/tree.h"
#include "sys/tree_walk.h"

#include <set>

#include <fcntl.h>
#include <sys/stat.h>

namespace stack::sys {
namespace {

class TreeSize {
  public:
    explicit TreeSize(const Fd& directory) : walk_(directory) {}

    [[nodiscard]] std::int64_t bytes() {
        for (;;) {
            if (const auto name = walk_.next())
                add(*name);
            else if (walk_.at_top())
                return bytes_;
            else
                walk_.leave();
        }
    }

  private:
    void add(const std::string& name) {
        constexpr int block = 512;  // the unit of st_blocks, whatever the file system's is

        struct stat status {};

        if (::fstatat(walk_.here().get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0)
            return;
        const bool is_directory = S_ISDIR(status.st_mode);
        if (status.st_nlink > 1 && !is_directory &&
            !seen_.emplace(status.st_dev, status.st_ino).second)
            return;
        bytes_ += status.st_blocks * block;
        if (is_directory)
            static_cast<void>(walk_.try_enter(name));
    }

    TreeWalk walk_;
    std::set<std::pair<dev_t, ino_t>> seen_;
    std::int64_t bytes_ = 0;
};

}  // namespace

std::int64_t tree_size(const Fd& directory) {
    return TreeSize(directory).bytes();
}

}  // namespace stack::sys
