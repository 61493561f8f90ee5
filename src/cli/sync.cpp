#include "cli/sync.h"

#include <stack/error.h>

#include "cli/unpack.h"
#include "engine/image/tar_writer.h"
#include "sys/file.h"
#include "sys/tree.h"
#include "sys/user_namespace.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace stack::cli {
namespace {

/// A path at the descriptor of the directory it is in, which is none where that is not there.
struct Entry {
    sys::Fd directory;
    std::string name;
};

Entry entry_in(const sys::Fd& root, const std::string& path) {
    return {sys::find_in_root(root, sys::parent_path(path), O_PATH | O_DIRECTORY),
            sys::file_name(path)};
}

enum class Kind { none, directory, other };

/// Of the entry itself, be it a link.
Kind kind_of(const Entry& entry) {
    const sys::Fd found =
        entry.directory ? sys::find_entry(entry.directory, entry.name) : sys::Fd();
    if (!found)
        return Kind::none;

    struct stat status {};

    sys::check(::fstat(found.get(), &status), "look at " + entry.name);
    return S_ISDIR(status.st_mode) ? Kind::directory : Kind::other;
}

void write_files(const sys::Fd& here,
                 const std::vector<SyncedPath>& files,
                 const image::ByteSink& archive) {
    image::TarWriter tar(archive, {.whiteouts = false, .owner = image::Owner{}});
    for (const auto& file : files) {
        const Entry entry = entry_in(here, file.path);
        if (kind_of(entry) != Kind::other)
            continue;  // changed again: the next look sees it
        tar.add(entry.directory, entry.name, sys::absolute_path(file.target, "/").substr(1));
    }
    tar.finish();
}

}  // namespace

void sync_paths(runtime::Runtime& runtime,
                const std::string& container_id,
                const std::vector<SyncedPath>& paths) {
    const sys::Fd here = sys::open_directory("/");
    const runtime::View view = runtime.view(container_id);
    std::vector<SyncedPath> files;
    for (const auto& path : paths) {
        const Kind kind = kind_of(entry_in(here, path.path));
        const Entry target = entry_in(view.root(), path.target);
        if (kind == Kind::directory) {
            const sys::FilesOf root(view.users().first);
            static_cast<void>(sys::ensure_directory_in_root(view.root(), path.target));
        } else if (kind == Kind::other)
            files.push_back(path);
        else if (target.directory)
            sys::remove_tree(target.directory, target.name);
    }
    if (!files.empty())
        unpack(
            [&](const sys::Fd& archive) {
                return image::start_merge(archive, view.root(), "", view.users().space);
            },
            [&](const image::ByteSink& archive) { write_files(here, files, archive); });
}

}  // namespace stack::cli
