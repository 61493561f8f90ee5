#include "sys/mount.h"

#include "sys/file.h"
#include "sys/overlay.h"

#include <cerrno>
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

/// It is in a mount namespace of its own, as the kernel counts them.
Fd clone_tree(const std::string& path) {
    Fd tree(static_cast<int>(
        ::syscall(SYS_open_tree, AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
    if (const int error = errno; !tree)
        fail("open " + path +
                 (error == ENOSPC ? " (raise the sysctl user.max_mnt_namespaces or fs.mount-max)"
                                  : ""),
             error);
    return tree;
}

}  // namespace

Fd merged_view(const std::vector<std::string>& lowers) {
    // Overlayfs wants two; one layer is its own content.
    return lowers.size() == 1 ? clone_tree(lowers.front()) : make({.lowers = lowers});
}

Fd read_only_view(const std::string& path) {
    Fd view = clone_tree(path);
    mount_attr attributes{.attr_set = MOUNT_ATTR_RDONLY};
    check(
        ::syscall(SYS_mount_setattr, view.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes),
        "make a view of " + path + " read-only");
    return view;
}

Fd writable_view(const std::vector<std::string>& lowers,
                 const std::string& upper,
                 const std::string& work) {
    return make({lowers, upper, work, true});
}

}  // namespace stack::sys
