#include "engine/cgroup/cgroup.h"

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/poll.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <set>

namespace stack::cgroup {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array<const char*, 9> v1_names{
    "memory", "pids", "cpu", "cpuacct", "cpuset", "freezer", "blkio", "devices", "hugetlb"};
/// What every container is put into on v1, limits or not: accounting, the limit of processes, and
/// freezing.
constexpr std::array<const char*, 5> v1_always{"memory", "pids", "cpu", "cpuacct", "freezer"};

Mode detect(const std::string& mount) {
    if (sys::exists(mount + "/cgroup.controllers"))
        return Mode::v2;
    const bool has_v1 = sys::is_directory(mount + "/memory") || sys::is_directory(mount + "/pids");
    const bool has_unified = sys::exists(mount + "/unified/cgroup.procs");
    if (has_v1)
        return has_unified ? Mode::hybrid : Mode::v1;
    return Mode::none;
}

Strings find_controllers(const std::string& mount, Mode mode) {
    if (mode == Mode::v2)
        return split_words(sys::read_file(mount + "/cgroup.controllers").value_or(""));
    Strings names;
    for (const auto* name : v1_names)
        if (sys::is_directory(mount + "/" + name))
            names.emplace_back(name);
    return names;
}

bool contains(const Strings& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

std::optional<std::uint64_t> field(const std::string& text, std::string_view name) {
    for (const auto& line : split(text, '\n')) {
        const auto [key, value] = split_once(line, ' ');
        if (key == name)
            return parse_number<std::uint64_t>(trim(value));
    }
    return std::nullopt;
}

std::int64_t number_in(const std::string& file) {
    return parse_number<std::int64_t>(trim(sys::read_file(file).value_or(""))).value_or(0);
}

/// Writes what can be written without the file being there at all; false where it is not there.
bool write_if_there(const std::string& file, const std::string& value) {
    if (!sys::exists(file))
        return false;
    sys::write_existing(file, value);
    return true;
}

/// Makes the directories of `path` below `base`, one by one, calling `made` for each that did not
/// exist.
template <class Made>
void make_group(const std::string& base, const std::string& path, const Made& made) {
    std::string directory = base;
    for (const auto& part : split(path, '/')) {
        const std::string parent = directory;
        directory += "/" + part;
        if (sys::is_directory(directory))
            continue;
        sys::ensure_directory(directory);
        made(parent, directory);
    }
}

/// A new v1 cpuset admits nothing until it has its parent's processors and memory nodes.
void inherit_cpuset(const std::string& parent, const std::string& directory) {
    for (const auto* file : {"/cpuset.cpus", "/cpuset.mems"})
        sys::write_existing(directory + file, trim(sys::read_file(parent + file).value_or("")));
}

class Tree {
  public:
    Tree(const std::string& mount, Mode mode, const Strings& controllers)
        : mount_(mount), mode_(mode), controllers_(controllers) {}

    /// The bases of all hierarchies that groups may be in.
    [[nodiscard]] Strings bases() const {
        Strings list;
        if (mode_ == Mode::v2)
            return {mount_};
        for (const auto& controller : controllers_)
            list.push_back(mount_ + "/" + controller);
        if (mode_ == Mode::hybrid)
            list.push_back(mount_ + "/unified");
        return list;
    }

    [[nodiscard]] std::string v2_directory(const std::string& path) const {
        if (mode_ == Mode::v2)
            return mount_ + "/" + path;
        return mode_ == Mode::hybrid ? mount_ + "/unified/" + path : "";
    }

    [[nodiscard]] std::string file(const std::string& controller,
                                   const std::string& path,
                                   const char* name) const {
        const std::string base = mode_ == Mode::v2 ? mount_ : mount_ + "/" + controller;
        return base + "/" + path + "/" + name;
    }

  private:
    const std::string& mount_;
    Mode mode_;
    const Strings& controllers_;
};

void write_limit(const std::string& file, const FileWrite& write, Strings& warnings) {
    STACK_FAILPOINT("cgroup.limit");
    try {
        if (write_if_there(file, write.value))
            return;
        warnings.push_back("the kernel has no " + write.file + ": this limit is not enforced");
    } catch (const Error& error) {
        if (write.required)
            throw;
        warnings.push_back(std::string(error.what()) + "; this limit is not enforced");
    }
}

/// v2: lets children of every group on the way use the controllers (cgroups.rst "Enabling and
/// Disabling").
void enable_controllers(const std::string& directory, const Strings& wanted) {
    const auto enabled =
        split_words(sys::read_file(directory + "/cgroup.subtree_control").value_or(""));
    for (const auto& controller : wanted)
        if (!contains(enabled, controller))
            sys::write_existing(directory + "/cgroup.subtree_control", "+" + controller);
}

bool is_populated(const std::string& v2_directory) {
    return field(sys::read_file(v2_directory + "/cgroup.events").value_or(""), "populated")
               .value_or(0) != 0;
}

void remove_group(const std::string& directory) {
    for (const auto& name : sys::list_directory(directory))
        if (sys::is_directory(directory + "/" + name))
            remove_group(directory + "/" + name);
    sys::remove_directory(directory);
}

constexpr std::chrono::seconds removal_patience{5};

}  // namespace

Cgroups::Cgroups(std::string mount)
    : mount_(std::move(mount)),
      mode_(detect(mount_)),
      controllers_(find_controllers(mount_, mode_)) {}

Placement Cgroups::ensure(const std::string& path,
                          const Resources& resources,
                          Strings& warnings) const {
    STACK_FAILPOINT("cgroup.mkdir");
    Placement placement;
    const Tree tree(mount_, mode_, controllers_);
    if (mode_ == Mode::v2) {
        Strings wanted;
        for (const auto* name : {"cpu", "cpuset", "io", "memory", "pids"})
            if (contains(controllers_, name))
                wanted.emplace_back(name);
        enable_controllers(mount_, wanted);
        make_group(mount_, path, [&](const std::string& parent, const std::string&) {
            if (parent != mount_)
                enable_controllers(parent, wanted);
        });
    } else if (mode_ != Mode::none) {
        std::set<std::string> needed(v1_always.begin(), v1_always.end());
        for (const auto& write : limits_for(mode_, resources))
            needed.insert(write.controller);
        for (const auto& controller : needed) {
            if (!contains(controllers_, controller))
                continue;
            make_group(mount_ + "/" + controller,
                       path,
                       [&](const std::string& parent, const std::string& made) {
                           if (controller == "cpuset")
                               inherit_cpuset(parent, made);
                       });
            placement.attach_files.push_back(tree.file(controller, path, "tasks"));
        }
        if (mode_ == Mode::hybrid)
            make_group(mount_ + "/unified", path, [](const std::string&, const std::string&) {});
    }
    placement.v2_directory = tree.v2_directory(path);
    apply(path, resources, warnings);
    return placement;
}

Placement Cgroups::placement(const std::string& path) const {
    const Tree tree(mount_, mode_, controllers_);
    Placement placement;
    placement.v2_directory = tree.v2_directory(path);
    if (mode_ != Mode::v2)
        for (const auto& controller : controllers_)
            if (std::string file = tree.file(controller, path, "tasks"); sys::exists(file))
                placement.attach_files.push_back(std::move(file));
    return placement;
}

std::string Cgroups::oom_file(const std::string& path) const {
    if (!contains(controllers_, "memory"))
        return {};
    const char* name = mode_ == Mode::v2 ? "memory.events" : "memory.oom_control";
    return Tree(mount_, mode_, controllers_).file("memory", path, name);
}

void Cgroups::apply(const std::string& path, const Resources& resources, Strings& warnings) const {
    const Tree tree(mount_, mode_, controllers_);
    for (const auto& write : limits_for(mode_, resources)) {
        if (contains(controllers_, write.controller))
            write_limit(tree.file(write.controller, path, write.file.c_str()), write, warnings);
        else
            warnings.push_back("cgroup controller " + write.controller + " is not available: " +
                               write.file + " is not enforced (see `stack doctor`)");
    }
}

void Cgroups::kill(const std::string& path) const {
    const std::string v2 = Tree(mount_, mode_, controllers_).v2_directory(path);
    if (!v2.empty() && sys::exists(v2 + "/cgroup.kill")) {
        sys::write_existing(v2 + "/cgroup.kill", "1");  // also reaches frozen ones
        freeze(path, false);
        return;
    }
    freeze(path, true);
    for (const int pid : processes(path))
        ::kill(pid, SIGKILL);
    freeze(path, false);
}

void Cgroups::freeze(const std::string& path, bool frozen) const {
    const Tree tree(mount_, mode_, controllers_);
    const std::string v2 = tree.v2_directory(path);
    if (!v2.empty() && write_if_there(v2 + "/cgroup.freeze", frozen ? "1" : "0"))
        return;
    write_if_there(tree.file("freezer", path, "freezer.state"), frozen ? "FROZEN" : "THAWED");
}

bool Cgroups::frozen(const std::string& path) const {
    const Tree tree(mount_, mode_, controllers_);
    const std::string v2 = tree.v2_directory(path);
    if (const auto text = v2.empty() ? std::nullopt : sys::read_file(v2 + "/cgroup.freeze"))
        return trim(*text) == "1";
    return trim(sys::read_file(tree.file("freezer", path, "freezer.state")).value_or(""))
        .starts_with("FR");
}

void Cgroups::remove(const std::string& path) const {
    STACK_FAILPOINT("cgroup.rmdir");
    const Tree tree(mount_, mode_, controllers_);
    const auto deadline = Clock::now() + removal_patience;
    const std::string v2 = tree.v2_directory(path);
    for (std::chrono::milliseconds pause{1};;
         pause = std::min(pause * 2, std::chrono::milliseconds(100))) {
        try {
            for (const auto& base : tree.bases())
                remove_group(base + "/" + path);
            return;
        } catch (const Error& error) {
            if (error.code() != std::errc::device_or_resource_busy)
                throw;
        }
        if (Clock::now() > deadline)
            break;
        if (!v2.empty() && is_populated(v2))
            sys::wait_for_change(v2 + "/cgroup.events", pause);
        else
            sys::pause(pause);  // the last process is still being taken down in a v1 hierarchy
    }
    Strings pids;
    for (const int pid : processes(path))
        pids.push_back(std::to_string(pid));
    throw Error(std::make_error_code(std::errc::device_or_resource_busy),
                "cgroup " + path + " is still in use by processes " + join(pids, ", "));
}

std::vector<int> Cgroups::processes(const std::string& path) const {
    const Tree tree(mount_, mode_, controllers_);
    const std::string v2 = tree.v2_directory(path);
    const std::string file =
        v2.empty() ? tree.file("pids", path, "cgroup.procs") : v2 + "/cgroup.procs";
    std::vector<int> pids;
    for (const auto& line : split(sys::read_file(file).value_or(""), '\n'))
        if (const auto pid = parse_number<int>(line))
            pids.push_back(*pid);
    return pids;
}

std::uint64_t Cgroups::oom_kills(const std::string& path) const {
    const Tree tree(mount_, mode_, controllers_);
    const char* name = mode_ == Mode::v2 ? "memory.events" : "memory.oom_control";
    return field(sys::read_file(tree.file("memory", path, name)).value_or(""), "oom_kill")
        .value_or(0);
}

Usage Cgroups::usage(const std::string& path) const {
    const Tree tree(mount_, mode_, controllers_);
    const auto number = [&](const char* controller, const char* name) {
        return number_in(tree.file(controller, path, name));
    };
    const auto stat = [&](const char* controller, const char* name, std::string_view key) {
        return field(sys::read_file(tree.file(controller, path, name)).value_or(""), key)
            .value_or(0);
    };
    Usage usage;
    if (mode_ == Mode::v2) {
        constexpr std::uint64_t ns_per_us = 1000;
        usage.cpu_ns = stat("cpu", "cpu.stat", "usage_usec") * ns_per_us;
        usage.memory = number("memory", "memory.current") -
                       static_cast<std::int64_t>(stat("memory", "memory.stat", "inactive_file"));
        usage.memory_limit = number("memory", "memory.max");
        usage.memory_peak = number("memory", "memory.peak");
    } else {
        usage.cpu_ns = static_cast<std::uint64_t>(number("cpuacct", "cpuacct.usage"));
        usage.memory =
            number("memory", "memory.usage_in_bytes") -
            static_cast<std::int64_t>(stat("memory", "memory.stat", "total_inactive_file"));
        const std::int64_t limit = number("memory", "memory.limit_in_bytes");
        constexpr std::int64_t no_limit =
            INT64_MAX / 4096 * 4096 / 2;  // what v1 reads back without one is above this
        usage.memory_limit = limit > no_limit ? 0 : limit;
        usage.memory_peak = number("memory", "memory.max_usage_in_bytes");
    }
    usage.pids = number("pids", "pids.current");
    return usage;
}

Strings Cgroups::children(const std::string& path) const {
    std::set<std::string> names;
    for (const auto& base : Tree(mount_, mode_, controllers_).bases())
        for (const auto& name : sys::list_directory(base + "/" + path))
            if (sys::is_directory(base + "/" + path + "/" + name))
                names.insert(name);
    return {names.begin(), names.end()};
}

}  // namespace stack::cgroup
