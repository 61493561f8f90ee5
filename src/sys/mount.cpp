#include "sys/mount.h"

#include "sys/file.h"
#include "sys/overlay.h"

#include <mutex>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::sys {
namespace {

Fd make(const Overlay& overlay) {
    static std::mutex one_working_directory;
    const std::scoped_lock lock(one_working_directory);
    std::string step;
    Fd made(make_overlay(overlay, step));
    const int error = errno;
    if (!made)
        fail(step + " (" + std::to_string(overlay.lowers.size()) + " layers)", error);
    return made;
}

/// Overlayfs wants two; one layer is its own content.
Fd clone_tree(const std::string& directory) {
    return Fd(static_cast<int>(check(
        ::syscall(SYS_open_tree, AT_FDCWD, directory.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
        "open " + directory)));
}

}  // namespace

Fd merged_view(const std::vector<std::string>& lowers) {
    return lowers.size() == 1 ? clone_tree(lowers.front()) : make({.lowers = lowers});
}

Fd writable_view(const std::vector<std::string>& lowers,
                 const std::string& upper,
                 const std::string& work) {
    return make({lowers, upper, work, true});
}

}  // namespace stack::sys
