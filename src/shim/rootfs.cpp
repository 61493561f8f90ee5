#include "shim/rootfs.h"

#include "shim/enclosure.h"
#include "shim/fault.h"
#include "shim/hook.h"
#include "shim/mount.h"
#include "sys/overlay.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace stack::shim {
namespace {

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

/// v2: the container's own group, from its cgroup namespace.
void mount_cgroup2(int root, unsigned int attributes) {
    const int fs = static_cast<int>(::syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC));
    if (fs < 0 || ::syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
        return;  // a machine without cgroup v2
    const int cgroup = static_cast<int>(::syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes));
    const int target = open_in(root, "/sys/fs/cgroup", O_PATH);
    if (cgroup >= 0 && target >= 0)
        attach(cgroup, target, "/sys/fs/cgroup");
    ::close(cgroup);
    ::close(target);
    ::close(fs);
}

/// Where a link of the host's leads beside it, as "cpu" does to "cpu,cpuacct"; else the name
/// itself.
std::string behind_link(int directory, const std::string& name) {
    std::array<char, NAME_MAX + 1> text{};
    const auto length = ::readlinkat(directory, name.c_str(), text.data(), text.size());
    const std::string target(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    return target.empty() || target.find('/') != std::string::npos ? name : target;
}

void mount_hierarchy(int top, const std::string& place, const std::string& directory) {
    if (::mkdirat(top, place.c_str(), 0755) < 0) {
        if (errno == EEXIST)
            return;  // two controllers in one
        give_up(engine_failed, "create /sys/fs/cgroup/" + place, errno);
    }
    const int tree =
        open_tree_call(AT_FDCWD, directory.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    must(tree, "open " + directory);
    must(::syscall(SYS_move_mount, tree, "", top, place.c_str(), MOVE_MOUNT_F_EMPTY_PATH),
         "mount /sys/fs/cgroup/" + place);
    ::close(tree);
}

/// In a tmpfs of the container's own, by the host's names: in the host's, whoever may remount it
/// could make files. Returns it.
int mount_own_hierarchies(int root, const Spec& spec) {
    NewFilesystem tmpfs("tmpfs");
    tmpfs.set("mode", "755");
    tmpfs.set("size", "64k");
    tmpfs.set("nr_inodes", "64k");
    const int top = tmpfs.create(no_suid_dev_exec);
    mount_at(root, "/sys/fs/cgroup", top);
    const int hosts = static_cast<int>(
        must(::open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC), "open /sys/fs/cgroup"));
    for (const auto& [name, directory] : spec.hierarchies) {
        const std::string place = behind_link(hosts, name);
        if (place != name)
            must(::symlinkat(place.c_str(), top, name.c_str()), "create /sys/fs/cgroup/" + name);
        mount_hierarchy(top, place, directory);
    }
    ::close(hosts);
    return top;
}

/// All that the host has there, which is what was asked for. Returns the topmost mount.
int mount_hosts_hierarchies(int root) {
    const int top = open_tree_call(
        AT_FDCWD, "/sys/fs/cgroup", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    must(top, "open /sys/fs/cgroup");
    mount_at(root, "/sys/fs/cgroup", top);
    return top;
}

/// v1: the container's groups, where programs look for their limits. They are bound from the host's
/// mounts, which is 9 us each; a new mount of a v1 hierarchy would wait for groups that are being
/// removed (cgroup1_get_tree()).
void mount_hierarchies(int root, const Spec& spec, unsigned int attributes) {
    const bool is_hosts = spec.cgroup.sharing == Sharing::host;
    const int top = is_hosts ? mount_hosts_hierarchies(root) : mount_own_hierarchies(root, spec);
    mount_attr wanted{};
    wanted.attr_set = attributes;
    wanted.propagation = ms_private;
    must(mount_setattr_call(top, AT_RECURSIVE, wanted), "protect /sys/fs/cgroup");
    wanted.attr_set = MOUNT_ATTR_RDONLY;
    if (is_hosts)  // the mount points are the host's
        must(mount_setattr_call(top, 0, wanted), "protect /sys/fs/cgroup");
    ::close(top);
}

void mount_sys(int root, const Spec& spec) {
    NewFilesystem sys("sysfs");
    const unsigned int attributes =
        no_suid_dev_exec | (spec.privileged != 0 ? 0U : MOUNT_ATTR_RDONLY);
    const int mount = sys.create(attributes);
    mount_at(root, "/sys", mount);
    ::close(mount);
    if (spec.hierarchies.empty())
        mount_cgroup2(root, attributes);
    else
        mount_hierarchies(root, spec, attributes);
}

bool has_shared_memory(const Spec& spec) {
    return spec.ipc.sharing != Sharing::own || spec.shm_size != 0;
}

void make_node(int dev, const char* name, unsigned int major_number, unsigned int minor_number) {
    must(::mknodat(dev, name, S_IFCHR | 0666, makedev(major_number, minor_number)),
         std::string("create /dev/") + name);
}

void fill_dev(int dev, const Spec& spec) {
    make_node(dev, "null", 1, 3);
    make_node(dev, "zero", 1, 5);
    make_node(dev, "full", 1, 7);
    make_node(dev, "random", 1, 8);
    make_node(dev, "urandom", 1, 9);
    make_node(dev, "tty", 5, 0);
    for (const auto& link : device_links)
        must(::symlinkat(link[0], dev, link[1]), std::string("create /dev/") + link[1]);
    for (const std::string name : {"pts", "shm", "mqueue"})
        if (name != "shm" || has_shared_memory(spec))
            must(::mkdirat(dev, name.c_str(), 0755), "create /dev/" + name);
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
    constexpr mode_t permissions = 0777;
    const mode_t mode = device.mode == of_source ? status.st_mode
                                                 : (status.st_mode & static_cast<mode_t>(S_IFMT)) |
                                                       (device.mode & permissions);
    if (::mknodat(parent, name.c_str(), mode, status.st_rdev) < 0 && errno != EEXIST)
        give_up(engine_failed, "create device " + device.target, errno);
    must(::fchownat(parent,
                    name.c_str(),
                    device.uid == of_source ? status.st_uid : device.uid,
                    device.gid == of_source ? status.st_gid : device.gid,
                    AT_SYMLINK_NOFOLLOW),
         "own device " + device.target);
    ::close(parent);
}

/// The mount at `path` of whoever lends the IPC namespace: POSIX shared memory and message queues
/// are files there. Where it is the host, that is here. -1: it has none.
int lent_tree(const NamespaceSpec& ipc, const std::string& path) {
    constexpr unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
    const auto slash = ipc.path.rfind('/');  // /proc/PID/ns/ipc
    if (ipc.sharing != Sharing::joined || slash == std::string::npos)
        return open_tree_call(AT_FDCWD, path.c_str(), flags);
    const int here =
        static_cast<int>(must(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open /"));
    const int own = static_cast<int>(
        must(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), "open the mount namespace"));
    const std::string others = ipc.path.substr(0, slash) + "/mnt";
    const int lender = static_cast<int>(
        must(::open(others.c_str(), O_RDONLY | O_CLOEXEC), "open the lender's mount namespace"));
    must(::setns(lender, CLONE_NEWNS), "look at the lender's mounts");
    const int tree = open_tree_call(AT_FDCWD, path.c_str(), flags);
    must(::setns(own, CLONE_NEWNS), "come back from the lender's mounts");
    must(::fchdir(here), "come back to the root");
    must(::chroot("."), "come back to the root");
    for (const int fd : {here, own, lender})
        ::close(fd);
    return tree;
}

Terminal mount_dev(int root, const Spec& spec) {
    NewFilesystem tmpfs("tmpfs");
    tmpfs.set("mode", "755");
    tmpfs.set("size", "64k");
    tmpfs.set("nr_inodes", "64k");
    const int mount = tmpfs.create(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_STRICTATIME);
    fill_dev(mount, spec);
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
        if (has_shared_memory(spec)) {
            NewFilesystem shm("tmpfs");
            shm.set("mode", "1777");
            shm.set("size", std::to_string(spec.shm_size));
            mount_below(dev, "shm", shm.create(no_suid_dev_exec));
        }
        NewFilesystem mqueue("mqueue");
        mount_below(dev, "mqueue", mqueue.create(no_suid_dev_exec));
    } else {
        for (const std::string name : {"shm", "mqueue"})
            if (const int tree = lent_tree(spec.ipc, "/dev/" + name); tree >= 0)
                mount_below(dev, name.c_str(), tree);
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

/// A clone of what is at the subpath, which no link leads out of `whole`.
int clone_part(int whole, const MountSpec& mount, unsigned int flags) {
    const std::string what = "subpath " + mount.subpath + " of the mount at " + mount.target;
    const int part = static_cast<int>(must(open_in(whole, mount.subpath, O_PATH), what));
    const int tree =
        static_cast<int>(must(open_tree_call(part, "", flags | AT_EMPTY_PATH), "clone " + what));
    ::close(part);
    return tree;
}

int make_bind(const MountSpec& mount) {
    constexpr unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
    int tree = -1;
    if (mount.subpath.empty()) {
        tree = static_cast<int>(must(open_tree_call(AT_FDCWD, mount.source.c_str(), flags),
                                     "bind mount " + mount.source));
    } else {
        const int whole =
            static_cast<int>(must(::open(mount.source.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC),
                                  "open " + mount.source));
        tree = clone_part(whole, mount, flags);
        ::close(whole);
    }
    mount_attr attributes{};
    attributes.attr_set = mount.attributes_set;
    if (mount.read_only != 0)
        attributes.attr_set |= MOUNT_ATTR_RDONLY;
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

/// The content of an image, or a part of it.
int make_image_mount(int root, const MountSpec& mount) {
    const bool is_writable = !mount.upper.empty();
    if (mount.lowers.size() == 1 && !is_writable) {  // overlayfs wants two; one is its own content
        MountSpec only = mount;
        only.source = mount.lowers.front();
        only.read_only = 1;
        return make_bind(only);
    }
    const int whole = mount_overlay({mount.lowers, mount.upper, mount.work, is_writable});
    if (mount.subpath.empty())
        return whole;
    const HungMount hung(whole, root);
    return clone_part(hung.fd(), mount, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

/// A tree on the host's side, made before the host is out of sight.
int make_mount(int root, const MountSpec& mount) {
    switch (mount.kind) {
        case MountKind::bind:
            return make_bind(mount);
        case MountKind::tmpfs:
            return make_tmpfs(mount);
        case MountKind::overlay:
        case MountKind::exact_bind:  // those two are of bundles
        case MountKind::filesystem:
            break;
    }
    return make_image_mount(root, mount);
}

void mount_all(int root, const Spec& spec) {
    for (const auto& mount : spec.mounts) {
        const int tree = make_mount(root, mount);
        attach_for_user(tree, root, mount.target);
        ::close(tree);
    }
}

/// The file, in `store` under a name of its own, as a tree.
int make_file(int store, const std::string& name, const FileSpec& file) {
    const int fd = static_cast<int>(must(
        ::openat(store, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), file.target));
    must(::write(fd, file.content.data(), file.content.size()), "write " + file.target);
    must(::fchown(fd, file.uid, file.gid), "own " + file.target);
    must(::fchmod(fd, file.mode), "set the mode of " + file.target);
    ::close(fd);
    const int tree = open_tree_call(store, name.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    must(tree, "mount " + file.target);
    mount_attr read_only{};
    read_only.attr_set = MOUNT_ATTR_RDONLY;
    must(mount_setattr_call(tree, 0, read_only), "protect " + file.target);
    return tree;
}

void mount_files(int root, const Spec& spec) {
    if (spec.files.empty())
        return;
    NewFilesystem tmpfs("tmpfs");
    tmpfs.set("mode", "700");
    std::vector<int> trees;
    {
        const HungMount store(tmpfs.create(no_suid_dev_exec), root);
        for (const auto& file : spec.files)
            trees.push_back(make_file(store.fd(), std::to_string(trees.size()), file));
    }
    for (std::size_t i = 0; i < trees.size(); ++i) {
        attach_for_user(trees[i], root, spec.files[i].target);
        ::close(trees[i]);
    }
}

/// Programs of the host, at its root, with the files that they make as everybody has them.
void run_create_hooks(const BundleSpec& bundle) {
    if (bundle.create_hooks.empty())
        return;
    constexpr mode_t usual = 0022;
    const mode_t before = ::umask(usual);
    run_hooks(bundle.create_hooks, hook_state(bundle, "creating", ::getpid()), [] {
        if (::chdir("/") < 0)
            ::_exit(engine_failed);
    });
    ::umask(before);
}

}  // namespace

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
    run_create_hooks(spec.bundle);
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
