#include "sys/file.h"

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "sys/lock.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace stack::sys {
namespace {

/// Whether the name still leads to the file: whoever held the lock before may have renamed it.
bool is_at(const Fd& file, const std::string& path) {
    struct stat held {};

    struct stat named {};

    check(::fstat(file.get(), &held), "stat " + path);
    return ::lstat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

/// One name for all who write, so that the next write takes over what a killed one left; a lock,
/// so that two at once take turns.
Lock open_temporary(const std::string& path, std::uint32_t mode) {
    while (true) {
        Lock file = Lock::acquire(path, mode);
        if (!is_at(file.fd(), path))
            continue;
        check(::ftruncate(file.fd().get(), 0), "truncate " + path);
        return file;
    }
}

bool means_full(const std::error_code& code) {
    return code.value() == ENOSPC || code.value() == EDQUOT;
}

void write_or_remove(const Fd& file, std::string_view bytes, const std::string& path) {
    try {
        write_all(file, bytes);
    } catch (const Error& error) {
        ::unlink(path.c_str());
        fail("write " + path, error.code().value());
    }
}

/// In the room that the file has on disk. False where that is not enough.
bool overwrite_in_place(const std::string& path, std::string_view bytes) {
    constexpr std::size_t block = 512;  // of st_blocks, whatever the file system's are
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));

    struct stat status {};

    return file && ::fstat(file.get(), &status) == 0 &&
           static_cast<std::size_t>(status.st_blocks) * block >= bytes.size() &&
           ::pwrite(file.get(), bytes.data(), bytes.size(), 0) ==
               static_cast<ssize_t>(bytes.size()) &&
           ::ftruncate(file.get(), static_cast<off_t>(bytes.size())) == 0;
}

void write_replacement(const std::string& path,
                       std::string_view bytes,
                       std::uint32_t mode,
                       bool durable) {
    const std::string temporary = path + ".tmp";
    {
        const Lock file = open_temporary(temporary, mode);
        write_or_remove(file.fd(), bytes, temporary);
        STACK_FAILPOINT("file.replace.written");
        if (durable)
            check(::fsync(file.fd().get()), "fsync " + temporary);
        rename(temporary, path);
    }
    STACK_FAILPOINT("file.replace.renamed");
    if (durable)
        sync_directory(parent_path(path));
}

/// Also where the control group or process that a file is of went meanwhile: opening says so, not
/// only reading (proc(5), cgroups(7)).
bool says_absent(int error) {
    return error == ENOENT || error == ENOTDIR || error == ENODEV || error == ESRCH;
}

/// The names of those that `is_wanted`, in order; none where there is no such directory.
template <class IsWanted>
std::vector<std::string> list_entries(const std::string& path, const IsWanted& is_wanted) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (!directory) {
        if (says_absent(errno))
            return {};
        fail("list " + path);
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != ".." && is_wanted(*entry))
            names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// Each piece in turn, to the end or until `take` has had enough.
void read_until(const Fd& fd, const std::function<bool(std::string_view)>& take) {
    std::array<char, 65536> buffer;  // not cleared: most files are smaller than one of its pages
    for (;;) {
        const auto count = ::read(fd.get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR)
            continue;
        check(count, "read");
        if (count == 0 || take({buffer.data(), static_cast<std::size_t>(count)}))
            return;
    }
}

/// What is written into a FIFO, to the end, however slowly it comes. It was opened without waiting:
/// one that nobody has open for writing, nor opens in a moment, is an error.
std::string read_pipe(const Fd& pipe, const std::string& path, std::size_t limit) {
    constexpr int moment = 1000;  // ms: a writer may only be starting
    std::string text;
    std::array<char, 65536> buffer;
    for (;;) {
        pollfd entry{pipe.get(), POLLIN, 0};
        const int ready = ::poll(&entry, 1, moment);
        const auto count = ::read(pipe.get(), buffer.data(), buffer.size());
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        check(count, "read " + path);
        if (count == 0 && ready > 0)
            return text;  // who wrote has gone
        if (count == 0 && ready == 0)
            throw Error(std::make_error_code(std::errc::no_such_device_or_address),
                        "read " + path + ": it is a FIFO that nobody writes into");
        text.append(buffer.data(), static_cast<std::size_t>(count));
        if (text.size() > limit)
            fail("read " + path, EFBIG);
    }
}

}  // namespace

std::optional<std::string> read_file(const std::string& path, std::size_t limit) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file && says_absent(errno))
        return std::nullopt;
    check(file.get(), "open " + path);

    struct stat status {};

    check(::fstat(file.get(), &status), "stat " + path);
    if (S_ISDIR(status.st_mode))
        fail("read " + path, EISDIR);
    if (S_ISFIFO(status.st_mode))
        return read_pipe(file, path, limit);
    const auto size = static_cast<std::size_t>(status.st_size);
    std::string text;
    try {
        // A file that says its size is over there; the kernel's own say none.
        read_until(file, [&](std::string_view bytes) {
            text += bytes;
            if (text.size() > limit)
                fail("read", EFBIG);
            return size > 0 && text.size() >= size;
        });
        return text;
    } catch (const std::system_error& error) {
        const int reason = error.code().value();
        if (says_absent(reason))
            return std::nullopt;
        fail("read " + path, reason);
    }
}

std::string read_some(const Fd& fd, std::size_t most) {
    std::string bytes(most, '\0');
    ssize_t count = 0;
    while ((count = ::read(fd.get(), bytes.data(), most)) < 0 && errno == EINTR) {
    }
    bytes.resize(static_cast<std::size_t>(check(count, "read")));
    return bytes;
}

void read_each(const Fd& fd, const std::function<void(std::string_view)>& each) {
    read_until(fd, [&](std::string_view bytes) {
        each(bytes);
        return false;
    });
}

std::string read_all(const Fd& fd, std::size_t limit) {
    std::string text;
    read_each(fd, [&](std::string_view bytes) {
        text += bytes;
        if (text.size() > limit)
            fail("read", EFBIG);
    });
    return text;
}

void write_all(const Fd& fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::write(fd.get(), bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR)
            continue;
        check(count, "write");
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

std::size_t write_some(const Fd& fd, std::string_view bytes) {
    const auto count = ::write(fd.get(), bytes.data(), bytes.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return static_cast<std::size_t>(check(count, "write"));
}

void copy_rest(const Fd& from, const Fd& to, const std::string& what) {
    constexpr std::size_t step = 1U << 30U;
    auto count = ::copy_file_range(from.get(), nullptr, to.get(), nullptr, step, 0);
    while (count > 0)
        count = ::copy_file_range(from.get(), nullptr, to.get(), nullptr, step, 0);
    if (count == 0)
        return;
    if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP)
        fail("copy " + what);
    read_each(from, [&](std::string_view bytes) { write_all(to, bytes); });
}

void write_existing(const std::string& path, std::string_view bytes) {
    if (const int error = try_write_existing(path, bytes); error != 0)
        fail("write \"" + std::string(bytes) + "\" to " + path, error);
}

int try_write_existing(const std::string& path, std::string_view bytes) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return file && ::write(file.get(), bytes.data(), bytes.size()) >= 0 ? 0 : errno;
}

void replace_file(const std::string& path, std::string_view bytes, std::uint32_t mode) {
    write_replacement(path, bytes, mode, true);
}

void replace_volatile_file(const std::string& path, std::string_view bytes, std::uint32_t mode) {
    try {
        write_replacement(path, bytes, mode, false);
    } catch (const Error& error) {
        if (!means_full(error.code()) || !overwrite_in_place(path, bytes))
            throw;
    }
}

Fd open_file(const std::string& path, int flags, std::uint32_t mode) {
    return Fd(check(::open(path.c_str(), flags | O_CLOEXEC, mode), "open " + path));
}

Fd open_directory(const std::string& path) {
    return open_file(path, O_RDONLY | O_DIRECTORY);
}

bool exists(const std::string& path) {
    struct stat status {};

    return ::lstat(path.c_str(), &status) == 0;
}

std::int64_t file_size(const std::string& path) {
    struct stat status {};

    return ::lstat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

bool is_directory(const std::string& path) {
    struct stat status {};

    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_device(const std::string& path) {
    struct stat status {};

    return ::lstat(path.c_str(), &status) == 0 &&
           (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode));
}

std::optional<std::string> find_device(const std::string& path) {
    struct stat status {};

    if (::stat(path.c_str(), &status) < 0 || (!S_ISBLK(status.st_mode) && !S_ISCHR(status.st_mode)))
        return std::nullopt;
    return (S_ISBLK(status.st_mode) ? "b " : "c ") + std::to_string(major(status.st_rdev)) + ":" +
           std::to_string(minor(status.st_rdev));
}

std::optional<std::string> find_device_number(const std::string& path) {
    const auto device = find_device(path);
    return device ? std::optional(device->substr(2)) : std::nullopt;
}

void touch(const std::string& path) {
    if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) < 0 && errno != ENOENT &&
        errno != EROFS)  // nobody goes by the times of what cannot change
        fail("touch " + path);
}

void overwrite(const std::string& path, std::string_view bytes) {
    const Fd file = open_file(path, O_WRONLY);
    write_all(file, bytes);
    check(::ftruncate(file.get(), static_cast<off_t>(bytes.size())), "shorten " + path);
}

std::optional<FileStamp> find_stamp(const std::string& path) {
    struct stat status {};

    if (::stat(path.c_str(), &status) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return std::nullopt;
        fail("stat " + path);
    }
    constexpr std::int64_t ns_per_s = 1'000'000'000;
    return FileStamp{status.st_ino, status.st_mtim.tv_sec * ns_per_s + status.st_mtim.tv_nsec};
}

void bound_own_output(const std::string& path, std::uint64_t most) {
    struct stat status {};

    if (::stat(path.c_str(), &status) < 0 || static_cast<std::uint64_t>(status.st_size) <= most)
        return;
    rename(path, path + ".1");
    constexpr std::uint32_t ours = 0600;
    const Fd next = open_file(path, O_WRONLY | O_CREAT | O_APPEND, ours);
    for (const int standard : {STDOUT_FILENO, STDERR_FILENO})
        check(::dup2(next.get(), standard), "send output to " + path);
}

void ensure_directory(const std::string& path, std::uint32_t mode) {
    if (::mkdir(path.c_str(), mode) == 0 || (errno == EEXIST && is_directory(path)))
        return;
    if (errno == ENOENT && path != "/" && !path.empty()) {
        ensure_directory(parent_path(path), 0755);
        if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST)
            return;
    }
    fail("create directory " + path);
}

void ensure_private_directory(const std::string& path) {
    ensure_directory(path, 0700);

    struct stat status {};

    check(::stat(path.c_str(), &status), "stat " + path);
    if ((status.st_mode & 07777U) != 0700)
        check(::chmod(path.c_str(), 0700), "set the mode of " + path);
}

void remove_file(const std::string& path) {
    if (::unlink(path.c_str()) < 0 && errno != ENOENT && errno != ENOTDIR)
        fail("remove " + path);
}

void remove_directory(const std::string& path) {
    if (const int error = try_remove_directory(path); error != 0)
        fail("remove directory " + path, error);
}

int try_remove_directory(const std::string& path) {
    return ::rmdir(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
}

void rename(const std::string& from, const std::string& to) {
    check(::rename(from.c_str(), to.c_str()), "rename " + from + " to " + to);
}

bool try_rename(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) == 0)
        return true;
    if (errno != EEXIST && errno != ENOTEMPTY)
        fail("rename " + from + " to " + to);
    return false;
}

void sync_filesystem(const std::string& path) {
    check(::syncfs(open_directory(path).get()), "sync the file system of " + path);
}

void sync_file(const Fd& file, const std::string& path) {
    check(::fsync(file.get()), "sync " + path);
}

void sync_directory(const std::string& path) {
    check(::fsync(open_directory(path).get()), "fsync " + path);
}

std::vector<std::string> list_directory(const std::string& path) {
    return list_entries(path, [](const dirent&) { return true; });
}

std::vector<std::string> list_subdirectories(const std::string& path) {
    return list_entries(path, [&](const dirent& entry) {
        return entry.d_type == DT_DIR ||
               (entry.d_type == DT_UNKNOWN && is_directory(path + "/" + entry.d_name));
    });
}

bool is_same_file(const std::string& path, const std::string& other) {
    struct stat one {};

    struct stat two {};

    return ::stat(path.c_str(), &one) == 0 && ::stat(other.c_str(), &two) == 0 &&
           one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

bool is_open_file(const Fd& file, const std::string& path) {
    struct stat opened {};

    struct stat found {};

    return ::fstat(file.get(), &opened) == 0 && ::stat(path.c_str(), &found) == 0 &&
           opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

std::string current_directory() {
    std::array<char, PATH_MAX> buffer{};
    if (::getcwd(buffer.data(), buffer.size()) == nullptr)
        fail("find the current directory");
    return buffer.data();
}

std::optional<std::string> real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
    if (!real)
        return std::nullopt;
    return std::string(real.get());
}

std::string absolute_path(const std::string& path, const std::string& base) {
    const std::string whole = path.starts_with('/') ? path : base + "/" + path;
    std::vector<std::string> parts;
    for (auto& part : split(whole, '/')) {
        if (part == "..") {
            if (!parts.empty())
                parts.pop_back();
        } else if (!part.empty() && part != ".") {
            parts.push_back(std::move(part));
        }
    }
    return "/" + join(parts, "/");
}

std::string parent_path(const std::string& path) {
    const auto slash = path.find_last_of('/');
    if (slash == std::string::npos)
        return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string file_name(const std::string& path) {
    return path.substr(path.find_last_of('/') + 1);
}

Fd memory_file(const char* name, std::string_view bytes) {
    Fd file(check(::memfd_create(name, MFD_CLOEXEC), "create a memory file"));
    write_all(file, bytes);
    rewind(file);
    return file;
}

void rewind(const Fd& file) {
    check(::lseek(file.get(), 0, SEEK_SET), "rewind a file");
}

Pipe make_pipe() {
    std::array<int, 2> ends{};
    check(::pipe2(ends.data(), O_CLOEXEC), "create a pipe");
    return {Fd(ends[0]), Fd(ends[1])};
}

const std::string& boot_id() {
    static const std::string id(
        trim(read_file("/proc/sys/kernel/random/boot_id").value_or("unknown")));
    return id;
}

}  // namespace stack::sys
