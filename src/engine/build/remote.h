#pragma once

// What a build takes from the network, fetched by the confined worker (image/fetch.h): files, tar
// archives and git repositories, for ADD and as contexts.

#include <stack/events.h>
#include <stack/model.h>
#include <stack/paths.h>

#include "sys/fd.h"
#include "sys/scratch_directory.h"

#include <optional>
#include <string>
#include <vector>

namespace stack::build {

/// A place outside this machine.
struct RemotePlace {
    enum class Kind { file, git };
    Kind kind = Kind::file;
    std::string url;  // http(s)://…, git://…, ssh://… or git@…; git's is without query, fragment
                      // and credentials
    std::string reference;      // git: a branch, a tag or a commit; empty: HEAD
    std::string subdirectory;   // git
    std::string commit{};       // git: what it is to be, or how that begins; empty: any
    std::string credentials{};  // git by http: USER:PASSWORD, where the address has them
    bool keep_git_dir = false;
    bool submodules = true;

    bool operator==(const RemotePlace&) const = default;
};

/// Whether the text names a place outside this machine: http(s)://…, git://…, git@…, ssh://…,
/// github.com/….
[[nodiscard]] bool is_remote(const std::string& text);

/// `https://host/repository.git#reference:subdirectory`, `https://host/repository.git?branch=NAME&
/// subdir=PATH` (and tag, ref, commit, checksum, keep-git-dir, submodules),
/// `github.com/owner/name`, `git@host:path` and `ssh://…` are git's, other addresses name a file.
/// Throws stack::Error where the address says what it cannot.
[[nodiscard]] RemotePlace parse_remote(const std::string& text);

/// What a file of this address is called where the destination is a directory: the last part of its
/// path, or, as BuildKit has it, `__unnamed__` where that is no name.
[[nodiscard]] std::string file_name_of(const std::string& url);

/// A git commit's files, gone with the value.
struct Checkout {
    sys::ScratchDirectory place;
    sys::Fd root;  // of the subdirectory
    std::string commit;
};

/// What an HTTP server is told so that it lets git in: the credentials of the address, or by the
/// secret GIT_AUTH_TOKEN (a password of `x-access-token`) or GIT_AUTH_HEADER (`Authorization`
/// itself), or the same with `.HOST`, which comes first. Empty where none is given.
[[nodiscard]] std::string authorization_for(const RemotePlace& place,
                                            const Build& build,
                                            const StringMap& environment);

/// Who asks is who the build's secrets and its ssh agent `default` say. Throws stack::Error, also
/// where the subdirectory is not a directory of the repository, or the commit is another one than
/// it says.
[[nodiscard]] Checkout check_out(const Paths& paths,
                                 const RemotePlace& from,
                                 const Build& build,
                                 const StringMap& environment);

/// The contexts of a build, with those that are remote, or `-` (standard input), fetched into
/// directories, which are gone with the value.
class LocalContexts {
  public:
    /// Throws stack::Error.
    LocalContexts(const Paths& paths,
                  const Build& build,
                  const StringMap& environment,
                  const EventSink& sink);

    /// The build with directories in the place of addresses, and images in that of layouts.
    [[nodiscard]] const Build& build() const { return build_; }

  private:
    [[nodiscard]] std::string fetch(const std::string& address, const StringMap& environment);
    [[nodiscard]] std::string fetch_file(const std::string& url);
    [[nodiscard]] std::string take_input();
    [[nodiscard]] std::string tree_of(const sys::Fd& file) const;
    [[nodiscard]] std::string import_layout(const std::string& place, const EventSink& sink) const;

    const Paths& paths_;
    Build build_;
    std::vector<sys::ScratchDirectory> places_;
};

}  // namespace stack::build
