#include "shim/mount.h"

#include <array>
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// Something mounted over a part of /proc would take what is written there for the container
/// (CVE-2019-16884), wherever a link of the image hides it.
void refuse_proc(int target, const std::string& path) {
    struct statfs status {};

    must(::fstatfs(target, &status), "look at " + path + " in the container");
    if (status.f_type == PROC_SUPER_MAGIC)
        give_up(engine_failed, "nothing can be mounted on " + path + ": it is in /proc", 0);
}

}  // namespace

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

bool NewFilesystem::try_set(const char* key, const std::string& value) {
    return ::syscall(SYS_fsconfig, fd_, FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0;
}

void NewFilesystem::set(const char* key, const std::string& value) {
    if (!try_set(key, value))
        give_up(engine_failed, type_ + ": option " + key + "=" + value, errno);
}

void NewFilesystem::flag(const char* key) {
    must(::syscall(SYS_fsconfig, fd_, FSCONFIG_SET_FLAG, key, nullptr, 0),
         type_ + ": option " + key);
}

int NewFilesystem::create(unsigned int attributes) {
    must(::syscall(SYS_fsconfig, fd_, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0),
         type_ + ": create");
    return static_cast<int>(
        must(::syscall(SYS_fsmount, fd_, FSMOUNT_CLOEXEC, attributes), type_ + ": mount"));
}

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

namespace {

std::string directory_of(const std::string& path) {
    const auto slash = path.find_last_of('/');
    return slash == std::string::npos ? "/" : path.substr(0, slash + 1);
}

/// Where the link leads to, seen from the container's root.
std::string follow_link(int root, const std::string& link) {
    const int fd = static_cast<int>(must(open_in(root, link, O_PATH | O_NOFOLLOW), "open " + link));
    std::array<char, PATH_MAX> target{};
    const auto length = must(::readlinkat(fd, "", target.data(), target.size()), "follow " + link);
    ::close(fd);
    const std::string text(target.data(), static_cast<std::size_t>(length));
    return text.starts_with('/') ? text : directory_of(link) + text;
}

bool leads_nowhere(int root, const std::string& path) {
    const int fd = open_in(root, path, O_PATH);
    ::close(fd);
    return fd < 0;
}

}  // namespace

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
            const bool is_made = ::mkdirat(parent, part.c_str(), 0755) == 0;
            if (!is_made && errno != EEXIST)
                give_up(engine_failed, "create directory " + next + " in the container", errno);
            ::close(parent);
            // A link that leads nowhere, or somebody was quicker.
            if (!is_made && leads_nowhere(root, next))
                make_directories(root, follow_link(root, next));
        }
        ::close(existing);
        done = next;
    }
}

void attach(int mount, int target, const std::string& what) {
    constexpr unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    if (::syscall(SYS_move_mount, mount, "", target, "", flags) == 0)
        return;
    const int error = errno;
    const bool from_directory = is_directory(mount);
    if (from_directory != is_directory(target))
        give_up(engine_failed,
                "mount " + what + ": a " + (from_directory ? "directory" : "file") +
                    " cannot be mounted on a " + (from_directory ? "file" : "directory"),
                0);
    give_up(engine_failed, "mount " + what, error);
}

HungMount::~HungMount() {
    const int here =
        static_cast<int>(must(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), "open directory"));
    must(::fchdir(mount_), "enter a mount");
    must(::syscall(SYS_umount2, ".", mnt_detach), "take a mount away");
    must(::fchdir(here), "leave a mount");
    ::close(here);
    ::close(mount_);
}

namespace {

/// An empty file. A link that leads nowhere is as good as the file that it would lead to, as
/// /etc/resolv.conf is one in many images.
void make_file(int root, const std::string& path) {
    constexpr int most_links = 40;  // the kernel's own bound
    std::string place = path;
    for (int i = 0; i < most_links; ++i) {
        make_directories(root, directory_of(place));
        const int made = open_in(root, place, O_CREAT | O_WRONLY | O_NOFOLLOW, 0644);
        if (made >= 0) {
            ::close(made);
            return;
        }
        if (errno != ELOOP)
            break;
        place = follow_link(root, place);
    }
    give_up(engine_failed, "create " + path + " in the container", errno);
}

}  // namespace

int open_target(int root, const std::string& path, bool directory) {
    int fd = open_in(root, path, O_PATH);
    if (fd >= 0)
        return fd;
    if (errno != ENOENT)
        give_up(engine_failed, "open " + path + " in the container", errno);
    if (directory) {
        make_directories(root, path);
    } else {
        make_file(root, path);
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

void attach_for_user(int tree, int root, const std::string& path) {
    const int target = open_target(root, path, is_directory(tree));
    refuse_proc(target, path);
    attach(tree, target, path);
    ::close(target);
}

std::uint64_t propagation_flag(const std::string& text) {
    const std::string kind = !text.empty() && text.front() == 'r' ? text.substr(1) : text;
    if (kind == "shared")
        return ms_shared;
    if (kind == "slave")
        return ms_slave;
    if (kind == "unbindable")
        return ms_unbindable;
    return ms_private;
}

}  // namespace stack::shim
