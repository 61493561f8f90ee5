#include "shim/bundle_root.h"

#include "shim/clone.h"
#include "shim/copy_up.h"
#include "shim/enclosure.h"
#include "shim/fault.h"
#include "shim/mount.h"

#include <cerrno>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace stack::shim {
namespace {

constexpr unsigned int detached = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

int open_source(const MountSpec& mount) {
    return static_cast<int>(
        must(::open(mount.source.c_str(), O_PATH | O_CLOEXEC), "bind mount " + mount.source));
}

/// Only now, since mounts are listed in the order in which they were made.
int clone_source(const MountSpec& mount, int source) {
    const unsigned int depth = mount.is_recursive != 0 ? AT_RECURSIVE : 0U;
    return static_cast<int>(must(open_tree_call(source, "", detached | depth | AT_EMPTY_PATH),
                                 "bind mount " + mount.source));
}

void set_attributes(int tree, const MountSpec& mount, bool is_new) {
    const std::string step = "set the flags of mount " + mount.target;
    mount_attr here{};
    here.attr_set = is_new ? 0 : mount.attributes_set;
    here.attr_clr = is_new ? 0 : mount.attributes_cleared;
    const bool is_deep = !mount.propagation.empty() && mount.propagation.front() == 'r';
    if (!mount.propagation.empty() && !is_deep)
        here.propagation = propagation_flag(mount.propagation);
    must(mount_setattr_call(tree, 0, here), step);
    mount_attr below{};
    below.attr_set = mount.tree_attributes_set;
    below.attr_clr = mount.tree_attributes_cleared;
    if (is_deep)
        below.propagation = propagation_flag(mount.propagation);
    must(mount_setattr_call(tree, AT_RECURSIVE, below), step);
}

std::string octal(unsigned int mode) {
    std::string text;
    for (; mode != 0; mode >>= 3U)
        text.insert(text.begin(), static_cast<char>('0' + (mode & 7U)));
    return text.empty() ? "0" : text;
}

/// A tmpfs has the mode of what it covers, unless it is told one.
std::string options_of(const MountSpec& mount, int target) {
    struct stat status {};

    if (mount.type != "tmpfs" || ("," + mount.options).find(",mode=") != std::string::npos ||
        ::fstat(target, &status) < 0)
        return mount.options;
    constexpr unsigned int permissions = 07777;
    return mount.options + (mount.options.empty() ? "" : ",") +
           "mode=" + octal(status.st_mode & permissions);
}

int make_filesystem(const MountSpec& mount, const std::string& options) {
    NewFilesystem made(mount.type.c_str());
    made.set("source", mount.source.empty() ? mount.type : mount.source);
    std::string rest = options;
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        const std::string option = rest.substr(0, comma);
        rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
        const auto equals = option.find('=');
        if (equals == std::string::npos)
            made.flag(option.c_str());
        else
            made.set(option.substr(0, equals).c_str(), option.substr(equals + 1));
    }
    // What is copied into it comes before it is read-only.
    const auto attributes = static_cast<unsigned int>(mount.attributes_set);
    return made.create(mount.copies_up != 0
                           ? attributes & ~static_cast<unsigned int>(MOUNT_ATTR_RDONLY)
                           : attributes);
}

/// What is there already is the device, or none is to be had (config-linux.md, "Devices").
void require_node(int directory, const std::string& name, const NodeSpec& node) {
    struct stat status {};

    must(::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH),
         "look at " + node.path);
    const bool is_of_kind = (status.st_mode & S_IFMT) == (node.mode & S_IFMT);
    const bool has_number = (node.mode & S_IFMT) == S_IFIFO ||
                            status.st_rdev == makedev(node.major_number, node.minor_number);
    if (!is_of_kind || !has_number)
        give_up(engine_failed, "device " + node.path + ": something else is there", 0);
}

}  // namespace

BundleRoot::BundleRoot(const Spec& spec) : spec_(spec) {
    join_namespace(spec.bundle.mount, CLONE_NEWNS, "mount namespace");
    if (spec.bundle.mount.sharing == Sharing::own)
        separate_mounts();
    const std::string& path = spec.bundle.root;
    place_ = static_cast<int>(
        must(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open " + path));
    root_ = static_cast<int>(
        must(open_tree_call(place_, "", detached | AT_RECURSIVE | AT_EMPTY_PATH), "clone " + path));
    for (const auto& mount : spec.mounts)
        sources_.push_back(mount.kind == MountKind::exact_bind ? open_source(mount) : -1);
    for (const auto& node : spec.bundle.nodes)
        node_sources_.push_back(spec.user.sharing == Sharing::host
                                    ? -1
                                    : open_tree_call(AT_FDCWD, node.path.c_str(), detached));
}

void BundleRoot::mount(std::size_t number) {
    const MountSpec& mount = spec_.mounts[number];
    if (mount.kind == MountKind::exact_bind) {
        const int tree = clone_source(mount, sources_[number]);
        set_attributes(tree, mount, false);
        attach_for_user(tree, root_, mount.target);
        ::close(tree);
        ::close(sources_[number]);
        return;
    }
    const int target = open_target(root_, mount.target, true);
    const int tree = make_filesystem(mount, options_of(mount, target));
    if (mount.copies_up != 0) {
        copy_up(root_, mount.target, tree);
        mount_attr read_only{};
        read_only.attr_set = mount.attributes_set & MOUNT_ATTR_RDONLY;
        must(mount_setattr_call(tree, 0, read_only), "protect " + mount.target);
    }
    set_attributes(tree, mount, true);
    attach_for_user(tree, root_, mount.target);
    ::close(target);
    ::close(tree);
}

void BundleRoot::make_node(const NodeSpec& node, int source) const {
    if (source >= 0) {
        require_node(source, "", node);
        const int target = open_target(root_, node.path, false);
        attach(source, target, node.path);
        ::close(target);
        ::close(source);
        return;
    }
    const auto slash = node.path.find_last_of('/');
    const std::string directory = node.path.substr(0, slash + 1);
    const std::string name = node.path.substr(slash + 1);
    make_directories(root_, directory);
    const int parent =
        static_cast<int>(must(open_in(root_, directory, O_PATH | O_DIRECTORY), directory));
    if (::mknodat(parent, name.c_str(), node.mode, makedev(node.major_number, node.minor_number)) ==
        0)
        must(::fchownat(parent, name.c_str(), node.uid, node.gid, AT_SYMLINK_NOFOLLOW),
             "own device " + node.path);
    else if (errno != EEXIST)
        give_up(engine_failed, "create device " + node.path, errno);
    else
        require_node(parent, name, node);
    ::close(parent);
}

/// The devices that the bundle names, and links that every /dev has; those that are there stay, but
/// for ptmx, which is to be of the container's own terminals.
void BundleRoot::fill_dev() const {
    for (std::size_t i = 0; i < spec_.bundle.nodes.size(); ++i)
        make_node(spec_.bundle.nodes[i], node_sources_[i]);
    make_directories(root_, "/dev");
    const int dev = static_cast<int>(must(open_in(root_, "/dev", O_RDONLY | O_DIRECTORY), "/dev"));
    ::unlinkat(dev, "ptmx", 0);
    for (const auto& link : device_links)
        if (::symlinkat(link[0], dev, link[1]) < 0 && errno != EEXIST)
            give_up(engine_failed, std::string("create /dev/") + link[1], errno);
    ::close(dev);
}

Terminal BundleRoot::build() {
    attach(root_, place_, "the root file system");
    for (std::size_t i = 0; i < spec_.mounts.size(); ++i)
        mount(i);
    // A /dev of the host's has its own.
    if (!spec_.bundle.nodes.empty())
        fill_dev();
    Terminal terminal;
    if (spec_.process.terminal != 0) {
        const int dev =
            static_cast<int>(must(open_in(root_, "/dev", O_RDONLY | O_DIRECTORY), "open /dev"));
        terminal = open_terminal(root_, dev);
        ::close(dev);
    }
    protect_paths(root_, spec_);
    mask_paths(root_, spec_);
    return terminal;
}

void BundleRoot::enter() const {
    if (spec_.bundle.mount.sharing == Sharing::own) {
        change_root(root_, spec_);
    } else {
        must(::fchdir(root_), "enter the root file system");
        must(::chroot("."), "enter the root file system");
        must(::chdir("/"), "enter the new root");
        if (spec_.read_only != 0)
            make_root_read_only();
    }
    // Private as it is: what hangs on the host's mounts below goes on to follow them, as with runc.
    if (spec_.bundle.propagation != 0 && (spec_.bundle.propagation & ms_private) == 0)
        must(mount_call(nullptr, "/", nullptr, spec_.bundle.propagation, nullptr),
             "set the propagation of the root");
    // Through them the host's directories would be in reach of who reaches our descriptors.
    ::close(root_);
    ::close(place_);
}

}  // namespace stack::shim
