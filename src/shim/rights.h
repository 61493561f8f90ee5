#pragma once

// What the container's process may do, taken from it in the one order that works.

#include "shim/spec.h"
#include "shim/user.h"

namespace stack::shim {

/// Resource limits, umask, groups, user, capabilities, no_new_privs and the system call filter.
/// After it only exec is left.
void drop_rights(const ProcessSpec& process, const Identity& identity);

/// Raises or lowers the score by which the kernel chooses whom to kill; `whose`: a pid. By the
/// host's /proc, so before anything of the container's is in sight.
void set_oom_score(const ProcessSpec& process, const std::string& whose = "self");
/// This process goes late when memory runs out, as near as its rights allow: what it keeps would be
/// lost with it.
void outlive_containers();

}  // namespace stack::shim
