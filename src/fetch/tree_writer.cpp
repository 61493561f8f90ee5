#include "fetch/tree_writer.h"

#include <stack/error.h>
#include <stack/model.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "engine/image/tar_writer.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <array>
#include <limits>

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace stack::fetch {
namespace {

constexpr std::string_view whiteout = ".wh.";
constexpr std::string_view opaque_marker = ".wh..wh..opq";
constexpr std::string_view aufs_metadata = ".wh..wh.";

/// The path inside the layer: no leading slash, no `.`; `..` that leads out is refused, not
/// clamped.
std::string clean_path(const std::string& path) {
    if (path.size() > image::longest_path)
        throw Error("entry \"" + path.substr(0, 100) + "…\" is deeper than can be unpacked");
    Strings parts;
    for (auto& part : split(path, '/')) {
        if (part.empty() || part == ".")
            continue;
        if (part == "..") {
            if (parts.empty())
                throw Error("entry \"" + path + "\" leads out of the archive");
            parts.pop_back();
            continue;
        }
        parts.push_back(std::move(part));
    }
    return join(parts, "/");
}

void set_overlay_opaque(const sys::Fd& directory) {
    if (::fsetxattr(directory.get(), "trusted.overlay.opaque", "y", 1, 0) < 0)
        sys::fail("mark a directory opaque");
}

bool is_whiteout_device(const struct stat& status) {
    return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

/// Attributes that are the store's own, or mean something to the host alone.
bool may_be_set(const std::string& name) {
    return !name.starts_with("trusted.") && !name.starts_with("system.") &&
           !name.starts_with("user.overlay.") &&
           (!name.starts_with("security.") || name == "security.capability");
}

}  // namespace

TreeWriter::TreeWriter(const sys::Fd& root, WriteRules rules)
    : root_(root), rules_(std::move(rules)), implied_{"."} {}

image::Unsaid TreeWriter::unsaid() const {
    return {{implied_.begin(), implied_.end()}, {links_.begin(), links_.end()}};
}

void TreeWriter::add_size(std::int64_t bytes) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    size_ = bytes > most - size_ ? most : size_ + bytes;
}

std::pair<std::uint32_t, std::uint32_t> TreeWriter::owner_of(const Entry& entry) const {
    return rules_.owner.value_or(std::pair(entry.uid, entry.gid));
}

std::string TreeWriter::place_of(const std::string& path) const {
    const std::string clean = clean_path(path);
    return rules_.base.empty() || clean.empty() ? clean : rules_.base + "/" + clean;
}

sys::Fd TreeWriter::parent_of(const std::string& directory) {
    if (directory.empty() || directory == ".")
        return sys::duplicate(root_);
    if (sys::Fd there = sys::find_in_root(root_, directory, O_RDONLY | O_DIRECTORY))
        return there;
    if (rules_.whiteouts)
        note_implied(directory);
    return sys::ensure_directory_in_root(root_, directory);
}

/// That it, and what it lies in, is about to be made without an entry of its own. One entry may
/// imply thousands, each of them by a long name: they are all remembered, and so they have a bound.
void TreeWriter::note_implied(const std::string& directory) {
    constexpr std::size_t most = 16U << 20U;  // bytes of names
    for (auto end = directory.size(); end != std::string::npos && end > 0;
         end = directory.rfind('/', end - 1)) {
        std::string path = directory.substr(0, end);
        if (sys::find_in_root(root_, path, O_PATH | O_DIRECTORY))
            return;
        implied_bytes_ += path.size();
        if (implied_bytes_ > most)
            throw Error("entry \"" + path.substr(0, 100) +
                        "…\" lies in one directory too many that has no entry of its own");
        implied_.insert(std::move(path));
    }
}

/// Removes what is there unless a directory stands where a directory goes.
void TreeWriter::clear_place(const sys::Fd& parent,
                             const std::string& name,
                             const Entry& entry) const {
    struct stat status {};

    if (::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    const bool stands = S_ISDIR(status.st_mode);
    const bool goes = S_ISDIR(entry.mode) && !entry.hard_link;
    if (stands && goes)
        return;
    if (!rules_.merge) {
        sys::remove_tree(parent, name);
        return;
    }
    if (stands || goes)
        throw Error(
            std::make_error_code(stands ? std::errc::is_a_directory : std::errc::not_a_directory),
            "cannot overwrite " + std::string(stands ? "directory" : "non-directory") + " \"" +
                name + "\" with " + (goes ? "directory" : "non-directory") + " \"" + entry.path +
                "\"");
    if (::unlinkat(parent.get(), name.c_str(), 0) < 0)
        sys::fail("replace " + entry.path +
                  (errno == EBUSY ? ", where something is mounted" : std::string()));
}

bool TreeWriter::apply_whiteout(const sys::Fd& parent,
                                const std::string& directory,
                                const std::string& name) {
    if (!rules_.whiteouts || !name.starts_with(whiteout))
        return false;
    if (name == opaque_marker) {
        set_overlay_opaque(parent);
        return true;
    }
    if (name.starts_with(aufs_metadata))
        return true;
    const std::string hidden = name.substr(whiteout.size());
    if (hidden.empty() || hidden == "." || hidden == "..")
        throw Error("whiteout \"" + directory + "/" + name + "\" names nothing");

    struct stat status {};

    if (::fstatat(parent.get(), hidden.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
        // The layer brings the name itself: only what lies below it is hidden.
        if (S_ISDIR(status.st_mode))
            set_overlay_opaque(sys::Fd(sys::check(
                ::openat(
                    parent.get(), hidden.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                hidden)));
        return true;
    }
    sys::check(::mknodat(parent.get(), hidden.c_str(), S_IFCHR, makedev(0, 0)), "hide " + hidden);
    return true;
}

void TreeWriter::make_directory(const sys::Fd& parent,
                                const Entry& entry,
                                const std::string& name) {
    bool hides = false;

    struct stat status {};

    if (::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        is_whiteout_device(status)) {
        sys::check(::unlinkat(parent.get(), name.c_str(), 0), "replace a whiteout");
        hides = true;  // whiteout first, directory second: the lower one's content stays hidden
    }
    if (::mkdirat(parent.get(), name.c_str(), 0700) < 0 && errno != EEXIST)
        sys::fail("create directory " + entry.path);
    const sys::Fd made(sys::check(
        ::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
        entry.path));
    if (hides)
        set_overlay_opaque(made);
    set_attributes(made, entry);
}

void TreeWriter::set_attributes(const sys::Fd& file, const Entry& entry) const {
    const auto [uid, gid] = owner_of(entry);
    sys::check(::fchown(file.get(), uid, gid), "own " + entry.path);
    sys::check(::fchmod(file.get(), entry.mode & 07777U),
               "set the mode of " + entry.path);  // after chown: it clears setuid
    for (const auto& [name, value] : entry.attributes)
        if (may_be_set(name) &&
            ::fsetxattr(file.get(), name.c_str(), value.data(), value.size(), 0) < 0 &&
            errno != ENOTSUP && errno != EPERM)
            sys::fail("set attribute " + name + " of " + entry.path);
}

sys::Fd TreeWriter::begin(const Entry& entry) {
    STACK_FAILPOINT("layer.entry");
    const std::string path = place_of(entry.path);
    if (path.empty()) {
        if (!S_ISDIR(entry.mode) || entry.hard_link)
            throw Error("entry \"" + entry.path +
                        "\" makes the root something else than a directory");
        if (rules_.merge || rules_.keeps_top)
            return {};
        set_attributes(root_, entry);
        implied_.erase(".");
        directory_times_["."] = entry.modified;
        return {};
    }
    const std::string directory = path.find('/') == std::string::npos ? "" : sys::parent_path(path);
    const std::string name = sys::file_name(path);
    const sys::Fd parent = parent_of(directory);
    if (apply_whiteout(parent, directory, name))
        return {};
    implied_.erase(path);
    links_.erase(path);
    if (S_ISDIR(entry.mode) && !entry.hard_link) {
        if (struct stat status{};
            ::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            !is_whiteout_device(status))
            clear_place(parent, name, entry);
        make_directory(parent, entry, name);
        directory_times_[path] = entry.modified;
        return {};
    }
    clear_place(parent, name, entry);
    if (entry.hard_link) {
        make_link(parent, entry, path);
        return {};
    }
    if (S_ISCHR(entry.mode) && entry.device == 0)
        throw Error("entry \"" + entry.path + "\" is a whiteout in the disguise of a device");
    if (S_ISREG(entry.mode))
        return sys::Fd(sys::check(::openat(parent.get(),
                                           name.c_str(),
                                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                           0600),
                                  "create " + entry.path));
    if (S_ISLNK(entry.mode)) {
        sys::check(::symlinkat(entry.link.c_str(), parent.get(), name.c_str()),
                   "create link " + entry.path);
    } else {
        sys::check(::mknodat(parent.get(), name.c_str(), entry.mode, entry.device),
                   "create " + entry.path);
    }
    const auto [uid, gid] = owner_of(entry);
    sys::check(::fchownat(parent.get(), name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW),
               "own " + entry.path);
    const std::array<timespec, 2> times{entry.modified, entry.modified};
    sys::check(::utimensat(parent.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW),
               "set the times of " + entry.path);
    return {};
}

/// A layer may name a file of one below it, which is elsewhere.
void TreeWriter::make_link(const sys::Fd& parent, const Entry& entry, const std::string& path) {
    const std::string target = place_of(entry.link);
    const std::string directory =
        target.find('/') == std::string::npos ? "." : sys::parent_path(target);
    const sys::Fd source = sys::find_in_root(root_, directory, O_PATH | O_DIRECTORY);
    if (source && ::linkat(source.get(),
                           sys::file_name(target).c_str(),
                           parent.get(),
                           sys::file_name(path).c_str(),
                           0) == 0)
        return;
    const bool is_missing = !source || errno == ENOENT;
    if (!is_missing || !rules_.whiteouts || target.empty() || target == path)
        sys::fail("link " + entry.path + " to " + entry.link, is_missing ? ENOENT : errno);
    const auto other = links_.find(target);
    links_[path] = other == links_.end() ? target : other->second;
}

void TreeWriter::finish_file(const Entry& entry, const sys::Fd& file) {
    set_attributes(file, entry);
    const std::array<timespec, 2> times{entry.modified, entry.modified};
    sys::check(::futimens(file.get(), times.data()), "set the times of " + entry.path);
}

void TreeWriter::finish() {
    for (const auto& [path, time] : directory_times_) {
        const sys::Fd directory =
            sys::find_in_root(root_, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        const std::array<timespec, 2> times{time, time};
        if (directory)
            sys::check(::futimens(directory.get(), times.data()), "set the times of " + path);
    }
}

}  // namespace stack::fetch
