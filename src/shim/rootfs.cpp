#include "shim/rootfs.h"

#include "shim/devices.h"
#include "shim/enclosure.h"
#include "shim/fault.h"
#include "shim/hook.h"
#include "shim/mount.h"
#include "shim/users.h"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::shim {
namespace {

// --- the root ---

void hang_root(const Spec& spec, int root) {
    const int place =
        static_cast<int>(must(::open(spec.mount_point.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC),
                              "open " + spec.mount_point));
    attach(root, place, "the root file system");
    ::close(place);
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

void mount_below(int dev, const char* name, int mount) {
    const int target = static_cast<int>(
        must(::openat(dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), name));
    attach(mount, target, std::string("/dev/") + name);
    ::close(target);
    ::close(mount);
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

Terminal mount_dev(int root, const Spec& spec, const Trees& trees) {
    const int mount = trees.dev >= 0 ? trees.dev : make_dev(spec);
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
    for (std::size_t i = 0; i < spec.devices.size(); ++i)
        if (trees.devices.empty())
            add_device(root, spec.devices[i]);
        else
            attach_for_user(trees.devices[i], root, spec.devices[i].target);
    Terminal terminal;
    if (spec.process.terminal != 0)
        terminal = open_terminal(root, dev);
    ::close(dev);
    return terminal;
}

// --- what the user mounts ---

void mount_all(int root, const Spec& spec, const Trees& trees) {
    for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
        const int tree = trees.mounts[i] >= 0 ? trees.mounts[i] : make_tmpfs(spec.mounts[i]);
        attach_for_user(tree, root, spec.mounts[i].target);
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

Terminal enter_root(const Spec& spec, const Trees& trees) {
    const int root = trees.root;
    hang_root(spec, root);
    if (spec.user.sharing == Sharing::own)
        become_root();  // before that, what it makes would be nobody's
    mount_proc(root, spec);
    mount_sys(root, spec);
    const Terminal terminal = mount_dev(root, spec, trees);
    mount_all(root, spec, trees);
    mount_files(root, spec);
    protect_paths(root, spec);
    mask_paths(root, spec);
    run_create_hooks(spec.bundle);
    change_root(root, spec);
    ::close(root);
    return terminal;
}

void enter_files(const Spec& spec) {
    separate_mounts();
    const Trees trees = make_trees(spec);
    hang_root(spec, trees.root);
    mount_all(trees.root, spec, trees);
    change_root(trees.root, spec);
    ::close(trees.root);
}

}  // namespace stack::shim
