#include "engine/build/copy.h"

#include <stack/error.h>

#include "sys/file.h"
#include "sys/tree.h"

#include <array>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace stack::build {
namespace {

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

std::string joined(const std::string& directory, std::string_view name) {
    if (name.empty())
        return directory;
    std::string path = directory.empty() ? "" : directory + "/";
    return path += name;
}

std::optional<std::string> link_at(const sys::Fd& parent, const std::string& name) {
    std::array<char, 4097> text{};
    const auto size = ::readlinkat(parent.get(), name.c_str(), text.data(), text.size());
    if (size < 0)
        return std::nullopt;
    return std::string(text.data(), static_cast<std::size_t>(size));
}

/// Where a link at `path` leads, by text.
std::string through_link(const std::string& path, const std::string& target) {
    return clean_path(target.starts_with('/') ? target : parent_of(path) + "/" + target);
}

/// Capabilities of files and attributes that programs attach.
void copy_attributes(const sys::Fd& from, const sys::Fd& to) {
    std::array<char, 65536> names;  // neither is cleared: most files have no attributes
    std::array<char, 65536> value;
    const auto size = ::flistxattr(from.get(), names.data(), names.size());
    for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size);) {
        const std::string name(&names[at]);
        at += name.size() + 1;
        if (name != "security.capability" && !name.starts_with("user."))
            continue;
        const auto length = ::fgetxattr(from.get(), name.c_str(), value.data(), value.size());
        if (length < 0)
            continue;
        if (::fsetxattr(to.get(), name.c_str(), value.data(), static_cast<std::size_t>(length), 0) <
                0 &&
            errno != ENOTSUP && errno != EPERM)
            sys::fail("set attribute " + name);
    }
}

}  // namespace

bool TreeWriter::is_directory(const std::string& path) const {
    return static_cast<bool>(sys::find_in_root(root_, path, O_PATH | O_DIRECTORY));
}

sys::Fd TreeWriter::ensure_directory(const std::string& path) {
    return ensure_directory(clean_path(path), most_links);
}

sys::Fd TreeWriter::ensure_directory(const std::string& path, int links_left) {
    sys::Fd existing = sys::find_in_root(root_, path, O_RDONLY | O_DIRECTORY);
    if (existing || path.empty())
        return existing ? std::move(existing)
                        : sys::open_in_root(root_, "", O_RDONLY | O_DIRECTORY);
    if (links_left == 0)
        sys::fail("follow /" + path, ELOOP);
    const sys::Fd parent = ensure_directory(parent_of(path), links_left - 1);
    const std::string name = name_of(path);
    // A link that leads to nothing yet: what it leads to is made.
    if (const auto link = link_at(parent, name))
        return ensure_directory(through_link(path, *link), links_left - 1);
    if (::mkdirat(parent.get(), name.c_str(), 0755) < 0)
        sys::fail("create the directory /" + path);
    sys::Fd made = sys::open_in_root(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    finish_new(made);
    return made;
}

void TreeWriter::finish_new(const sys::Fd& directory) const {
    const Owner owner = options_.owner.value_or(Owner{});
    sys::check(::fchown(directory.get(), owner.uid, owner.gid), "set the owner of a directory");
    sys::check(::fchmod(directory.get(), 0755), "set the mode of a directory");
}

std::string TreeWriter::follow(std::string path) const {
    for (int i = 0; i < most_links; ++i) {
        const sys::Fd parent = sys::find_in_root(root_, parent_of(path), O_PATH | O_DIRECTORY);
        const auto link = parent ? link_at(parent, name_of(path)) : std::nullopt;
        if (!link)
            return path;
        path = through_link(path, *link);
    }
    sys::fail("follow /" + path, ELOOP);
}

Owner TreeWriter::owner_for(const struct stat& status) const {
    return options_.owner.value_or(Owner{status.st_uid, status.st_gid});
}

std::uint32_t TreeWriter::mode_for(const struct stat& status) const {
    const std::uint32_t mode = status.st_mode & 07777U;
    if (options_.mode.empty())
        return mode;
    const auto changed = changed_mode(options_.mode, mode, S_ISDIR(status.st_mode));
    if (!changed)
        throw Error(changed.error().message);
    return *changed;
}

void TreeWriter::finish(const sys::Fd& file, const struct stat& status) const {
    const Owner owner = owner_for(status);
    sys::check(::fchown(file.get(), owner.uid, owner.gid), "set the owner of a file");
    sys::check(::fchmod(file.get(), mode_for(status)), "set the mode of a file");
}

void TreeWriter::set_owner_and_times(const sys::Fd& parent,
                                     const std::string& name,
                                     const struct stat& status) const {
    const Owner owner = owner_for(status);
    sys::check(::fchownat(parent.get(), name.c_str(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW),
               "set the owner of " + name);
    const std::array<timespec, 2> times{status.st_mtim, status.st_mtim};
    sys::check(::utimensat(parent.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW),
               "set the times of " + name);
}

void TreeWriter::write(const SourceTree& source,
                       const std::vector<SourceFile>& files,
                       const Destination& destination) {
    const std::string base = clean_path(destination.path);
    for (const auto& file : files) {
        const std::string path = joined(base, file.name());
        if (S_ISDIR(file.status.st_mode))
            make_directory(file, path);
        else
            write_entry(
                source, file, file.name().empty() && destination.follows ? follow(path) : path);
    }
    for (const auto& made : made_) {  // opened again: there may be more than can be kept open
        const std::array<timespec, 2> times{made.modified, made.modified};
        const sys::Fd directory = sys::open_in_root(root_, made.path, O_RDONLY | O_DIRECTORY);
        sys::check(::futimens(directory.get(), times.data()), "set the times of /" + made.path);
    }
    made_.clear();
    linked_.clear();
    parent_.reset();
}

/// Files of one directory come after one another.
const sys::Fd& TreeWriter::parent_for(const std::string& path) {
    std::string parent = parent_of(path);
    if (!parent_ || parent != parent_path_) {
        parent_ = ensure_directory(parent, most_links);
        parent_path_ = std::move(parent);
    }
    return parent_;
}

void TreeWriter::make_directory(const SourceFile& file, const std::string& path) {
    if (is_directory(path)) {
        if (file.name().empty())
            return;
        finish(ensure_directory(path, most_links), file.status);
        made_.push_back({path, file.status.st_mtim});
        return;
    }
    const sys::Fd parent = ensure_directory(parent_of(path), most_links);
    if (link_at(parent, name_of(path)) && ::unlinkat(parent.get(), name_of(path).c_str(), 0) < 0)
        sys::fail("replace /" + path);
    if (::mkdirat(parent.get(), name_of(path).c_str(), 0700) < 0)
        sys::fail("create the directory /" + path);
    const sys::Fd made =
        sys::open_in_root(parent, name_of(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (file.name().empty())
        finish_new(made);
    else
        finish(made, file.status);
    made_.push_back({path, file.status.st_mtim});
}

/// Postcondition: no file is there.
void TreeWriter::make_room(const sys::Fd& parent, const std::string& path) {
    if (::unlinkat(parent.get(), name_of(path).c_str(), 0) < 0 && errno != ENOENT)
        throw Error("/" + path + " is a directory in the stage, and a file is to be copied there");
}

/// A new file, in the place of what is there.
sys::Fd TreeWriter::create(const sys::Fd& parent, const std::string& path) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const std::string name = name_of(path);
    sys::Fd file(::openat(parent.get(), name.c_str(), flags, 0600));
    if (!file && errno == EEXIST) {
        make_room(parent, path);
        file.reset(::openat(parent.get(), name.c_str(), flags, 0600));
    }
    if (!file)
        sys::fail("create /" + path);
    return file;
}

void TreeWriter::write_entry(const SourceTree& source,
                             const SourceFile& file,
                             const std::string& path) {
    const sys::Fd& parent = parent_for(path);
    const std::string name = name_of(path);
    const mode_t type = file.status.st_mode & S_IFMT;
    if (type == S_IFREG) {
        write_file(source, file, parent, path);
        if (file.status.st_nlink > 1)
            linked_.try_emplace({file.status.st_dev, file.status.st_ino}, path);
        return;
    }
    make_room(parent, path);
    if (type == S_IFLNK) {
        sys::check(::symlinkat(file.link.c_str(), parent.get(), name.c_str()),
                   "create the link /" + path);
    } else {
        sys::check(::mknodat(parent.get(), name.c_str(), file.status.st_mode, file.status.st_rdev),
                   "create /" + path);
        sys::check(
            ::fchmodat(parent.get(), name.c_str(), mode_for(file.status), AT_SYMLINK_NOFOLLOW),
            "set the mode of /" + path);
    }
    set_owner_and_times(parent, name, file.status);
}

void TreeWriter::write_file(const SourceTree& source,
                            const SourceFile& file,
                            const sys::Fd& parent,
                            const std::string& path) {
    const std::string name = name_of(path);
    const auto earlier = linked_.find({file.status.st_dev, file.status.st_ino});
    if (file.status.st_nlink > 1 && earlier != linked_.end()) {
        make_room(parent, path);
        const sys::Fd directory =
            sys::open_in_root(root_, parent_of(earlier->second), O_PATH | O_DIRECTORY);
        sys::check(
            ::linkat(
                directory.get(), name_of(earlier->second).c_str(), parent.get(), name.c_str(), 0),
            "link " + name);
        return;
    }
    const sys::Fd from = source.open(file);
    const sys::Fd to = create(parent, path);
    sys::copy_rest(from, to, file.path);
    finish(to, file.status);
    copy_attributes(from, to);
    const std::array<timespec, 2> times{file.status.st_mtim, file.status.st_mtim};
    sys::check(::futimens(to.get(), times.data()), "set the times of " + name);
}

void TreeWriter::write_text(const Destination& destination,
                            std::string_view content,
                            std::uint32_t mode) {
    const std::string path = clean_path(destination.path);
    const std::string place = destination.follows ? follow(path) : path;
    const sys::Fd parent = ensure_directory(parent_of(place), most_links);
    const std::string name = name_of(place);
    if (::unlinkat(parent.get(), name.c_str(), 0) < 0 && errno != ENOENT)
        throw Error("/" + place +
                    " is a directory in the stage, and a file is to be written there");
    const sys::Fd file =
        sys::open_in_root(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    sys::write_all(file, content);

    struct stat status {};

    status.st_mode = S_IFREG | mode;
    finish(file, status);
}

}  // namespace stack::build
