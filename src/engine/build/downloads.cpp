#include "engine/build/downloads.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "engine/image/fetch.h"
#include "sys/file.h"
#include "sys/scratch_directory.h"

#include <ctime>

#include <fcntl.h>

namespace stack::build {
namespace {

constexpr const char* scratch_name = "file";

std::string content_name(const std::string& name, const std::string& digest) {
    return name + "-" + digest;
}

SourceFile digested(const SourceTree& tree, const std::string& name) {
    auto files = tree.list(name, {});
    tree.add_digests(files);
    return files.front();
}

}  // namespace

Downloads::Downloads(const Paths& paths)
    : paths_(paths),
      directory_([&] {
          std::string directory = paths.state + "/build/downloads";
          sys::ensure_private_directory(directory);
          return directory;
      }()),
      tree_(sys::open_directory(directory_), SourceTree::Owners::root) {}

/// Damaged content is no content.
std::optional<SourceFile> Downloads::find(const std::string& name) const {
    const std::string pointer = directory_ + "/" + name;
    const auto digest = sys::read_file(pointer);
    if (!digest || !tree_.resolve(content_name(name, *digest)))
        return std::nullopt;
    auto file = digested(tree_, content_name(name, *digest));
    if (file.digest != *digest)
        return std::nullopt;
    sys::touch(pointer);
    return file;
}

SourceFile Downloads::fetch(const std::string& url, const std::string& checksum) const {
    const std::string name = sha256_hex(url);
    auto kept = find(name);
    if (kept && !checksum.empty() && "sha256:" + kept->digest == checksum)
        return *std::move(kept);
    sys::ensure_private_directory(paths_.state + "/build/remote");
    const sys::ScratchDirectory place(paths_.state + "/build/remote");
    {
        const sys::Fd file =
            sys::open_file(place.path() + "/" + scratch_name, O_RDWR | O_CREAT | O_EXCL, 0600);
        // What does not have the digest that is asked for is of no use, however new it is.
        const bool may_be_kept = kept && checksum.empty();
        const std::int64_t since = may_be_kept ? kept->status.st_mtim.tv_sec : 0;
        auto worker = image::start_download(paths_, url, since, file);
        if (image::finish(worker, [](const Event&) {}) == "unchanged")
            return *std::move(kept);
        sys::sync_file(file, "the download of " + url);
    }
    auto file = keep(name, place.path());
    if (!checksum.empty() && "sha256:" + file.digest != checksum)
        throw Error(url + " has the digest sha256:" + file.digest + ", not " + checksum +
                    " as --checksum says");
    return file;
}

/// The pointer comes last, and with it all before it is durable: both are in one directory.
SourceFile Downloads::keep(const std::string& name, const std::string& directory) const {
    const SourceTree scratch(sys::open_directory(directory), SourceTree::Owners::root);
    const std::string digest = digested(scratch, scratch_name).digest;
    sys::rename(directory + "/" + scratch_name, directory_ + "/" + content_name(name, digest));
    sys::replace_file(directory_ + "/" + name, digest);
    auto kept = find(name);
    if (!kept)
        throw Error("a download was taken away from " + directory_ + " during the build");
    return *std::move(kept);
}

std::vector<Downloads::Known> Downloads::list() const {
    constexpr std::int64_t ns_per_s = 1'000'000'000;
    std::vector<Known> all;
    for (const auto& name : sys::list_directory(directory_)) {
        const std::string pointer = directory_ + "/" + name;
        const auto used = sys::find_stamp(pointer);
        const bool is_pointer = name.find('-') == std::string::npos;
        const auto digest = used && is_pointer ? sys::read_file(pointer) : std::nullopt;
        if (digest)
            all.push_back({name,
                           sys::file_size(directory_ + "/" + content_name(name, *digest)),
                           used->modified_ns / ns_per_s});
    }
    return all;
}

void Downloads::remove(const std::string& name) const {
    const std::string pointer = directory_ + "/" + name;
    const auto digest = sys::read_file(pointer);
    sys::remove_file(pointer);
    if (digest)
        sys::remove_file(directory_ + "/" + content_name(name, *digest));
}

std::int64_t Downloads::forget(std::int64_t unused_for) const {
    constexpr std::int64_t ns_per_s = 1'000'000'000;
    constexpr std::int64_t day = 24 * 3600;
    const std::int64_t now = std::time(nullptr);
    std::int64_t freed = 0;
    for (const auto& entry : sys::list_directory(directory_)) {
        const auto [name, digest] = split_once(entry, '-');
        if (digest.empty() || !tree_.resolve(entry))
            continue;
        const auto content = tree_.list(entry, {}).front().status;
        const std::string pointer = directory_ + "/" + name;
        const auto used = sys::find_stamp(pointer);
        const bool is_newest = used && sys::read_file(pointer) == digest;
        const bool goes = is_newest ? now - used->modified_ns / ns_per_s >= unused_for
                                    : now - content.st_ctim.tv_sec >= day;
        if (!goes)
            continue;
        if (is_newest)
            sys::remove_file(pointer);
        sys::remove_file(directory_ + "/" + entry);
        freed += content.st_size;
    }
    return freed;
}

}  // namespace stack::build
