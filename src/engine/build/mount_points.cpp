#include "engine/build/mount_points.h"

#include "base/text.h"
#include "engine/build/context.h"
#include "engine/build/ignore.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/tree.h"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace stack::build {
namespace {

constexpr std::array standard_targets{
    "dev", "proc", "sys", "etc/hosts", "etc/hostname", "etc/resolv.conf"};

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

void remove_if_empty(const sys::Fd& upper, const std::string& path) {
    const sys::Fd parent = sys::find_in_root(upper, parent_of(path), O_RDONLY | O_DIRECTORY);

    struct stat status {};

    const std::string name = name_of(path);
    if (!parent || ::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (S_ISREG(status.st_mode) && status.st_size == 0)
        ::unlinkat(parent.get(), name.c_str(), 0);
    if (S_ISDIR(status.st_mode))
        ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR);  // refused where it is not empty
}

}  // namespace

MountPoints::MountPoints(const NewLayer& layer, const Strings& targets) : layer_(layer) {
    if (layer.lowers().empty())
        return;
    const sys::Fd below = sys::merged_view(layer.lowers());
    for (const auto* target : standard_targets)
        note(below, target);
    for (const auto& target : targets)
        note(below, clean_path(target));
}

void MountPoints::note(const sys::Fd& below, const std::string& target) {
    std::string path;
    for (const auto& part : split(target, '/')) {
        const std::string parent = path;
        path += (path.empty() ? "" : "/") + part;
        if (sys::find_in_root(below, path, O_PATH))
            continue;
        if (std::find(made_.begin(), made_.end(), parent) == made_.end())
            parents_.push_back(parent);
        made_.push_back(path);
    }
}

void MountPoints::remove() const {
    if (made_.empty())
        return;
    const sys::Fd upper = sys::open_directory(layer_.upper());
    const sys::Fd below = sys::merged_view(layer_.lowers());
    for (auto path = made_.rbegin(); path != made_.rend(); ++path)
        remove_if_empty(upper, *path);
    for (const auto& parent : parents_)
        remove_copied_parent(upper, below, parent);
}

/// A directory that the overlay copied up so that a mount point could be made in it.
void MountPoints::remove_copied_parent(const sys::Fd& upper,
                                       const sys::Fd& below,
                                       const std::string& path) const {
    for (std::string at = path; !at.empty(); at = parent_of(at)) {
        const sys::Fd above = sys::find_in_root(upper, at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        const sys::Fd original = sys::find_in_root(below, at, O_RDONLY | O_DIRECTORY);

        struct stat now {};

        struct stat before {};

        if (!above || !original || ::fstat(above.get(), &now) < 0 ||
            ::fstat(original.get(), &before) < 0)
            return;
        const bool same = now.st_mode == before.st_mode && now.st_uid == before.st_uid &&
                          now.st_gid == before.st_gid;
        if (!same || sys::is_opaque(above) || !sys::names_in(above).empty())
            return;
        remove_if_empty(upper, at);
    }
}

}  // namespace stack::build
