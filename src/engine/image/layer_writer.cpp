#include "engine/image/layer_writer.h"

#include "base/digest.h"
#include "sys/tree.h"
#include "sys/tree_walk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace stack::image {
namespace {

/// Most files have none, so these are not opened.
bool has_attributes(const sys::Fd& directory, const std::string& name) {
    const sys::Fd entry = sys::find_entry(directory, name);
    const std::string itself = "/proc/self/fd/" + std::to_string(entry.get());
    return entry && ::listxattr(itself.c_str(), nullptr, 0) != 0;
}

void clean_attributes(const sys::Fd& file) {
    for (const auto& [name, value] : sys::attributes_of(file))
        if (name.starts_with("trusted.overlay.") && name != sys::opaque_attribute)
            ::fremovexattr(file.get(), name.c_str());
}

}  // namespace

LayerSummary write_layer(const sys::Fd& upper, const ByteSink& sink) {
    Sha256 digest;
    TarWriter tar(
        [&](std::string_view bytes) {
            digest.update(bytes);
            sink(bytes);
        },
        {.whiteouts = true, .owner = {}});
    tar.add_content(upper, "");
    tar.finish();
    return {"sha256:" + digest.finish(), tar.size(), tar.is_empty()};
}

LayerSummary summarize_layer(const sys::Fd& upper) {
    return write_layer(upper, [](std::string_view) {});
}

void clean_upper(const sys::Fd& upper) {
    sys::TreeWalk walk(upper);
    clean_attributes(walk.here());
    for (;;) {
        const auto name = walk.next();
        if (!name && walk.at_top())
            return;
        if (!name) {
            walk.leave();
            continue;
        }

        struct stat status {};

        sys::check(::fstatat(walk.here().get(), name->c_str(), &status, AT_SYMLINK_NOFOLLOW),
                   "stat " + *name);
        if (S_ISSOCK(status.st_mode)) {
            sys::check(::unlinkat(walk.here().get(), name->c_str(), 0),
                       "remove the socket " + *name);
        } else if (S_ISDIR(status.st_mode)) {
            walk.enter(*name);
            clean_attributes(walk.here());
        } else if (S_ISREG(status.st_mode) && has_attributes(walk.here(), *name)) {
            clean_attributes(sys::open_regular_file(walk.here(), *name));
        }
    }
}

}  // namespace stack::image
