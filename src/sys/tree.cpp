#include "sys/tree.h"

#include "sys/directory.h"
#include "sys/file.h"
#include "sys/tree_walk.h"

#include <algorithm>
#include <array>
#include <climits>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace stack::sys {

std::vector<std::string> names_in(const Fd& directory) {
    // A descriptor of its own: the caller's offset stays.
    return names_left_in(Fd(check(
        ::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open a directory")));
}

std::vector<std::string> names_left_in(const Fd& directory) {
    std::vector<std::string> names;
    for (auto& entry : entries_in(directory))
        names.push_back(std::move(entry.name));
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
    std::array<char, 65536> names;  // neither is cleared: most files have no attributes
    std::array<char, 65536> value;
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

bool is_opaque(const Fd& directory) {
    std::array<char, 2> value{};
    return ::fgetxattr(directory.get(), opaque_attribute.data(), value.data(), value.size()) == 1 &&
           value[0] == 'y';
}

namespace {

void remove_below(const Fd& top) {
    TreeWalk walk(top);
    const dev_t device = walk.status().st_dev;
    for (;;) {
        if (const auto name = walk.next()) {
            if (::unlinkat(walk.here().get(), name->c_str(), 0) == 0 || errno == ENOENT)
                continue;
            if (errno != EISDIR && errno != EPERM)
                fail("remove " + *name);
            if (::unlinkat(walk.here().get(), name->c_str(), AT_REMOVEDIR) == 0)
                continue;  // empty, as most directories of a container are
            if (!walk.try_enter(*name)) {
                if (::faccessat(walk.here().get(), name->c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                    fail("remove " + *name, EPERM);
                continue;  // somebody else has removed it
            }
            if (walk.status().st_dev != device)
                fail("remove " + *name + ", which is a mount point", EBUSY);
            continue;
        }
        if (walk.at_top())
            return;
        const std::string name = walk.leave();
        if (::unlinkat(walk.here().get(), name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT)
            fail("remove directory " + name);
    }
}

/// openat2(2) may answer EAGAIN when a rename races with it; a bounded number of tries is what its
/// manual asks for.
constexpr int resolve_tries = 128;

int try_resolve(
    const Fd& from, const std::string& path, int flags, std::uint32_t mode, std::uint64_t resolve) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(static_cast<unsigned int>(flags | O_CLOEXEC));
    how.mode = mode;
    how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
    const char* where = path.empty() ? "." : path.c_str();
    long fd = -1;
    for (int i = 0; i < resolve_tries; ++i) {
        fd = ::syscall(SYS_openat2, from.get(), where, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return static_cast<int>(fd);
}

/// A path that is longer than the kernel takes goes by pieces. Below the first no link is followed:
/// where one leads, only a whole path tells.
int try_open_in_root(const Fd& root, std::string path, int flags, std::uint32_t mode) {
    std::uint64_t resolve = RESOLVE_IN_ROOT;
    Fd reached;
    while (path.size() >= PATH_MAX) {
        const auto cut = path.rfind('/', PATH_MAX - 1);
        if (cut == std::string::npos || cut == 0) {
            errno = ENAMETOOLONG;
            return -1;
        }
        Fd next(try_resolve(
            reached ? reached : root, path.substr(0, cut), O_PATH | O_DIRECTORY, 0, resolve));
        if (!next)
            return -1;
        reached = std::move(next);
        resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
        path.erase(0, std::min(path.find_first_not_of('/', cut), path.size()));
    }
    return try_resolve(reached ? reached : root, path, flags, mode, resolve);
}

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

/// Where the components of a path end.
std::vector<std::size_t> component_ends(const std::string& path) {
    std::vector<std::size_t> ends;
    for (std::size_t at = path.find_first_not_of('/'); at < path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        ends.push_back(end);
        at = path.find_first_not_of('/', end);
    }
    return ends;
}

/// `path` is cut and joined, never cleaned: `..` behind a link means what the kernel takes it for.
Fd ensure_directory(const Fd& root, const std::string& path, std::uint32_t mode, int links_left) {
    Fd last = find_in_root(root, path, O_RDONLY | O_DIRECTORY);
    if (last)
        return last;
    if (links_left == 0)
        fail("open " + path, ELOOP);
    const auto ends = component_ends(path);
    auto end = std::partition_point(ends.begin(), ends.end(), [&](std::size_t size) {
        return static_cast<bool>(find_in_root(root, path.substr(0, size), O_PATH | O_DIRECTORY));
    });
    std::size_t above = end == ends.begin() ? 0 : *std::prev(end);
    last = open_in_root(root, path.substr(0, above), O_RDONLY | O_DIRECTORY);
    for (; end != ends.end(); above = *end, ++end) {
        const std::string name = file_name("/" + path.substr(above, *end - above));
        if (const auto target = find_link_target(last, name))
            return ensure_directory(
                root,
                (target->starts_with('/') ? *target : path.substr(0, above) + "/" + *target) +
                    path.substr(*end),
                mode,
                links_left - 1);
        if (::mkdirat(last.get(), name.c_str(), mode) < 0 && errno != EEXIST)
            fail("create directory " + path.substr(0, *end));
        // From the root only where the way leads up: each step of a deep path costs the same.
        last = name == ".." ? open_in_root(root, path.substr(0, *end), O_RDONLY | O_DIRECTORY)
                            : Fd(check(::openat(last.get(),
                                                name.c_str(),
                                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                                       "open directory " + path.substr(0, *end)));
    }
    return last;
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
    remove_below(child);
    if (::unlinkat(directory.get(), name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT)
        fail("remove directory " + name);
}

void remove_tree(const std::string& path) {
    const std::string parent = parent_path(path);
    if (is_directory(parent))
        remove_tree(open_directory(parent), file_name(path));
}

}  // namespace stack::sys
