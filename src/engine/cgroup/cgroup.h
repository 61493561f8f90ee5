#pragma once

// Control groups: limits to files, groups of processes to numbers. v2, v1, and hybrid (v1
// controllers beside a v2 mount that has the core features: kill, freeze, events, pressure).

#include <stack/model.h>

#include "base/device_rule.h"
#include "sys/fd.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace stack::cgroup {

enum class Mode { none, v1, hybrid, v2 };

/// One write of a value to a file of a group.
struct FileWrite {
    std::string controller;  // memory, cpu, pids …; "" for the v2 core
    std::string file;
    std::string value;
    bool required = false;  // its failure is an error, not a warning
    std::string device;     // path of the device whose number goes before the value; mostly none

    bool operator==(const FileWrite&) const = default;
};

/// What it takes to hold a group to `resources`; pure.
[[nodiscard]] std::vector<FileWrite> limits_for(Mode mode, const Resources& resources);

/// What lifts the limits that `resources` does not name, for a group that may have had them; pure.
[[nodiscard]] std::vector<FileWrite> lifted_limits_for(Mode mode, const Resources& resources);

/// Where a new process has to go to be in a group.
struct Placement {
    Strings attach_files;  // v1: the process itself writes "0" to each (10 ms cheaper than a pid
                           // from outside)
    std::string v2_directory;  // for CLONE_INTO_CGROUP; empty without a v2 mount
};

struct Usage {
    std::uint64_t cpu_ns = 0;
    std::int64_t memory = 0;        // bytes, without inactive file cache
    std::int64_t memory_limit = 0;  // 0: none
    std::int64_t memory_peak = 0;
    std::int64_t pids = 0;
    std::int64_t read_bytes = 0;
    std::int64_t written_bytes = 0;
    // Per cent of the last ten seconds in which some process waited for it; none without a v2 mount
    // and a kernel that measures.
    std::optional<double> cpu_pressure;
    std::optional<double> memory_pressure;
    std::optional<double> io_pressure;
};

/// The tree of groups under one mount root. `path` is relative: "stack/<project>/<container>".
class Cgroups {
  public:
    /// The machine's, at /sys/fs/cgroup. What there is of them is looked for once.
    Cgroups();
    explicit Cgroups(std::string mount);

    [[nodiscard]] Mode mode() const { return mode_; }

    [[nodiscard]] const Strings& controllers() const { return controllers_; }

    /// Postcondition: the group exists in every hierarchy that it needs and is held to `resources`
    /// and nothing else; processes that a group of this name had are under the new limits. What the
    /// kernel cannot do becomes a warning; a limit that it refuses to enforce is an error.
    Placement ensure(const std::string& path, const Resources& resources, Strings& warnings) const;
    /// The same, held to `more` besides.
    Placement ensure(const std::string& path,
                     const Resources& resources,
                     const std::vector<FileWrite>& more,
                     Strings& warnings) const;
    /// Postcondition: the group, which is at `placement`, reaches the devices that the rules allow
    /// and no others. Where only v1 can see to that, the group is in its devices hierarchy, too,
    /// which `placement` has then. Where nothing can, a warning.
    void guard_devices(const std::string& path,
                       const std::vector<DeviceRule>& allowed,
                       Placement& placement,
                       Strings& warnings) const;
    /// Where a process has to go to be in a group that exists.
    [[nodiscard]] Placement placement(const std::string& path) const;
    /// As a process of the group is placed. It may have gone to a group below, which on v2 leaves
    /// no place above ("no internal process constraint", cgroup-v2.rst).
    [[nodiscard]] Placement placement_beside(const std::string& path, int pid) const;
    /// The file whose line `oom_kill N` counts kills; empty without a memory controller.
    [[nodiscard]] std::string oom_file(const std::string& path) const;

    /// Postcondition: every process of the group has been sent SIGKILL; a frozen group is thawed
    /// for it.
    void kill(const std::string& path) const;
    void freeze(const std::string& path, bool frozen) const;
    [[nodiscard]] bool frozen(const std::string& path) const;
    /// What is written where to thaw a group; no descriptor where the group is gone.
    [[nodiscard]] std::pair<sys::Fd, std::string> thawer(const std::string& path) const;

    /// Postcondition: the group and those below it are gone. Waits a bounded time for its last
    /// processes; throws with their pids after that.
    void remove(const std::string& path) const;
    /// Removes the group where nothing is in it and nothing below it; otherwise it stays.
    void remove_if_empty(const std::string& path) const;

    /// Where each hierarchy has the group, by the hierarchy's name; on v2 the one without a name.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> directories(
        const std::string& path) const;
    [[nodiscard]] bool exists(const std::string& path) const;
    /// Those of the group and of the groups below it.
    [[nodiscard]] std::vector<int> processes(const std::string& path) const;
    /// How many processes the kernel has killed there for want of memory.
    [[nodiscard]] std::uint64_t oom_kills(const std::string& path) const;
    [[nodiscard]] Usage usage(const std::string& path) const;
    /// Names of the groups directly below `path`.
    [[nodiscard]] Strings children(const std::string& path) const;

  private:
    bool ensure_v2(const std::string& path, Strings& warnings) const;
    bool ensure_v1(const std::string& path, const std::vector<FileWrite>& writes) const;

    std::string mount_;
    Mode mode_;
    Strings controllers_;
};

}  // namespace stack::cgroup
