#pragma once

// Where an instance of the program keeps its things. Two instances with different roots share
// nothing.

#include <string>

namespace stack {

struct Paths {
    std::string state =
        "/var/lib/stack";            // survives a reboot: images, volumes, containers, projects
    std::string run = "/run/stack";  // does not: sockets, locks, records of what lives
    std::string instance;  // 8 hexadecimal digits that tell this root's bridges, tables and cgroups
                           // from others'; empty for the default root

    bool operator==(const Paths&) const = default;
};

/// The paths for `root` (absolute): everything lies under it. An empty root means the defaults.
[[nodiscard]] Paths paths_for(const std::string& root);

}  // namespace stack
