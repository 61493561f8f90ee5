#include "sys/tree.h"

#include "sys/file.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace stack::sys {

std::vector<std::string> names_in(const Fd& directory) {
    // A descriptor of its own: the caller's offset stays.
    const int copy = check(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                           "open a directory");
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
    if (!stream)
        fail("list a directory");
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..")
            names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

namespace {

/// To read, what `place` (O_PATH) is; an empty Fd where that is no regular file.
Fd reopen_regular(const Fd& place, const std::string& name) {
    struct stat status {};

    check(::fstat(place.get(), &status), "stat " + name);
    if (!S_ISREG(status.st_mode))
        return {};
    return Fd(check(
        ::open(("/proc/self/fd/" + std::to_string(place.get())).c_str(), O_RDONLY | O_CLOEXEC),
        "open " + name));
}

}  // namespace

Fd open_regular_file(const Fd& directory, const std::string& name) {
    const Fd place(check(::openat(directory.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC),
                         "open " + name));
    Fd file = reopen_regular(place, name);
    if (!file)
        fail("open " + name + ", which is no regular file", EINVAL);
    return file;
}

Fd find_entry(const Fd& directory, const std::string& name) {
    Fd entry(::openat(directory.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!entry && errno != ENOENT)
        fail("open " + name);
    return entry;
}

std::optional<std::string> find_link_target(const Fd& directory, const std::string& name) {
    std::array<char, 4096> text{};
    const auto size = ::readlinkat(directory.get(), name.c_str(), text.data(), text.size());
    if (size >= 0)
        return std::string(text.data(), static_cast<std::size_t>(size));
    if (errno != EINVAL && errno != ENOENT)
        fail("read link " + name);
    return std::nullopt;
}

Attributes attributes_of(const Fd& file) {
    std::array<char, 65536> names{};
    std::array<char, 65536> value{};
    const auto size = ::flistxattr(file.get(), names.data(), names.size());
    Attributes attributes;
    for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size);) {
        const std::string name(&names[at]);
        at += name.size() + 1;
        const auto length = ::fgetxattr(file.get(), name.c_str(), value.data(), value.size());
        if (length >= 0)
            attributes.emplace_back(name,
                                    std::string(value.data(), static_cast<std::size_t>(length)));
    }
    std::sort(attributes.begin(), attributes.end());
    return attributes;
}

namespace {

/// openat2(2) may answer EAGAIN when a rename races with it; a bounded number of tries is what its
/// manual asks for.
constexpr int resolve_tries = 128;

int try_open_in_root(const Fd& root, const std::string& path, int flags, std::uint32_t mode) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(static_cast<unsigned int>(flags | O_CLOEXEC));
    how.mode = mode;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const char* where = path.empty() ? "." : path.c_str();
    long fd = -1;
    for (int i = 0; i < resolve_tries; ++i) {
        fd = ::syscall(SYS_openat2, root.get(), where, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return static_cast<int>(fd);
}

void remove_below(const Fd& directory, dev_t device) {
    for (const auto& name : names_in(directory)) {
        if (::unlinkat(directory.get(), name.c_str(), 0) == 0 || errno == ENOENT)
            continue;
        if (errno != EISDIR && errno != EPERM)
            fail("remove " + name);
        Fd child(::openat(
            directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!child)
            fail("open " + name);

        struct stat status {};

        check(::fstat(child.get(), &status), "stat " + name);
        if (status.st_dev != device)
            fail("remove " + name + ", which is a mount point", EBUSY);
        remove_below(child, device);
        if (::unlinkat(directory.get(), name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT)
            fail("remove directory " + name);
    }
}

class TreeCopy {
  public:
    void copy_directory(const Fd& from, const Fd& to) {
        for (const auto& name : names_in(from))
            copy_entry(from, to, name);
        copy_attributes(from, to);
    }

  private:
    void copy_entry(const Fd& from, const Fd& to, const std::string& name) {
        struct stat status {};

        check(::fstatat(from.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW), "stat " + name);
        if (S_ISDIR(status.st_mode)) {
            if (::mkdirat(to.get(), name.c_str(), 0700) < 0 && errno != EEXIST)
                fail("create directory " + name);
            const Fd source(
                check(::openat(from.get(), name.c_str(), directory_flags), "open " + name));
            const Fd target(
                check(::openat(to.get(), name.c_str(), directory_flags), "open " + name));
            copy_directory(source, target);
            return;
        }
        if (status.st_nlink > 1 && link_to_earlier(to, name, status))
            return;
        if (S_ISREG(status.st_mode))
            copy_file(from, to, name);
        else if (S_ISLNK(status.st_mode))
            copy_link(from, to, name, status);
        else
            make_node(to, name, status);
        if (status.st_nlink > 1)
            copied_[{status.st_dev, status.st_ino}] = {duplicate(to), name};
    }

    bool link_to_earlier(const Fd& to, const std::string& name, const struct stat& status) {
        const auto found = copied_.find({status.st_dev, status.st_ino});
        if (found == copied_.end())
            return false;
        const auto& [directory, first] = found->second;
        check(::linkat(directory.get(), first.c_str(), to.get(), name.c_str(), 0), "link " + name);
        return true;
    }

    static void copy_file(const Fd& from, const Fd& to, const std::string& name) {
        const Fd source = open_regular_file(from, name);
        const Fd target(check(
            ::openat(
                to.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
            "create " + name));
        copy_rest(source, target, name);
        copy_attributes(source, target);
    }

    static void copy_link(const Fd& from,
                          const Fd& to,
                          const std::string& name,
                          const struct stat& status) {
        check(
            ::symlinkat(find_link_target(from, name).value_or("").c_str(), to.get(), name.c_str()),
            "create link " + name);
        set_owner_and_times(to, name, status);
    }

    static void make_node(const Fd& to, const std::string& name, const struct stat& status) {
        check(::mknodat(to.get(), name.c_str(), status.st_mode, status.st_rdev), "create " + name);
        set_owner_and_times(to, name, status);
        check(::fchmodat(to.get(), name.c_str(), status.st_mode & 07777U, AT_SYMLINK_NOFOLLOW),
              "set the mode of " + name);
    }

    static void set_owner_and_times(const Fd& to,
                                    const std::string& name,
                                    const struct stat& status) {
        check(::fchownat(to.get(), name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW),
              "set the owner of " + name);
        const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
        check(::utimensat(to.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW),
              "set the times of " + name);
    }

    static void copy_attributes(const Fd& from, const Fd& to) {
        struct stat status {};

        check(::fstat(from.get(), &status), "stat a file");
        check(::fchown(to.get(), status.st_uid, status.st_gid), "set the owner of a file");
        check(::fchmod(to.get(), status.st_mode & 07777U), "set the mode of a file");
        copy_extended_attributes(from, to);
        const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
        check(::futimens(to.get(), times.data()), "set the times of a file");
    }

    static void copy_extended_attributes(const Fd& from, const Fd& to) {
        for (const auto& [name, value] : attributes_of(from))
            if ((!name.starts_with("trusted.overlay.") || name == opaque_attribute) &&
                ::fsetxattr(to.get(), name.c_str(), value.data(), value.size(), 0) < 0 &&
                errno != ENOTSUP && errno != EPERM)
                fail("set attribute " + name);
    }

    static constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    std::map<std::pair<dev_t, ino_t>, std::pair<Fd, std::string>>
        copied_;  // files with several names
};

}  // namespace

Fd open_in_root(const Fd& root, const std::string& path, int flags, std::uint32_t mode) {
    return Fd(check(try_open_in_root(root, path, flags, mode), "open " + path));
}

Fd find_in_root(const Fd& root, const std::string& path, int flags) {
    Fd file(try_open_in_root(root, path, flags, 0));
    if (!file && errno != ENOENT && errno != ENOTDIR)
        fail("open " + path);
    return file;
}

Fd find_file_in_root(const Fd& root, const std::string& path) {
    const Fd place = find_in_root(root, path, O_PATH);
    return place ? reopen_regular(place, path) : Fd();
}

std::optional<std::string> read_in_root(const Fd& root,
                                        const std::string& path,
                                        std::size_t limit) {
    const Fd file = find_file_in_root(root, path);
    if (!file)
        return std::nullopt;
    return read_all(file, limit);
}

namespace {

/// `path` is cut and joined, never cleaned: `..` behind a link means what the kernel takes it for.
Fd ensure_directory(const Fd& root, const std::string& path, std::uint32_t mode, int links_left) {
    Fd last = find_in_root(root, path, O_RDONLY | O_DIRECTORY);
    if (last)
        return last;
    if (links_left == 0)
        fail("open " + path, ELOOP);
    const auto end = path.find_last_not_of('/');
    const std::string clean = path.substr(0, end + 1);
    const auto slash = clean.rfind('/');
    const std::string above = slash == std::string::npos ? "" : clean.substr(0, slash);
    const std::string name = clean.substr(slash + 1);
    const Fd parent = ensure_directory(root, above, mode, links_left);
    if (const auto target = find_link_target(parent, name))
        return ensure_directory(
            root, target->starts_with('/') ? *target : above + "/" + *target, mode, links_left - 1);
    if (::mkdirat(parent.get(), name.c_str(), mode) < 0 && errno != EEXIST)
        fail("create directory " + path);
    return open_in_root(root, path, O_RDONLY | O_DIRECTORY);
}

}  // namespace

Fd ensure_directory_in_root(const Fd& root, const std::string& path, std::uint32_t mode) {
    constexpr int most_links = 40;  // as the kernel's own walks have it
    return ensure_directory(root, path, mode, most_links);
}

void remove_tree(const Fd& directory, const std::string& name) {
    if (::unlinkat(directory.get(), name.c_str(), 0) == 0 || errno == ENOENT)
        return;
    const Fd child(
        ::openat(directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!child && errno == ENOENT)
        return;
    check(child.get(), "open " + name);

    struct stat status {};

    check(::fstat(child.get(), &status), "stat " + name);
    remove_below(child, status.st_dev);
    if (::unlinkat(directory.get(), name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT)
        fail("remove directory " + name);
}

void remove_tree(const std::string& path) {
    const std::string parent = parent_path(path);
    if (is_directory(parent))
        remove_tree(open_directory(parent), file_name(path));
}

void copy_tree(const Fd& from, const Fd& to) {
    TreeCopy().copy_directory(from, to);
}

}  // namespace stack::sys
