#pragma once

// Where the files of a group are: one tree on v2, one a controller on v1.

#include "engine/cgroup/cgroup.h"

namespace stack::cgroup {

/// What is mounted below `mount`, told by the files there: v2 has cgroup.controllers at its root.
[[nodiscard]] Mode find_mode(const std::string& mount);
[[nodiscard]] Strings find_controllers(const std::string& mount, Mode mode);

class Tree {
  public:
    Tree(const std::string& mount, Mode mode, const Strings& controllers)
        : mount_(mount), mode_(mode), controllers_(controllers) {}

    [[nodiscard]] bool has(const std::string& controller) const;
    /// The roots of all hierarchies that groups may be in.
    [[nodiscard]] Strings roots() const;
    /// The root of the hierarchy that has the controller.
    [[nodiscard]] std::string root(const std::string& controller) const;
    /// Empty without a v2 mount.
    [[nodiscard]] std::string v2_directory(const std::string& path) const;
    [[nodiscard]] std::string file(const std::string& controller,
                                   const std::string& path,
                                   const std::string& name) const;

  private:
    const std::string& mount_;
    Mode mode_;
    const Strings& controllers_;
};

/// The number in the line `<name> <number>` of a file; 0 where there is none.
[[nodiscard]] std::uint64_t read_field(const std::string& file, std::string_view name);

}  // namespace stack::cgroup
