#pragma once

// The engine's side of the fetch worker (src/fetch): a process of its own in which registry bytes
// are downloaded, checked, inflated and unpacked. It speaks JSON lines on its standard output:
// events (model/json.h) and, last,
// {"result": {"id": …}} or {"error": "…"}.

#include <stack/events.h>
#include <stack/paths.h>

#include "engine/image/credentials.h"
#include "model/image.h"
#include "sys/process.h"

#include <optional>
#include <string>

namespace stack::image {

struct Fetch {
    sys::Child worker;
    sys::Fd output;  // JSON lines, end of file when it is done
};

/// Starts a pull of `reference` (as people write it) for `platform` ("" for this machine's); or the
/// making of it, where it is `debootstrap:…`.
/// `max_unpacked`: how many bytes a layer may become; 0: what the machine's owner has set.
/// `environment`: of whoever wants it, whose credentials and proxies serve; none: this process's.
[[nodiscard]] Fetch start_pull(const Paths& paths,
                               const std::string& reference,
                               const std::string& platform,
                               std::int64_t max_unpacked = 0,
                               const StringMap& environment = {});

/// Starts asking a registry for the tags of the repository that `reference` is in. The result are
/// these, one a line.
[[nodiscard]] Fetch start_list_tags(const Paths& paths, const std::string& reference);

/// Starts a push of the image with this name to the registry that the name says. The result is the
/// digest it has there.
[[nodiscard]] Fetch start_push(const Paths& paths, const std::string& reference);

/// Starts asking a registry whether it takes these credentials.
[[nodiscard]] Fetch start_login(const Paths& paths,
                                const std::string& domain,
                                const Credentials& credentials);

/// Starts writing images to `target`, a directory or a file open for writing: an OCI layout that
/// `docker load` reads, too. `name` is what the image, one, is called there; "": as here.
[[nodiscard]] Fetch start_save(const Paths& paths,
                               const Strings& references,
                               const sys::Fd& target,
                               const std::string& name = {});

/// The two of `PATH` or `PATH:NAME`, "" where there is no name. Either may have colons: PATH is the
/// most that is there; where nothing is, what is before the first of them.
[[nodiscard]] std::pair<std::string, std::string> path_and_name(const std::string& text);

/// Starts the download of a web address to `target`, an empty file. The result is the content's
/// digest, or "unchanged" where nothing is newer than `since` (fetch/download.h).
[[nodiscard]] Fetch start_download(const Paths& paths,
                                   const std::string& url,
                                   std::int64_t since,
                                   const sys::Fd& target);

/// A commit of a git repository (fetch/git.h).
struct CheckOutRequest {
    std::string url;
    std::string reference;
    bool keep_git_dir = false;
    bool submodules = true;
    std::string authorization;  // what `server` is told; empty: nothing
    std::string server;         // https://HOST
    std::string ssh{};          // of one by ssh: a directory, see fetch/git.h
};

/// Starts git, which writes a commit's files to `target`, an empty directory. The result is the
/// commit's id.
[[nodiscard]] Fetch start_check_out(const Paths& paths,
                                    const CheckOutRequest& request,
                                    const sys::Fd& target);

/// Starts reading all of these images again.
[[nodiscard]] Fetch start_verify(const Paths& paths, const Strings& references);

/// An image from a file or directory of this machine.
struct ImportRequest {
    std::string source;     // docker-archive:FILE[:NAME], oci-archive:FILE[:NAME], oci:DIR[:NAME],
                            // rootfs:DIR or tar:FILE
    std::string reference;  // empty: what the archive names
    ImageConfig config;     // rootfs and tar: what the image is to say of itself
    std::string message;    // and of how it was made; empty: that it was imported
    std::int64_t max_unpacked = 0;
};

/// Starts an import. The result is the image's id; of several in an archive, each on a line of its
/// own.
[[nodiscard]] Fetch start_import(const Paths& paths, const ImportRequest& request);

/// Collects a worker that was started: its events through `sink`, then the id of the image.
/// Blocks. Throws stack::Error with the worker's sentence, or one that says how it died.
std::string finish(Fetch& fetch, const EventSink& sink);

/// Starts the unpacking of an archive, packed or not, into `directory`.
[[nodiscard]] Fetch start_unpack(const sys::Fd& archive, const sys::Fd& directory);

/// The same for an ADD: the directory itself stays as it is, and everything in it gets the owner
/// `UID:GID`; "": the archive's.
[[nodiscard]] Fetch start_add(const sys::Fd& archive,
                              const sys::Fd& directory,
                              const std::string& owner);

/// Whether it is an archive that these take; `empty` is a directory that nothing is in.
[[nodiscard]] bool is_unpackable(const sys::Fd& archive, const sys::Fd& empty);

/// The same into a tree that is in use, below `base` in it: what is there keeps its kind
/// (fetch/tree_writer.h). `users`: the user namespace whose users the archive's are; none: they are
/// the host's.
[[nodiscard]] Fetch start_merge(const sys::Fd& archive,
                                const sys::Fd& root,
                                const std::string& base,
                                const sys::Fd& users = {});

/// Collects either. Throws stack::Error with the worker's sentence where it failed.
void finish_unpack(Fetch& fetch);

/// One line of the worker's output, for those who read without blocking. `id` or `error` is set by
/// the last line.
struct FetchLine {
    std::optional<Event> event;
    std::string id;
    std::string error;
};

[[nodiscard]] FetchLine parse_line(const std::string& line);

}  // namespace stack::image
