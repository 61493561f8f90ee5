#pragma once

// `security_opt: seccomp=FILE`: what the files say.

#include "loader/files.h"

namespace stack::loader {

/// The path in `seccomp=FILE` or `seccomp:FILE`; "" of other security options, and of `unconfined`
/// and `builtin`, which is the default profile.
[[nodiscard]] std::string profile_path_of(const std::string& security_option);

/// Fills in the profiles that services name; complains of those that are none. `root` is what the
/// stack was read from.
void read_seccomp_profiles(Session& session, Files& files, Stack& stack, const Node& root);

}  // namespace stack::loader
