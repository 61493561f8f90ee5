#include "engine/build/context.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/lock.h"
#include "sys/tree.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace stack::build {
namespace {

constexpr std::size_t most_files = 2'000'000;
constexpr int deepest_directory = 256;

std::string child_of(const std::string& directory, const std::string& name) {
    return directory.empty() ? name : directory + "/" + name;
}

std::string link_target(int directory, const std::string& name) {
    std::array<char, 4097> text{};
    const auto size = sys::check(::readlinkat(directory, name.c_str(), text.data(), text.size()),
                                 "read the link " + name);
    return {text.data(), static_cast<std::size_t>(size)};
}

/// The path of an open file, from the root of its mount where that is attached nowhere.
std::string path_of(const sys::Fd& fd) {
    return link_target(AT_FDCWD, "/proc/self/fd/" + std::to_string(fd.get()));
}

/// Of every file of a context, each time: made in one piece.
std::string identity_of(const struct stat& status) {
    std::array<char, 160> text{};  // seven numbers of 20 digits at most
    char* end = text.data();
    const auto add = [&](auto number, char separator) {
        end = std::to_chars(end, text.data() + text.size(), number).ptr;
        *end++ = separator;
    };
    add(status.st_dev, ':');
    add(status.st_ino, ':');
    add(status.st_size, ':');
    add(status.st_mtim.tv_sec, '.');
    add(status.st_mtim.tv_nsec, ':');
    add(status.st_ctim.tv_sec, '.');
    add(status.st_ctim.tv_nsec, '\0');
    return text.data();
}

std::string file_digest(const sys::Fd& file) {
    Sha256 digest;
    std::array<char, 131072> buffer{};
    for (;;) {
        const auto count =
            sys::check(::read(file.get(), buffer.data(), buffer.size()), "read a file");
        if (count == 0)
            break;
        digest.update({buffer.data(), static_cast<std::size_t>(count)});
    }
    std::array<char, 256> rights{};
    const auto size = ::fgetxattr(file.get(), "security.capability", rights.data(), rights.size());
    if (size > 0)
        digest.update({rights.data(), static_cast<std::size_t>(size)});
    return digest.finish();
}

}  // namespace

// --- DigestCache

DigestCache::DigestCache(std::string path, Content content)
    : path_(std::move(path)), content_(content) {
    constexpr std::size_t limit = 512U << 20U;
    const auto text = sys::read_file(path_, limit);
    if (!text)
        return;
    std::string_view rest = *text;
    while (!rest.empty()) {  // digest identity path, ended by NUL
        const std::string_view record = rest.substr(0, rest.find('\0'));
        rest.remove_prefix(std::min(record.size() + 1, rest.size()));
        const auto first = record.find(' ');
        const auto second = record.find(' ', first + 1);
        if (first == std::string_view::npos || second == std::string_view::npos)
            continue;
        entries_[std::string(record.substr(second + 1))] = {
            std::string(record.substr(first + 1, second - first - 1)),
            std::string(record.substr(0, first))};
    }
}

std::string DigestCache::identity_of(const struct stat& status) const {
    return content_ == Content::stays ? "-" : build::identity_of(status);
}

std::optional<std::string> DigestCache::find(const std::string& file,
                                             const struct stat& status) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(file);
    if (found == entries_.end() || found->second.identity != identity_of(status))
        return std::nullopt;
    return found->second.digest;
}

void DigestCache::put(const std::string& file,
                      const struct stat& status,
                      const std::string& digest) {
    if (content_ == Content::changes && status.st_ctim.tv_sec + 1 >= std::time(nullptr))
        return;
    const std::lock_guard lock(mutex_);
    entries_[file] = {identity_of(status), digest};
    changed_ = true;
}

void DigestCache::save() const {
    const std::lock_guard lock(mutex_);
    if (!changed_) {
        sys::touch(path_);  // its last use, for those who make room
        return;
    }
    std::string text;
    for (const auto& [file, entry] : entries_)
        text += entry.digest + " " + entry.identity + " " + file + '\0';
    sys::ensure_directory(sys::parent_path(path_), 0700);
    const auto alone = sys::Lock::acquire(path_ + ".lock");  // another build of the same context
    sys::replace_volatile_file(path_, text);
}

// --- SourceTree

/// The state of one listing.
struct SourceTree::Walk {
    const IgnoreRules& excludes;
    std::string base;  // name of the directory that is listed, which `excludes` does not see
    std::vector<SourceFile> files{};
    int depth = 0;

    [[nodiscard]] std::string_view below_base(const std::string& name) const {
        std::string_view rest = name;
        rest.remove_prefix(std::min(base.size(), rest.size()));
        return rest.starts_with('/') ? rest.substr(1) : rest;
    }
};

SourceTree::SourceTree(sys::Fd root, Owners owners, IgnoreRules ignore)
    : root_(std::move(root)),
      root_path_(path_of(root_)),
      owners_(owners),
      ignore_(std::move(ignore)) {}

struct stat SourceTree::status_of(const sys::Fd& fd) const {
    struct stat status {};

    sys::check(::fstat(fd.get(), &status), "stat a file");
    return status;
}

std::optional<std::string> SourceTree::resolve(const std::string& path) const {
    const sys::Fd file = sys::find_in_root(root_, clean_path(path), O_PATH);
    if (!file)
        return std::nullopt;
    const std::string real = path_of(file);
    const std::string prefix = root_path_ == "/" ? root_path_ : root_path_ + "/";
    const std::string inside = real.starts_with(prefix) ? real.substr(prefix.size()) : "";
    if (!inside.empty() && ignore_.excludes(inside) &&
        !(S_ISDIR(status_of(file).st_mode) && ignore_.may_include_below(inside)))
        return std::nullopt;
    return inside;
}

Strings SourceTree::names_matching(const std::string& directory, const std::string& pattern) const {
    const auto glob = Glob::compile(pattern, GlobStyle::path);
    if (!glob)
        throw Error("the source pattern `" + pattern + "` is wrong: " + glob.error().message);
    const sys::Fd fd = sys::find_in_root(root_, directory, O_RDONLY | O_DIRECTORY);
    Strings names;
    if (!fd)
        return names;
    for (auto& name : sys::names_in(fd)) {
        if (glob->matches(name))
            names.push_back(child_of(directory, name));
    }
    return names;
}

Strings SourceTree::match(const std::string& pattern) const {
    Strings found{""};
    for (const auto& part : split(clean_path(pattern), '/')) {
        if (part.empty())
            continue;
        Strings next;
        for (const auto& directory : found) {
            if (!has_wildcards(part)) {
                next.push_back(child_of(directory, replace_all(part, "\\", "")));
                continue;
            }
            const auto names = names_matching(directory, part);
            next.insert(next.end(), names.begin(), names.end());
        }
        found = std::move(next);
    }
    std::erase_if(found, [&](const std::string& path) { return !resolve(path); });
    return found;
}

std::vector<SourceFile> SourceTree::list(const std::string& path,
                                         const std::string& name,
                                         const IgnoreRules& excludes) const {
    const auto real = resolve(path);
    if (!real)
        throw Error("`" + path + "` is not there");
    Walk walk{excludes, name};
    SourceFile self{*real, name, {}, {}, {}};
    const sys::Fd file = sys::open_in_root(root_, *real, O_PATH | O_NOFOLLOW);
    self.status = status_of(file);
    if (S_ISDIR(self.status.st_mode)) {
        const sys::Fd directory = sys::open_in_root(root_, *real, O_RDONLY | O_DIRECTORY);
        list_directory(directory, std::move(self), walk);
    } else if (!excludes.excludes(sys::file_name("/" + name))) {
        walk.files.push_back(std::move(self));
    }
    for (auto& listed : walk.files) {
        if (owners_ == Owners::root)
            listed.status.st_uid = listed.status.st_gid = 0;
    }
    return std::move(walk.files);
}

void SourceTree::list_directory(const sys::Fd& directory, SourceFile self, Walk& walk) const {
    if (++walk.depth > deepest_directory)
        throw Error("`" + self.path + "` is more than 256 directories deep");
    const std::size_t place = walk.files.size();
    const bool ignored = !self.path.empty() && ignore_.excludes(self.path);
    const std::string_view below = walk.below_base(self.name);
    const bool excluded = !below.empty() && walk.excludes.excludes(below);
    walk.files.push_back(self);
    if (!excluded || walk.excludes.may_include_below(below)) {
        for (const auto& name : sys::names_in(directory))
            list_entry(directory,
                       {child_of(self.path, name), child_of(self.name, name), {}, {}, {}},
                       walk);
    }
    // An excluded directory is there only for what is in it.
    if ((ignored || excluded) && walk.files.size() == place + 1)
        walk.files.pop_back();
    --walk.depth;
}

void SourceTree::list_entry(const sys::Fd& directory, SourceFile entry, Walk& walk) const {
    if (walk.files.size() > most_files)
        throw Error("more than 2 million files are to be copied: exclude some in .dockerignore");
    const std::string name = sys::file_name("/" + entry.path);
    const std::string_view below = walk.below_base(entry.name);
    if (::fstatat(directory.get(), name.c_str(), &entry.status, AT_SYMLINK_NOFOLLOW) < 0)
        sys::fail("stat " + entry.path);
    const bool ignored = ignore_.excludes(entry.path);
    if (S_ISDIR(entry.status.st_mode)) {
        if (ignored && !ignore_.may_include_below(entry.path))
            return;
        const sys::Fd child(::openat(
            directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        sys::check(child.get(), "open " + entry.path);
        list_directory(child, std::move(entry), walk);
        return;
    }
    if (ignored || walk.excludes.excludes(below) || S_ISSOCK(entry.status.st_mode))
        return;
    if (S_ISLNK(entry.status.st_mode))
        entry.link = link_target(directory.get(), name);
    walk.files.push_back(std::move(entry));
}

sys::Fd SourceTree::open(const SourceFile& file) const {
    sys::Fd fd = sys::open_in_root(root_, file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    const struct stat now = status_of(fd);
    if (!S_ISREG(now.st_mode) || identity_of(now) != identity_of(file.status))
        throw Error("`" + file.path + "` changed while it was read: build again");
    return fd;
}

void SourceTree::add_digests(std::vector<SourceFile>& files) const {
    for (auto& file : files) {
        if (!S_ISREG(file.status.st_mode))
            continue;
        const auto known = cache_ ? cache_->find(file.path, file.status) : std::nullopt;
        file.digest = known ? *known : file_digest(open(file));
        if (cache_ && !known)
            cache_->put(file.path, file.status, file.digest);
    }
}

void SourceTree::save_digests() const {
    if (cache_)
        cache_->save();
}

std::string content_digest(const std::vector<SourceFile>& files) {
    Sha256 digest;
    const auto add = [&](std::string_view field) {
        digest.update(field);
        digest.update(std::string_view("\0", 1));
    };
    for (const auto& file : files) {
        const auto& status = file.status;
        add(file.name);
        add(std::to_string(status.st_mode) + " " + std::to_string(status.st_uid) + " " +
            std::to_string(status.st_gid) + " " + std::to_string(status.st_rdev));
        add(file.link);
        add(file.digest);
    }
    return digest.finish();
}

}  // namespace stack::build
