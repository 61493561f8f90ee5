#include "shim/rootfs.h"

#include "shim/fault.h"
#include "sys/overlay.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace stack::shim {
namespace {

// <sys/mount.h> and <linux/mount.h> cannot be included together with every libc: the few calls are
// made directly.
constexpr unsigned long ms_rec = 16384;
constexpr unsigned long ms_private = 1UL << 18U;
constexpr unsigned long ms_slave = 1UL << 19U;
constexpr unsigned long ms_shared = 1UL << 20U;
constexpr int mnt_detach = 2;

long mount_call(const char* source,
                const char* target,
                const char* type,
                unsigned long flags,
                const char* data) {
    return ::syscall(SYS_mount, source, target, type, flags, data);
}

int open_tree_call(int directory, const char* path, unsigned int flags) {
    return static_cast<int>(::syscall(SYS_open_tree, directory, path, flags));
}

int mount_setattr_call(int fd, unsigned int flags, mount_attr attributes) {
    return static_cast<int>(::syscall(
        SYS_mount_setattr, fd, "", flags | AT_EMPTY_PATH, &attributes, sizeof attributes));
}

/// A file system that is mounted nowhere yet.
class NewFilesystem {
  public:
    explicit NewFilesystem(const char* type)
        : type_(type),
          fd_(static_cast<int>(
              must(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), type_ + ": open"))) {}

    NewFilesystem(const NewFilesystem&) = delete;
    NewFilesystem& operator=(const NewFilesystem&) = delete;

    ~NewFilesystem() { ::close(fd_); }

    bool try_set(const char* key, const std::string& value) {
        return ::syscall(SYS_fsconfig, fd_, FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0;
    }

    void set(const char* key, const std::string& value) {
        if (!try_set(key, value))
            give_up(engine_failed, type_ + ": option " + key + "=" + value, errno);
    }

    void flag(const char* key) {
        must(::syscall(SYS_fsconfig, fd_, FSCONFIG_SET_FLAG, key, nullptr, 0),
             type_ + ": option " + key);
    }

    [[nodiscard]] int create(unsigned int attributes) {
        must(::syscall(SYS_fsconfig, fd_, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0),
             type_ + ": create");
        return static_cast<int>(
            must(::syscall(SYS_fsmount, fd_, FSMOUNT_CLOEXEC, attributes), type_ + ": mount"));
    }

  private:
    std::string type_;
    int fd_;
};

void attach(int mount, int target, const std::string& what) {
    must(::syscall(SYS_move_mount,
                   mount,
                   "",
                   target,
                   "",
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH),
         "mount " + what);
}

/// The last place on the way to a target, made where it is missing: a directory, or a file to hang
/// a file on.
int open_target(int root, const std::string& path, bool directory) {
    int fd = open_in(root, path, O_PATH);
    if (fd >= 0)
        return fd;
    if (errno != ENOENT)
        give_up(engine_failed, "open " + path + " in the container", errno);
    if (directory) {
        make_directories(root, path);
    } else {
        const auto slash = path.find_last_of('/');
        make_directories(root, slash == std::string::npos ? "/" : path.substr(0, slash + 1));
        const int made = open_in(root, path, O_CREAT | O_WRONLY | O_NOFOLLOW, 0644);
        must(made, "create " + path + " in the container");
        ::close(made);
    }
    fd = open_in(root, path, O_PATH);
    return static_cast<int>(must(fd, "open " + path + " in the container"));
}

void mount_at(int root, const std::string& path, int mount) {
    const int target = open_target(root, path, true);
    attach(mount, target, path);
    ::close(target);
}

bool is_directory(int fd) {
    struct stat status {};

    return ::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

// --- the root ---

int mount_overlay(const sys::Overlay& overlay) {
    std::string step;
    const int made = sys::make_overlay(overlay, step);
    if (made < 0)
        give_up(
            engine_failed, step + " (" + std::to_string(overlay.lowers.size()) + " layers)", errno);
    return made;
}

int open_root(const Spec& spec) {
    const int overlay =
        mount_overlay({spec.lowers, spec.upper, spec.work, spec.volatile_upper != 0});
    const int place =
        static_cast<int>(must(::open(spec.mount_point.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC),
                              "open " + spec.mount_point));
    attach(overlay, place, "the root file system");
    ::close(place);
    return overlay;
}

// --- what the kernel offers ---

constexpr unsigned int no_suid_dev_exec = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

void mount_proc(int root, const Spec& spec) {
    if (spec.pid.sharing == Sharing::host) {
        // The host's processes are wanted: only this mount shows them in their own numbering.
        const int tree = open_tree_call(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        must(tree, "open /proc");
        mount_at(root, "/proc", tree);
        ::close(tree);
        return;
    }
    NewFilesystem proc("proc");
    const int mount = proc.create(no_suid_dev_exec);
    mount_at(root, "/proc", mount);
    ::close(mount);
}

void mount_sys(int root, const Spec& spec) {
    NewFilesystem sys("sysfs");
    const unsigned int read_only = spec.privileged != 0 ? 0 : MOUNT_ATTR_RDONLY;
    const int mount = sys.create(no_suid_dev_exec | read_only);
    mount_at(root, "/sys", mount);
    ::close(mount);
    // The container's own group, from its cgroup namespace; v1 hierarchies are not shown.
    const int fs = static_cast<int>(::syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC));
    if (fs < 0 || ::syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
        return;  // a machine without cgroup v2
    const int cgroup =
        static_cast<int>(::syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, no_suid_dev_exec | read_only));
    const int target = open_in(root, "/sys/fs/cgroup", O_PATH);
    if (cgroup >= 0 && target >= 0)
        attach(cgroup, target, "/sys/fs/cgroup");
    ::close(cgroup);
    ::close(target);
    ::close(fs);
}

void make_node(int dev, const char* name, unsigned int major_number, unsigned int minor_number) {
    must(::mknodat(dev, name, S_IFCHR | 0666, makedev(major_number, minor_number)),
         std::string("create /dev/") + name);
}

void fill_dev(int dev) {
    make_node(dev, "null", 1, 3);
    make_node(dev, "zero", 1, 5);
    make_node(dev, "full", 1, 7);
    make_node(dev, "random", 1, 8);
    make_node(dev, "urandom", 1, 9);
    make_node(dev, "tty", 5, 0);
    constexpr std::array<std::array<const char*, 2>, 6> links{{{"/proc/self/fd", "fd"},
                                                               {"/proc/self/fd/0", "stdin"},
                                                               {"/proc/self/fd/1", "stdout"},
                                                               {"/proc/self/fd/2", "stderr"},
                                                               {"/proc/kcore", "core"},
                                                               {"pts/ptmx", "ptmx"}}};
    for (const auto& link : links)
        must(::symlinkat(link[0], dev, link[1]), std::string("create /dev/") + link[1]);
    for (const auto* name : {"pts", "shm", "mqueue"})
        must(::mkdirat(dev, name, 0755), std::string("create /dev/") + name);
}

void mount_below(int dev, const char* name, int mount) {
    const int target = static_cast<int>(
        must(::openat(dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), name));
    attach(mount, target, std::string("/dev/") + name);
    ::close(target);
    ::close(mount);
}

/// A new device of the host's inside the container, by its number (privileged) or as asked for.
void add_device(int root, const DeviceSpec& device) {
    struct stat status {};

    must(::stat(device.source.c_str(), &status), "device " + device.source);
    const auto slash = device.target.find_last_of('/');
    const std::string directory = device.target.substr(0, slash + 1);
    make_directories(root, directory);
    const int parent =
        static_cast<int>(must(open_in(root, directory, O_PATH | O_DIRECTORY), directory));
    const std::string name = device.target.substr(slash + 1);
    if (::mknodat(parent, name.c_str(), status.st_mode, status.st_rdev) < 0 && errno != EEXIST)
        give_up(engine_failed, "create device " + device.target, errno);
    must(::fchownat(parent, name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW),
         "own device " + device.target);
    ::close(parent);
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
    must(::mknodat(dev, "console", S_IFREG | 0600, 0), "create /dev/console");
    const int tree =
        open_tree_call(terminal.slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    const int target = ::openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (tree >= 0 && target >= 0)
        attach(tree, target, "/dev/console");
    ::close(tree);
    ::close(target);
    return terminal;
}

Terminal mount_dev(int root, const Spec& spec) {
    NewFilesystem tmpfs("tmpfs");
    tmpfs.set("mode", "755");
    tmpfs.set("size", "64k");
    const int mount = tmpfs.create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_STRICTATIME);
    fill_dev(mount);
    mount_at(root, "/dev", mount);
    const int dev =
        static_cast<int>(must(open_in(root, "/dev", O_RDONLY | O_DIRECTORY), "open /dev"));
    ::close(mount);

    NewFilesystem pts("devpts");
    pts.flag("newinstance");
    pts.set("ptmxmode", "0666");
    pts.set("mode", "0620");
    pts.set("gid", "5");
    mount_below(dev, "pts", pts.create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));

    if (spec.ipc.sharing == Sharing::own) {
        NewFilesystem shm("tmpfs");
        shm.set("mode", "1777");
        shm.set("size", std::to_string(spec.shm_size));
        mount_below(dev, "shm", shm.create(no_suid_dev_exec));
        NewFilesystem mqueue("mqueue");
        mount_below(dev, "mqueue", mqueue.create(no_suid_dev_exec));
    } else {
        const int shm = open_tree_call(AT_FDCWD, "/dev/shm", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (shm >= 0)
            mount_below(dev, "shm", shm);
    }
    for (const auto& device : spec.devices)
        add_device(root, device);
    Terminal terminal;
    if (spec.process.terminal != 0)
        terminal = open_terminal(root, dev);
    ::close(dev);
    return terminal;
}

// --- what the user mounts ---

std::uint64_t propagation_flag(const std::string& text) {
    const std::string kind = !text.empty() && text.front() == 'r' ? text.substr(1) : text;
    if (kind == "shared")
        return ms_shared;
    if (kind == "slave")
        return ms_slave;
    return ms_private;
}

int make_bind(const MountSpec& mount) {
    constexpr unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
    int tree = -1;
    if (mount.subpath.empty()) {
        tree = open_tree_call(AT_FDCWD, mount.source.c_str(), flags);
    } else {
        const int whole = ::open(mount.source.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        const int part = open_in(whole, mount.subpath, O_PATH);
        tree = open_tree_call(part, "", flags | AT_EMPTY_PATH);
        ::close(part);
        ::close(whole);
    }
    must(tree, "bind mount " + mount.source + (mount.subpath.empty() ? "" : "/" + mount.subpath));
    mount_attr attributes{};
    if (mount.read_only != 0)
        attributes.attr_set = MOUNT_ATTR_RDONLY;
    attributes.propagation = propagation_flag(mount.propagation);
    must(mount_setattr_call(tree, AT_RECURSIVE, attributes),
         "set the flags of bind mount " + mount.source);
    return tree;
}

int make_tmpfs(const MountSpec& mount) {
    NewFilesystem tmpfs("tmpfs");
    unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    std::string rest = mount.options;
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        const std::string option = rest.substr(0, comma);
        rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
        const auto equals = option.find('=');
        if (option == "ro")
            attributes |= MOUNT_ATTR_RDONLY;
        else if (option == "exec")
            attributes &= ~static_cast<unsigned int>(MOUNT_ATTR_NOEXEC);
        else if (option == "suid")
            attributes &= ~static_cast<unsigned int>(MOUNT_ATTR_NOSUID);
        else if (option == "dev")
            attributes &= ~static_cast<unsigned int>(MOUNT_ATTR_NODEV);
        else if (equals != std::string::npos)
            tmpfs.set(option.substr(0, equals).c_str(), option.substr(equals + 1));
    }
    return tmpfs.create(attributes | (mount.read_only != 0 ? MOUNT_ATTR_RDONLY : 0));
}

/// The content of an image, read-only.
int make_image_mount(const MountSpec& mount) {
    if (mount.lowers.size() == 1) {  // overlayfs wants two; one layer is its own content
        MountSpec only = mount;
        only.source = mount.lowers.front();
        only.read_only = 1;
        return make_bind(only);
    }
    return mount_overlay({.lowers = mount.lowers});
}

/// A tree on the host's side, made before the host is out of sight.
int make_mount(const MountSpec& mount) {
    switch (mount.kind) {
        case MountKind::bind:
            return make_bind(mount);
        case MountKind::tmpfs:
            return make_tmpfs(mount);
        case MountKind::overlay:
            break;
    }
    return make_image_mount(mount);
}

/// Something mounted over a part of /proc would take what is written there for the container
/// (CVE-2019-16884), wherever a link of the image hides it.
void refuse_proc(int target, const std::string& path) {
    struct statfs status {};

    must(::fstatfs(target, &status), "look at " + path + " in the container");
    if (status.f_type == PROC_SUPER_MAGIC)
        give_up(engine_failed, "nothing can be mounted on " + path + ": it is in /proc", 0);
}

void attach_for_user(int tree, int root, const std::string& path) {
    const int target = open_target(root, path, is_directory(tree));
    refuse_proc(target, path);
    attach(tree, target, path);
    ::close(target);
}

void mount_all(int root, const Spec& spec) {
    for (const auto& mount : spec.mounts) {
        const int tree = make_mount(mount);
        attach_for_user(tree, root, mount.target);
        ::close(tree);
    }
}

void mount_files(int root, const Spec& spec) {
    if (spec.files.empty())
        return;
    NewFilesystem tmpfs("tmpfs");
    tmpfs.set("mode", "700");
    const int store = tmpfs.create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    for (std::size_t i = 0; i < spec.files.size(); ++i) {
        const FileSpec& file = spec.files[i];
        const std::string name = std::to_string(i);
        const int fd = static_cast<int>(
            must(::openat(store, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
                 file.target));
        must(::write(fd, file.content.data(), file.content.size()), "write " + file.target);
        must(::fchown(fd, file.uid, file.gid), "own " + file.target);
        must(::fchmod(fd, file.mode), "set the mode of " + file.target);
        ::close(fd);
        const int tree = open_tree_call(store, name.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        must(tree, "mount " + file.target);
        mount_attr read_only{};
        read_only.attr_set = MOUNT_ATTR_RDONLY;
        must(mount_setattr_call(tree, 0, read_only), "protect " + file.target);
        attach_for_user(tree, root, file.target);
        ::close(tree);
    }
    ::close(store);
}

// --- what is hidden ---

/// -1: this kernel does not have it. Anything else that keeps us from hiding it is fatal.
int open_kernel_path(int root, const std::string& path) {
    const int target = open_in(root, path, O_PATH);
    if (target < 0 && errno != ENOENT && errno != ENOTDIR)
        give_up(engine_failed, "hide " + path, errno);
    return target;
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

/// Files are covered by the host's /dev/null (never the container's: CVE-2025-31133), directories
/// by one empty one.
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

/// The caller's root is that of its mount namespace from here on, also where this program was
/// started in a chroot: to join a namespace is to be put at its root (setns(2)), even the one that
/// one is in.
void go_to_namespace_root() {
    const int own = static_cast<int>(
        must(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), "open the mount namespace"));
    must(::setns(own, CLONE_NEWNS), "go to the root of the mount namespace");
    ::close(own);
}

/// Mounts of the host still arrive, none of ours leaves.
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

/// From the namespace's own root, not a chroot's: what joins the container later begins there.
void change_root(int root, const Spec& spec) {
    go_to_namespace_root();
    must(::fchdir(root), "enter the root file system");
    must(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
    must(::syscall(SYS_umount2, ".", mnt_detach), "leave the host's root");
    must(::chdir("/"), "enter the new root");
    if (spec.read_only != 0) {
        const int top =
            static_cast<int>(must(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open the root"));
        mount_attr read_only{};
        read_only.attr_set = MOUNT_ATTR_RDONLY;
        must(mount_setattr_call(top, 0, read_only), "make the root read-only");
        ::close(top);
    }
}

}  // namespace

int open_in(int root, const std::string& path, int flags, unsigned int mode) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(static_cast<unsigned int>(flags | O_CLOEXEC));
    how.mode = mode;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    constexpr int tries = 128;  // EAGAIN: a rename raced with the walk (openat2(2))
    for (int i = 0; i < tries; ++i) {
        const long fd =
            ::syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            return static_cast<int>(fd);
    }
    return -1;
}

void make_directories(int root, const std::string& path) {
    std::string done;
    std::size_t begin = 0;
    while (begin < path.size()) {
        const auto end = path.find('/', begin);
        const std::string part = path.substr(begin, end == std::string::npos ? end : end - begin);
        begin = end == std::string::npos ? path.size() : end + 1;
        if (part.empty() || part == ".")
            continue;
        const std::string next = done + "/" + part;
        const int existing = open_in(root, next, O_PATH | O_DIRECTORY);
        if (existing < 0) {
            if (errno != ENOENT)
                give_up(engine_failed, "open " + next + " in the container", errno);
            const int parent =
                static_cast<int>(must(open_in(root, done, O_PATH | O_DIRECTORY), "open " + done));
            if (::mkdirat(parent, part.c_str(), 0755) < 0 && errno != EEXIST)
                give_up(engine_failed, "create directory " + next + " in the container", errno);
            ::close(parent);
        }
        ::close(existing);
        done = next;
    }
}

Terminal enter_root(const Spec& spec) {
    separate_mounts();
    const int root = open_root(spec);
    const int top = static_cast<int>(
        must(::open(spec.mount_point.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open the root"));
    mount_proc(top, spec);
    mount_sys(top, spec);
    const Terminal terminal = mount_dev(top, spec);
    mount_all(top, spec);
    mount_files(top, spec);
    protect_paths(top, spec);
    mask_paths(top, spec);
    change_root(top, spec);
    ::close(top);
    ::close(root);
    return terminal;
}

void enter_files(const Spec& spec) {
    separate_mounts();
    const int root = open_root(spec);
    const int top = static_cast<int>(
        must(::open(spec.mount_point.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open the root"));
    mount_all(top, spec);
    change_root(top, spec);
    ::close(top);
    ::close(root);
}

}  // namespace stack::shim
