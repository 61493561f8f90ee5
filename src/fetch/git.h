#pragma once

// A commit of a git repository as a directory, by the machine's own git, which runs as nobody, in a
// mount namespace of its own in which the directory is /tmp, without a home, configuration, hooks,
// helpers or a terminal. Submodules come by http, https and git alone, whatever the repository
// says, and by ssh where that itself does. A host that is reached by ssh has one of the keys that
// are known of it.

#include "sys/fd.h"

#include <string>

namespace stack::fetch {

struct GitRequest {
    std::string url;        // http(s), git, or ssh where `ssh` is said; http's without credentials
    std::string reference;  // a branch, a tag or a whole commit id; empty: the remote's HEAD
    bool keep_git_dir = false;
    bool submodules = true;
    std::string authorization;  // the value of the header that `server` gets; empty: none
    std::string server;         // https://HOST: no other, wherever it redirects to
    std::string ssh;            // a directory with `agent`, nobody's socket, and `known_hosts`
};

/// Gives this process's rights up for good. Postcondition: the commit's files are in `directory`,
/// which was empty, and belong to nobody. Returns the commit's id. Throws stack::Error.
[[nodiscard]] std::string check_out(GitRequest request, const sys::Fd& directory);

}  // namespace stack::fetch
