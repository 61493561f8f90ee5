#include "shim/copy_up.h"

#include "shim/fault.h"
#include "shim/mount.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

namespace stack::shim {
namespace {

void copy_directory(int from, int to);

void copy_content(int from, const char* name, int to, const struct stat& status) {
    const int source = static_cast<int>(
        must(::openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), name));
    const int copy = static_cast<int>(must(
        ::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, status.st_mode & 07777), name));
    constexpr std::size_t most = 1U << 24U;
    while (must(::sendfile(copy, source, nullptr, most), std::string("copy ") + name) > 0) {
    }
    ::close(source);
    ::close(copy);
}

void copy_link(int from, const char* name, int to) {
    std::array<char, 4096> target{};
    must(::readlinkat(from, name, target.data(), target.size() - 1), name);
    must(::symlinkat(target.data(), to, name), name);
}

void copy_below(int from, const char* name, int to, const struct stat& status) {
    must(::mkdirat(to, name, status.st_mode & 07777), name);
    const int source = static_cast<int>(
        must(::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), name));
    const int copy = static_cast<int>(
        must(::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), name));
    copy_directory(source, copy);
    ::close(source);
    ::close(copy);
}

void copy_entry(int from, const char* name, int to) {
    struct stat status {};

    must(::fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW), name);
    if (S_ISDIR(status.st_mode))
        copy_below(from, name, to, status);
    else if (S_ISLNK(status.st_mode))
        copy_link(from, name, to);
    else if (S_ISREG(status.st_mode))
        copy_content(from, name, to, status);
    else
        must(::mknodat(to, name, status.st_mode, status.st_rdev), name);
    must(::fchownat(to, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW), name);
    if (!S_ISLNK(status.st_mode))  // a change of owner takes the set-id bits
        must(::fchmodat(to, name, status.st_mode & 07777, 0), name);
}

void copy_directory(int from, int to) {
    DIR* entries = ::fdopendir(::fcntl(from, F_DUPFD_CLOEXEC, 0));
    if (entries == nullptr)
        give_up(engine_failed, "read a directory", errno);
    while (const dirent* entry = ::readdir(entries))
        if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
            copy_entry(from, entry->d_name, to);
    ::closedir(entries);
}

}  // namespace

void copy_up(int root, const std::string& path, int to) {
    const int from =
        static_cast<int>(must(open_in(root, path, O_RDONLY | O_DIRECTORY), "open " + path));
    const int copy = static_cast<int>(
        must(::openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open the copy of " + path));
    copy_directory(from, copy);
    ::close(from);
    ::close(copy);
}

}  // namespace stack::shim
