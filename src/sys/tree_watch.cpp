#include "sys/tree_watch.h"

#include "sys/file.h"
#include "sys/inotify.h"
#include "sys/tree_walk.h"

#include <array>
#include <set>

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::sys {
namespace {

constexpr std::uint32_t any_change = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE |
                                     IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |
                                     IN_MOVE_SELF | IN_ONLYDIR;

std::int64_t nanoseconds(const timespec& time) {
    constexpr std::int64_t in_second = 1'000'000'000;
    return time.tv_sec * in_second + time.tv_nsec;
}

FileState state_of(const struct stat& status) {
    if (S_ISDIR(status.st_mode))
        return {.is_directory = true};
    return {.mode = status.st_mode,
            .inode = status.st_ino,
            .size = status.st_size,
            .modified_ns = nanoseconds(status.st_mtim),
            .changed_ns = nanoseconds(status.st_ctim)};
}

/// The directory at `path`, or the nearest one above it.
std::string nearest_directory(std::string path) {
    while (!is_directory(path))
        path = parent_path(path);
    return path;
}

}  // namespace

std::vector<std::string> changed_paths(const TreeState& before, const TreeState& after) {
    std::set<std::string> changed;
    for (const auto& [path, state] : before)
        if (const auto now = after.find(path); now == after.end() || now->second != state)
            changed.insert(path);
    for (const auto& [path, state] : after)
        if (!before.contains(path))
            changed.insert(path);
    return {changed.begin(), changed.end()};
}

TreeWatch::TreeWatch() : inotify_(make_inotify()) {}

void TreeWatch::watch(const Fd& directory, const std::string& path) {
    const std::string place = "/proc/self/fd/" + std::to_string(directory.get());
    if (::inotify_add_watch(inotify_.get(), place.c_str(), any_change) >= 0)
        return;
    const int error = errno;
    fail(
        "watch " + path +
            (error == ENOSPC ? " (ignore directories that need not be watched, or raise the sysctl "
                               "fs.inotify.max_user_watches)"
                             : ""),
        error);
}

void TreeWatch::look(const std::string& path, const Skips& skips, TreeState& state) {
    if (is_directory(path)) {
        walk(open_directory(path), path, skips, state);
        return;
    }
    const std::string above = nearest_directory(parent_path(path));
    watch(open_directory(above), above);
    if (struct stat status{}; ::stat(path.c_str(), &status) == 0)
        state[path] = state_of(status);
}

void TreeWatch::walk(const Fd& directory, std::string path, const Skips& skips, TreeState& state) {
    TreeWalk walk(directory);
    watch(walk.here(), path);
    if (path != "/")
        path += "/";
    for (;;) {
        const auto name = walk.next();
        if (!name && walk.at_top())
            return;
        if (!name) {
            path.resize(path.size() - walk.leave().size() - 1);
            continue;
        }
        const std::string below = path + *name;

        struct stat status {};

        if (skips(below) ||
            ::fstatat(walk.here().get(), name->c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;  // it went meanwhile
        const bool is_directory = S_ISDIR(status.st_mode);
        if (is_directory || S_ISREG(status.st_mode) || S_ISLNK(status.st_mode))
            state[below] = state_of(status);
        if (!is_directory || !walk.try_enter(*name))
            continue;
        watch(walk.here(), below);
        path = below + "/";
    }
}

void TreeWatch::drain() const {
    std::array<char, 16384> events{};
    while (::read(inotify_.get(), events.data(), events.size()) > 0) {
    }
}

}  // namespace stack::sys
