#include "shim/trees.h"

#include "shim/channel.h"
#include "shim/devices.h"
#include "shim/enclosure.h"
#include "shim/fault.h"
#include "shim/mount.h"
#include "sys/overlay.h"

#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// What the trees are made with.
struct Making {
    int place = -1;  // a directory to hang something over
    int users = -1;  // the user namespace that their files have the ids of; -1: as on the disk
};

/// Postcondition: what is somebody's on the disk is so for the users of the namespace.
void map_ids(int tree, int users, const std::string& what) {
    if (users < 0)
        return;
    mount_attr mapped{};
    mapped.attr_set = MOUNT_ATTR_IDMAP;
    mapped.userns_fd = static_cast<__u64>(users);
    if (mount_setattr_call(tree, AT_RECURSIVE, mapped) == 0)
        return;
    if (errno != EINVAL && errno != EPERM)
        give_up(engine_failed, what + ": map its users", errno);
    give_up(engine_failed,
            what +
                ": its file system, or one mounted below it, cannot show whose its files are to "
                "users of the container's own: put it on one that can (ext4, xfs, btrfs, from "
                "Linux 6.3 on tmpfs), "
                "or leave `userns_mode: private` out",
            0);
}

/// `advice`: where the kernel calls it invalid.
int mount_overlay(const sys::Overlay& overlay, const char* advice) {
    std::string step;
    const int made = sys::make_overlay(overlay, step);
    if (const int error = errno; made < 0)
        give_up(engine_failed,
                step + " (" + std::to_string(overlay.lowers.size()) + " layers" +
                    (error == EINVAL ? advice : "") + ")",
                error);
    return made;
}

/// The directory through a mapped mount of its own, which hangs over the others at our place: an
/// overlay's layers hang somewhere (before Linux 6.15). Returns its name.
std::string mapped_directory(const std::string& path, const Making& making) {
    const int tree = static_cast<int>(
        must(open_tree_call(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
             "open " + path));
    map_ids(tree, making.users, path);
    attach(tree, making.place, path);
    return "/proc/self/fd/" + std::to_string(tree);
}

/// The ids that an overlay shows are those of its layers' mounts. Whoever makes one with users ends
/// soon, and leaves these to the overlay.
int make_overlay(sys::Overlay overlay, const Making& making) {
    if (making.users < 0)
        return mount_overlay(overlay, "");
    for (auto& lower : overlay.lowers)
        lower = mapped_directory(lower, making);
    if (!overlay.upper.empty()) {  // both in one mount
        const auto slash = overlay.upper.rfind('/');
        const std::string home = mapped_directory(overlay.upper.substr(0, slash), making);
        overlay.work = home + overlay.work.substr(slash);
        overlay.upper = home + overlay.upper.substr(slash);
    }
    return mount_overlay(overlay, "; `userns_mode: private` takes Linux 5.19");
}

/// A clone of what is at the subpath, which no link leads out of `whole`.
int clone_part(int whole, const MountSpec& mount, unsigned int flags) {
    const std::string what = "subpath " + mount.subpath + " of the mount at " + mount.target;
    const int part = static_cast<int>(must(open_in(whole, mount.subpath, O_PATH), what));
    const int tree =
        static_cast<int>(must(open_tree_call(part, "", flags | AT_EMPTY_PATH), "clone " + what));
    ::close(part);
    return tree;
}

int make_bind(const MountSpec& mount, int users) {
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
    map_ids(tree, users, "bind mount " + mount.source);
    mount_attr attributes{};
    attributes.attr_set = mount.attributes_set;
    if (mount.read_only != 0)
        attributes.attr_set |= MOUNT_ATTR_RDONLY;
    attributes.propagation = propagation_flag(mount.propagation);
    must(mount_setattr_call(tree, AT_RECURSIVE, attributes),
         "set the flags of bind mount " + mount.source);
    return tree;
}

/// The content of an image, or a part of it.
int make_image_mount(const MountSpec& mount, const Making& making) {
    const bool is_writable = !mount.upper.empty();
    if (mount.lowers.size() == 1 && !is_writable) {  // overlayfs wants two; one is its own content
        MountSpec only = mount;
        only.source = mount.lowers.front();
        only.read_only = 1;
        return make_bind(only, making.users);
    }
    const int whole = make_overlay({mount.lowers, mount.upper, mount.work, is_writable}, making);
    if (mount.subpath.empty())
        return whole;
    const HungMount hung(whole, making.place);
    return clone_part(hung.fd(), mount, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

Trees make_trees(const Spec& spec, const Making& making) {
    Trees trees;
    trees.root =
        make_overlay({spec.lowers, spec.upper, spec.work, spec.volatile_upper != 0}, making);
    for (const auto& mount : spec.mounts)
        trees.mounts.push_back(mount.kind == MountKind::tmpfs  ? -1
                               : mount.kind == MountKind::bind ? make_bind(mount, making.users)
                                                               : make_image_mount(mount, making));
    return trees;
}

int open_place(const Spec& spec) {
    return static_cast<int>(must(::open(spec.mount_point.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC),
                                 "open " + spec.mount_point));
}

/// Files that this process makes are those of the container's root, and its rights stay: as whom an
/// overlay is made, it makes whiteouts and work files.
void make_files_as(std::uint32_t root_id) {
    must(::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0), "keep the rights");
    ::setfsgid(root_id);
    ::setfsuid(root_id);
}

/// Postcondition: the flags of the trees (read-only above all) hold also for who has every right
/// over the container: the kernel locks those of mounts that come into a mount namespace of other
/// users (mount_namespaces(7)). This process is in that one from then on, and in their namespace.
/// What was shared receives from its like, and does not give.
void lock_flags(std::vector<int>& trees, const Making& making) {
    NewFilesystem tmpfs("tmpfs");
    const int store = tmpfs.create(0);
    attach(store, making.place, "a place for mounts");
    std::vector<std::string> names;
    for (const int tree : trees) {
        const std::string name = std::to_string(names.size());
        if (is_directory(tree))
            must(::mkdirat(store, name.c_str(), 0700), "make a place for a mount");
        else
            must(::mknodat(store, name.c_str(), S_IFREG | 0600, 0), "make a place for a mount");
        const int place = static_cast<int>(
            must(::openat(store, name.c_str(), O_PATH | O_CLOEXEC), "open a place for a mount"));
        attach(tree, place, "a mount of the container");
        ::close(place);
        names.push_back(name);
    }
    must(::fchdir(store), "enter the place of mounts");
    must(::setns(making.users, CLONE_NEWUSER), "enter the container's users");
    must(::unshare(CLONE_NEWNS), "lock the flags of mounts");
    for (std::size_t i = 0; i < trees.size(); ++i) {
        ::close(trees[i]);
        trees[i] = static_cast<int>(must(
            open_tree_call(
                AT_FDCWD, names[i].c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE),
            "take up a mount of the container"));
    }
}

[[noreturn]] void make_and_send(const Spec& spec, int pid, int channel) {
    ::umask(0);
    must(::unshare(CLONE_NEWNS), "make a mount namespace");
    separate_mounts();
    const std::string users = "/proc/" + std::to_string(pid) + "/ns/user";
    const Making making{open_place(spec),
                        static_cast<int>(must(::open(users.c_str(), O_RDONLY | O_CLOEXEC),
                                              "open the container's user namespace"))};
    make_files_as(spec.root_id);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    const Trees trees = make_trees(spec, making);
    const int dev = make_dev(spec);
    const std::vector<int> devices = make_device_trees(spec, making.place);
    std::vector<int> mounts;
    for (const int tree : trees.mounts)
        if (tree >= 0)
            mounts.push_back(tree);
    lock_flags(mounts, making);
    send_descriptor(channel, "m", trees.root);
    for (const int tree : mounts)
        send_descriptor(channel, "m", tree);
    send_descriptor(channel, "m", dev);
    for (const int tree : devices)
        send_descriptor(channel, "m", tree);
    ::_exit(0);
}

int receive_tree(int channel) {
    std::string text;
    int tree = -1;
    long count = 0;
    while ((count = receive_message(channel, text, tree)) < 0 && errno == EINTR) {
    }
    if (count > 0 && tree < 0)
        give_up(engine_failed, "receive the container's file system", EMFILE);
    if (tree < 0)
        ::_exit(engine_failed);  // who makes them has said why
    return tree;
}

}  // namespace

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

Trees make_trees(const Spec& spec) {
    const int place = open_place(spec);
    Trees trees = make_trees(spec, {place, -1});
    ::close(place);
    return trees;
}

void send_trees(const Spec& spec, int pid, int channel) {
    const int maker = static_cast<int>(must(::fork(), "create a process"));
    if (maker == 0)
        make_and_send(spec, pid, channel);
    int status = 0;
    while (::waitpid(maker, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status))
        give_up(engine_failed, "make the container's file system: killed", 0);
    if (status != 0)
        ::_exit(engine_failed);  // it has told why
}

Trees receive_trees(const Spec& spec, int channel) {
    Trees trees;
    trees.root = receive_tree(channel);
    for (const auto& mount : spec.mounts)
        trees.mounts.push_back(mount.kind == MountKind::tmpfs ? -1 : receive_tree(channel));
    trees.dev = receive_tree(channel);
    for (std::size_t i = 0; i < spec.devices.size(); ++i)
        trees.devices.push_back(receive_tree(channel));
    return trees;
}

}  // namespace stack::shim
