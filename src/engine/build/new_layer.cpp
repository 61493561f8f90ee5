#include "engine/build/new_layer.h"

#include "base/failpoint.h"
#include "engine/image/layer_writer.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/tree.h"
#include "sys/tree_walk.h"

#include <array>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::build {
namespace {

void limit_time(const sys::Fd& directory,
                const char* name,
                const struct stat& status,
                std::int64_t latest) {
    if (status.st_mtim.tv_sec < latest)
        return;
    const std::array<timespec, 2> times{timespec{latest, 0}, timespec{latest, 0}};
    sys::check(::utimensat(directory.get(), name, times.data(), AT_SYMLINK_NOFOLLOW),
               std::string("set the time of ") + name);
}

/// Postcondition: nothing below `directory`, nor that itself, was modified after `latest`.
void limit_times(const sys::Fd& directory, std::int64_t latest) {
    sys::TreeWalk walk(directory);
    for (;;) {
        const auto name = walk.next();
        if (!name) {
            limit_time(walk.here(), ".", walk.status(), latest);
            if (walk.at_top())
                return;
            walk.leave();
            continue;
        }

        struct stat status {};

        sys::check(::fstatat(walk.here().get(), name->c_str(), &status, AT_SYMLINK_NOFOLLOW),
                   "stat " + *name);
        if (S_ISDIR(status.st_mode))
            walk.enter(*name);
        else
            limit_time(walk.here(), name->c_str(), status, latest);
    }
}

}  // namespace

void inherit_root(const Strings& lowers, const std::string& upper) {
    if (lowers.empty())
        return;

    struct stat status {};

    const sys::Fd below = sys::open_directory(lowers.front());
    const sys::Fd above = sys::open_directory(upper);
    sys::check(::fstat(below.get(), &status), "stat " + lowers.front());
    sys::check(::fchown(above.get(), status.st_uid, status.st_gid), "set the owner of " + upper);
    sys::check(::fchmod(above.get(), status.st_mode & 07777U), "set the mode of " + upper);
}

Strings lowers_for(const image::Store& store, const Strings& layers) {
    store.ensure_inherited(layers);
    return store.lower_directories(layers);
}

NewLayer::NewLayer(image::Store& store, Strings lowers)
    : store_(store), lowers_(std::move(lowers)), staging_(store.begin_layer()) {
    sys::ensure_directory(work(), 0700);
    sys::ensure_directory(scratch(), 0700);
    inherit_root(lowers_, upper());
}

sys::Fd NewLayer::open_root() const {
    return lowers_.empty() ? sys::open_directory(upper())
                           : sys::writable_view(lowers_, upper(), work());
}

std::string NewLayer::publish(std::optional<std::int64_t> latest) {
    image::LayerSummary summary;
    {
        const sys::Fd top = sys::open_directory(upper());
        image::clean_upper(top);
        if (latest)
            limit_times(top, *latest);
        summary = image::summarize_layer(top);
    }
    if (summary.empty)
        return {};
    sys::remove_tree(work());
    sys::remove_tree(scratch());
    STACK_FAILPOINT("build.layer.publish");
    store_.publish_layer(std::move(staging_), summary.diff_id, {summary.size, {}});
    return summary.diff_id;
}

}  // namespace stack::build
