#include "engine/build/context.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "engine/build/source_walk.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace stack::build {
namespace {

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

std::string file_digest(const sys::Fd& file) {
    Sha256 digest;
    std::array<char, 131072> buffer;  // not cleared: most files are smaller than one of its pages
    for (;;) {
        const auto count =
            sys::check(::read(file.get(), buffer.data(), buffer.size()), "read a file");
        if (count == 0)
            break;
        digest.update({buffer.data(), static_cast<std::size_t>(count)});
    }
    std::array<char, 256> rights;
    const auto size = ::fgetxattr(file.get(), "security.capability", rights.data(), rights.size());
    if (size > 0)
        digest.update({rights.data(), static_cast<std::size_t>(size)});
    return digest.finish();
}

}  // namespace

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
                                         const IgnoreRules& excludes) const {
    const auto real = resolve(path);
    if (!real)
        throw Error("`" + path + "` is not there");
    std::vector<SourceFile> files;
    const sys::Fd file = sys::open_in_root(root_, *real, O_PATH | O_NOFOLLOW);
    const struct stat status = status_of(file);
    if (S_ISDIR(status.st_mode)) {
        SourceWalk walk(ignore_, excludes, cache_ && real->empty() ? cache_->size() : 0);
        files = walk.run(sys::open_in_root(root_, *real, O_RDONLY | O_DIRECTORY), *real);
    } else if (!excludes.excludes(sys::file_name("/" + path))) {
        files.push_back({*real, real->size(), status});
    }
    for (auto& listed : files) {
        if (owners_ == Owners::root)
            listed.status.st_uid = listed.status.st_gid = 0;
    }
    return files;
}

sys::Fd SourceTree::open(const SourceFile& file) const {
    sys::Fd fd = sys::open_in_root(root_, file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    const struct stat now = status_of(fd);
    if (!S_ISREG(now.st_mode) || identity_of(now) != identity_of(file.status))
        throw Error("`" + file.path + "` changed while it was read: build again");
    return fd;
}

void SourceTree::add_digests(std::vector<SourceFile>& files) const {
    if (cache_)
        cache_->fill(files);
    for (auto& file : files) {
        if (!S_ISREG(file.status.st_mode) || !file.digest.empty())
            continue;
        const std::time_t begin = std::time(nullptr);
        file.digest = file_digest(open(file));
        if (cache_)
            cache_->put(file, begin);
    }
}

void SourceTree::save_digests() const {
    if (cache_)
        cache_->save();
}

}  // namespace stack::build
