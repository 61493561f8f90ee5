#include "engine/build/kept.h"

#include "base/digest.h"
#include "base/text.h"
#include "engine/build/downloads.h"
#include "sys/file.h"
#include "sys/scratch_directory.h"
#include "sys/tree.h"

#include <algorithm>

namespace stack::build {
namespace {

constexpr std::string_view id_suffix = ".id";
constexpr std::size_t short_name = 12;  // digits of a digest that people see

std::string mounts_directory(const Paths& paths) {
    return paths.state + "/build/mounts";
}

/// Cache mounts on their way in and out, beside those that are there.
std::string makers_directory(const std::string& mounts) {
    return sys::parent_path(mounts) + "/new-mounts";
}

std::string contexts_directory(const Paths& paths) {
    return paths.state + "/build/context-cache";
}

bool is_hex_name(const std::string& name) {
    return is_digest("sha256:" + name);
}

std::int64_t last_use(const std::string& path) {
    constexpr std::int64_t ns_per_s = 1'000'000'000;
    const auto stamp = sys::find_stamp(path);
    return stamp ? stamp->modified_ns / ns_per_s : 0;
}

Kept mount_at(const std::string& directory, const std::string& name) {
    const std::string place = directory + "/" + name;
    const std::string id_file = place + std::string(id_suffix);
    const auto id = sys::read_file(id_file);
    return {Kept::Kind::cache_mount,
            name,
            id.value_or(name.substr(0, short_name)),
            sys::tree_size(sys::open_directory(place)),
            std::max(last_use(id_file), last_use(place))};
}

Kept digests_at(const std::string& directory, const std::string& name) {
    const std::string file = directory + "/" + name;
    return {Kept::Kind::context_digests,
            name,
            name.substr(0, short_name),
            sys::file_size(file),
            last_use(file)};
}

}  // namespace

const char* to_text(Kept::Kind kind) {
    switch (kind) {
        case Kept::Kind::cache_mount:
            return "cache mount";
        case Kept::Kind::context_digests:
            return "context digests";
        case Kept::Kind::download:
            break;
    }
    return "download";
}

std::vector<Kept> list_kept(const Paths& paths) {
    std::vector<Kept> all;
    for (const auto& name : sys::list_directory(mounts_directory(paths)))
        if (is_hex_name(name))
            all.push_back(mount_at(mounts_directory(paths), name));
    for (const auto& name : sys::list_directory(contexts_directory(paths)))
        if (is_hex_name(name))
            all.push_back(digests_at(contexts_directory(paths), name));
    for (const auto& file : Downloads(paths).list())
        all.push_back({Kept::Kind::download,
                       file.name,
                       file.name.substr(0, short_name),
                       file.bytes,
                       file.used});
    return all;
}

std::int64_t forget(const Paths& paths, const Kept& kept) {
    const std::string mount = mounts_directory(paths) + "/" + kept.name;
    switch (kept.kind) {
        case Kept::Kind::cache_mount: {
            const auto alone = sys::Lock::try_acquire(mount + ".lock");
            if (!alone)
                return 0;
            sys::remove_file(mount + std::string(id_suffix));
            // Whole or not at all: half a cache would serve the next step as if it were one.
            const sys::ScratchDirectory trash(makers_directory(mounts_directory(paths)));
            if (sys::exists(mount))  // else somebody was faster
                sys::rename(mount, trash.path() + "/mount");
            break;
        }
        case Kept::Kind::context_digests:
            sys::remove_file(contexts_directory(paths) + "/" + kept.name);
            break;
        case Kept::Kind::download:
            Downloads(paths).remove(kept.name);
            break;
    }
    return kept.bytes;
}

std::optional<CacheMount> CacheMount::open(const Paths& paths, const std::string& id, Use use) {
    sys::ensure_directory(mounts_directory(paths), 0700);
    const std::string directory = mounts_directory(paths) + "/" + sha256_hex(id);
    const std::string file = directory + ".lock";
    auto lock = use == Use::shared  ? std::optional(sys::Lock::acquire_shared(file))
                : use == Use::alone ? std::optional(sys::Lock::acquire(file))
                                    : sys::Lock::try_acquire(file);
    if (!lock)
        return std::nullopt;
    const std::string id_file = directory + std::string(id_suffix);
    if (sys::exists(id_file))
        sys::touch(id_file);
    else
        sys::replace_volatile_file(id_file, id);
    return CacheMount(directory, *std::move(lock));
}

void CacheMount::ensure(const std::function<void(const std::string& directory)>& fill) const {
    if (sys::exists(directory_))
        return;
    // Steps that share it come at once; those that have other ones do not wait for it.
    const auto alone = sys::Lock::acquire(directory_ + ".making");
    if (sys::exists(directory_))
        return;
    sys::ScratchDirectory made(makers_directory(sys::parent_path(directory_)));
    fill(made.path());
    static_cast<void>(made.move_to(directory_));
}

}  // namespace stack::build
