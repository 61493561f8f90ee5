#pragma once

// Users of the container, from its own /etc/passwd and /etc/group, read by descriptor: no NSS, no
// library of the container's.

#include "shim/fault.h"

#include <cstdint>
#include <string>
#include <vector>

namespace stack::shim {

struct Identity {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;  // supplementary, the primary included
    std::string home = "/";
    std::string name;
};

/// Who `user` ("", name, number, each with :group) is, in the root that this process has. Gives up
/// naming what is not there, with the status `code`.
[[nodiscard]] Identity look_up(const std::string& user,
                               const std::vector<std::string>& more_groups,
                               int code = not_executable);

/// The parts of it that need no file, for tests: entries of passwd(5) and group(5) as text.
[[nodiscard]] bool resolve(const std::string& user,
                           const std::vector<std::string>& more_groups,
                           const std::string& passwd,
                           const std::string& group,
                           Identity& identity,
                           std::string& problem);

}  // namespace stack::shim
