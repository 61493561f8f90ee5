// Removal: what has no name, no lease and no use goes.

#include <stack/error.h>

#include "base/digest.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "engine/image/index.h"
#include "engine/image/inherited.h"
#include "engine/image/reference.h"
#include "engine/image/store.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <algorithm>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>

namespace stack::image {
namespace {

using Json = nlohmann::json;

std::string hex_of(const std::string& digest) {
    return digest.substr(digest.find(':') + 1);
}

/// What must stay, as it is named in the store's directories.
struct Kept {
    std::set<std::string> layers;  // hexadecimal digits
    std::set<std::string> blobs;

    void add(const Image& image) {
        blobs.insert({hex_of(image.id), hex_of(image.manifest_digest)});
        for (const auto& layer : image.layers)
            layers.insert(hex_of(layer));
        const Json manifest = Json::parse(image.manifest, nullptr, false);
        for (const auto& layer : manifest.value("layers", Json::array()))
            blobs.insert(hex_of(layer.value("digest", "")));
    }

    /// Whether all of these, which are some, stay.
    [[nodiscard]] bool has_all(const Strings& diff_ids) const {
        return !diff_ids.empty() &&
               std::all_of(diff_ids.begin(), diff_ids.end(), [&](const std::string& diff_id) {
                   return layers.contains(hex_of(diff_id));
               });
    }
};

bool is_in(const Strings& list, const std::string& text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

void refuse_used(const Image& image, const InUse& in_use) {
    const auto user = in_use.images.find(image.id);
    if (user == in_use.images.end())
        return;
    const auto name = parse_reference(image.references.empty() ? "" : image.references.front());
    throw Error(std::make_error_code(std::errc::device_or_resource_busy),
                "image " + (name ? familiar(*name) : image.id) + " is in use by container " +
                    user->second + ": remove that first, or take only the image's name with -f");
}

}  // namespace

Removal Store::remove(const std::string& reference, bool force, const FindInUse& find_in_use) {
    Removal removal;
    sys::ensure_private_directory(root_);
    const sys::ScratchDirectory trash(root_ + "/trash");  // emptied when the lock is free again
    const sys::Lock lock = sys::Lock::acquire(lock_path(root_));
    const auto image = find(reference);
    if (!image)
        return remove_damaged(reference, trash.path(), find_in_use);
    const auto parsed = parse_reference(reference);
    const std::string name = parsed ? canonical(*parsed) : "";
    const bool by_name = is_in(image->references, name);
    Index index = Index::read(root_);
    removal.untagged = by_name ? Strings{name} : image->references;
    const InUse in_use = needed(find_in_use);
    const bool goes = removal.untagged.size() == image->references.size();
    if (goes && !force)
        refuse_used(*image, in_use);
    for (const auto& known : removal.untagged)
        index.take_name(known);
    if (goes && !in_use.images.contains(image->id)) {
        index.forget(image->manifest_digest);
        removal.deleted.push_back(image->id);
    }
    index.write(root_);
    removal.freed = collect(in_use, trash.path());
    return removal;
}

/// Its names go, and what they were of cannot be told.
Removal Store::remove_damaged(const std::string& reference,
                              const std::string& trash,
                              const FindInUse& find_in_use) {
    Removal removal;
    const auto parsed = parse_reference(reference);
    Index index = Index::read(root_);
    const IndexEntry* named = parsed ? index.find(canonical(*parsed)) : nullptr;
    const std::string digest = named != nullptr ? named->digest : reference;
    for (const auto& entry : index.entries())
        if (entry.digest == digest)
            removal.untagged.push_back(entry.reference.empty() ? digest : entry.reference);
    if (removal.untagged.empty())
        return removal;
    index.forget(digest);
    index.write(root_);
    removal.freed = collect(needed(find_in_use), trash);
    return removal;
}

Removal Store::prune(const std::function<bool(const Image&)>& unwanted,
                     const FindInUse& find_in_use) {
    Removal removal;
    sys::ensure_private_directory(root_);
    const sys::ScratchDirectory trash(root_ + "/trash");
    const sys::Lock lock = sys::Lock::acquire(lock_path(root_));
    Index index = Index::read(root_);
    const InUse in_use = needed(find_in_use);
    for (const auto& image : list()) {
        if (in_use.images.contains(image.id) || !unwanted(image))
            continue;
        index.forget(image.manifest_digest);
        removal.untagged.insert(
            removal.untagged.end(), image.references.begin(), image.references.end());
        removal.deleted.push_back(image.id);
    }
    const Strings unread = damaged();
    for (const auto& name : unread)
        if (is_digest(name)) {  // nobody can ask for it any more
            index.forget(name);
            removal.deleted.push_back(name);
        }
    if (!removal.deleted.empty())
        index.write(root_);
    removal.freed = collect(in_use, trash.path());
    return removal;
}

/// The caller holds the lock, so that no new lease is taken. Leases come first: who makes a
/// container holds one until the container itself can be found.
InUse Store::needed(const FindInUse& find_in_use) const {
    const auto leased = Lease::kept(root_);
    InUse in_use = find_in_use();
    in_use.layers.insert(leased.begin(), leased.end());
    return in_use;
}

std::int64_t Store::collect(const InUse& in_use, const std::string& trash) {
    if (const Strings unread = damaged(); !unread.empty()) {
        log::warn("nothing is collected: what image " + unread.front() +
                  " needs is not known, its manifest or configuration is damaged; pull it again, "
                  "or `stack image rm` it");
        return 0;
    }
    Kept kept;
    for (const auto& image : list())
        kept.add(image);
    for (const auto& layer : in_use.layers)
        kept.layers.insert(hex_of(layer));
    std::int64_t freed = 0;
    for (const auto& name : sys::list_directory(root_ + "/layers")) {
        const LayerRecord record = layer("sha256:" + name);
        if (kept.layers.contains(name)) {
            if (record.packed)
                kept.blobs.insert(hex_of(record.packed->digest));
            continue;
        }
        STACK_FAILPOINT("image.collect");
        sys::rename(root_ + "/layers/" + name, trash + "/" + name);
        freed += record.size;
    }
    for (const auto& name : sys::list_directory(root_ + "/inherited"))
        if (!kept.has_all(layers_of_inherited(root_, name)))
            sys::rename(root_ + "/inherited/" + name, trash + "/inherited-" + name);
    for (const auto& name : sys::list_directory(root_ + "/blobs/sha256")) {
        const std::string path = root_ + "/blobs/sha256/" + name;
        if (kept.blobs.contains(name))
            continue;
        freed += sys::file_size(path);
        sys::remove_file(path);
    }
    return freed;
}

std::int64_t Store::prune_partial() {
    std::int64_t freed = 0;
    for (const auto& name : sys::list_directory(root_ + "/partial")) {
        const std::string path = root_ + "/partial/" + name;
        const sys::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file && errno == ENOENT)
            continue;  // all has come
        sys::check(file.get(), "open " + path);
        if (::flock(file.get(), LOCK_EX | LOCK_NB) < 0)
            continue;  // more is just coming
        freed += sys::file_size(path);
        sys::remove_file(path);
    }
    return freed;
}

}  // namespace stack::image
