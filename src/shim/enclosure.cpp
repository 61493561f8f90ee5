#include "shim/enclosure.h"

#include "shim/fault.h"
#include "shim/mount.h"

#include <cerrno>

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace stack::shim {
namespace {

/// -1: this kernel does not have it. Anything else that keeps us from hiding it is fatal.
int open_kernel_path(int root, const std::string& path) {
    const int target = open_in(root, path, O_PATH);
    if (target < 0 && errno != ENOENT && errno != ENOTDIR)
        give_up(engine_failed, "hide " + path, errno);
    return target;
}

/// The caller's root is that of its mount namespace from here on, also where this program was
/// started in a chroot: to join a namespace is to be put at its root (setns(2)), even the one that
/// one is in.
void go_to_namespace_root() {
    const int own = static_cast<int>(
        must(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), "open the mount namespace"));
    must(::setns(own, CLONE_NEWNS), "go to the root of the mount namespace");
    ::close(own);
}

}  // namespace

void separate_mounts() {
    const int here = static_cast<int>(
        must(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open the host's root"));
    go_to_namespace_root();
    must(mount_call(nullptr, "/", nullptr, ms_rec | ms_slave, nullptr),
         "separate the mount namespace");
    must(::fchdir(here), "go back to the host's root");
    must(::chroot("."), "go back to the host's root");
    ::close(here);
}

Terminal open_terminal(int root, int dev) {
    const int pts = static_cast<int>(
        must(::openat(dev, "pts", O_PATH | O_DIRECTORY | O_CLOEXEC), "open /dev/pts"));
    const int mounted = open_in(root, "/dev/pts", O_RDONLY | O_DIRECTORY);
    Terminal terminal;
    terminal.master = static_cast<int>(
        must(::openat(mounted, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), "open a terminal"));
    const int unlock = 0;
    must(::ioctl(terminal.master, TIOCSPTLCK, &unlock), "unlock a terminal");
    terminal.slave =
        static_cast<int>(must(::ioctl(terminal.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC),
                              "open a terminal's other end"));
    ::close(pts);
    ::close(mounted);
    // /dev/console is the terminal itself, bound by descriptor (CVE-2025-52565: never by the
    // container's path).
    if (::mknodat(dev, "console", S_IFREG | 0600, 0) < 0 && errno != EEXIST)
        give_up(engine_failed, "create /dev/console", errno);
    const int tree =
        open_tree_call(terminal.slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    const int target = ::openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (tree >= 0 && target >= 0)
        attach(tree, target, "/dev/console");
    ::close(tree);
    ::close(target);
    return terminal;
}

void protect_paths(int root, const Spec& spec) {
    for (const auto& path : spec.read_only_paths) {
        const int target = open_kernel_path(root, path);
        if (target < 0)
            continue;
        const int tree = open_tree_call(
            target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
        must(tree, "protect " + path);
        mount_attr read_only{};
        read_only.attr_set = MOUNT_ATTR_RDONLY;
        must(mount_setattr_call(tree, AT_RECURSIVE, read_only), "protect " + path);
        attach(tree, target, path);
        ::close(tree);
        ::close(target);
    }
}

void mask_paths(int root, const Spec& spec) {
    int empty = -1;
    for (const auto& path : spec.masked_paths) {
        const int target = open_kernel_path(root, path);
        if (target < 0)
            continue;
        int tree = -1;
        if (is_directory(target)) {
            if (empty < 0) {
                NewFilesystem tmpfs("tmpfs");
                tmpfs.set("size", "0");
                empty = tmpfs.create(no_suid_dev_exec | MOUNT_ATTR_RDONLY);
                attach(empty, target, path);
                ::close(target);
                continue;
            }
            tree = open_tree_call(empty, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        } else {
            tree = open_tree_call(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        }
        must(tree, "mask " + path);
        attach(tree, target, path);
        ::close(tree);
        ::close(target);
    }
    ::close(empty);
}

void make_root_read_only() {
    const int top =
        static_cast<int>(must(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open the root"));
    mount_attr read_only{};
    read_only.attr_set = MOUNT_ATTR_RDONLY;
    must(mount_setattr_call(top, 0, read_only), "make the root read-only");
    ::close(top);
}

/// As long as it can be made; where something is mounted on the way, it may be there already.
void make_working_directory(const Spec& spec) {
    struct stat status {};

    const std::string& path = spec.process.working_dir;
    if (path.empty() || ::stat(path.c_str(), &status) == 0 || errno != ENOENT)
        return;
    const int root =
        static_cast<int>(must(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open the root"));
    make_directories(root, path);
    ::close(root);
}

void change_root(int root, const Spec& spec) {
    go_to_namespace_root();
    must(::fchdir(root), "enter the root file system");
    must(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
    must(::syscall(SYS_umount2, ".", mnt_detach), "leave the host's root");
    must(::chdir("/"), "enter the new root");
    if (spec.read_only == 0)
        return;
    make_working_directory(spec);
    make_root_read_only();
}

}  // namespace stack::shim
