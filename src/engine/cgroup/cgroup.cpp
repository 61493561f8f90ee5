#include "engine/cgroup/cgroup.h"

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "engine/cgroup/devices.h"
#include "engine/cgroup/tree.h"
#include "sys/device_guard.h"
#include "sys/file.h"
#include "sys/poll.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <set>

#include <fcntl.h>

namespace stack::cgroup {
namespace {

using Clock = std::chrono::steady_clock;

/// What every container is put into on v1, limits or not: accounting and the limit of processes.
constexpr std::array<const char*, 4> v1_always{"memory", "pids", "cpu", "cpuacct"};
constexpr std::array<const char*, 5> v2_wanted{"cpu", "cpuset", "io", "memory", "pids"};
constexpr std::chrono::seconds removal_patience{5};

std::error_code code_of(int error) {
    return {error, std::generic_category()};
}

using Prepare = std::function<void(const std::string& parent, const std::string& directory)>;

/// Makes the directories of `path` below `root`, calling `prepare(parent, directory)` on each, new
/// or not: whoever made it may have died before preparing it. Whether the last is new.
bool make_group(const std::string& root, const std::string& path, const Prepare& prepare) {
    bool is_new = false;
    std::string directory = root;
    for (const auto& part : split(path, '/')) {
        const std::string parent = directory;
        directory += "/" + part;
        is_new = !sys::is_directory(directory);
        if (is_new) {
            STACK_FAILPOINT("cgroup.mkdir");
            sys::ensure_directory(directory);
        }
        prepare(parent, directory);
    }
    return is_new;
}

void do_nothing(const std::string&, const std::string&) {}

void inherit(const std::string& file, const std::string& parent, const std::string& directory) {
    sys::write_existing(directory + "/" + file,
                        trim(sys::read_file(parent + "/" + file).value_or("")));
}

/// A new v1 cpuset admits nothing until it has its parent's processors and memory nodes.
void fill_cpuset(const std::string& parent, const std::string& directory) {
    for (const auto* file : {"cpuset.cpus", "cpuset.mems"})
        if (trim(sys::read_file(directory + "/" + file).value_or("")).empty())
            inherit(file, parent, directory);
}

/// v2: lets the children of a group use the controllers (cgroup-v2.rst, "Enabling and Disabling").
/// One at a time, since a write is refused as a whole.
void enable_controllers(const std::string& directory, const Tree& tree, Strings& warnings) {
    const std::string file = directory + "/cgroup.subtree_control";
    const auto enabled = split_words(sys::read_file(file).value_or(""));
    for (const std::string controller : v2_wanted) {
        if (!tree.has(controller) ||
            std::find(enabled.begin(), enabled.end(), controller) != enabled.end())
            continue;
        if (const int error = sys::try_write_existing(file, "+" + controller); error != 0)
            warnings.push_back("cgroup controller " + controller + " cannot be enabled in " +
                               directory + " (" + code_of(error).message() +
                               "): its limits are not enforced");
    }
}

/// 0, or the errno of the refusal.
int write_limit(const Tree& tree, const std::string& path, const FileWrite& write) {
    STACK_FAILPOINT("cgroup.limit");
    std::string value = write.value;
    if (!write.device.empty()) {
        const auto number = sys::find_device_number(write.device);
        if (!number)
            return ENODEV;
        value.insert(0, *number + " ");
    }
    return sys::try_write_existing(tree.file(write.controller, path, write.file), value);
}

std::string describe_refusal(const FileWrite& write, const std::string& path, int error) {
    if (error == ENOENT)
        return "the kernel has no " + write.file + ": this limit is not enforced";
    return "cannot set " + write.file + " of " + path + " to \"" + write.value + "\"" +
           (write.device.empty() ? "" : " for " + write.device) + " (" + code_of(error).message() +
           "): this limit is not enforced";
}

void write_limits(const Tree& tree,
                  const std::string& path,
                  const std::vector<FileWrite>& writes,
                  Strings& warnings) {
    // Some pairs must keep an order between them at every moment (memory below memory and swap,
    // quota to period), which depends on what was there before: what is refused is tried again
    // after the rest.
    std::vector<FileWrite> refused;
    for (const auto& write : writes) {
        if (!tree.has(write.controller))
            warnings.push_back("cgroup controller " + write.controller + " is not available: " +
                               write.file + " is not enforced (see `stack doctor`)");
        else if (write_limit(tree, path, write) != 0)
            refused.push_back(write);
    }
    for (const auto& write : refused) {
        const int error = write_limit(tree, path, write);
        if (error == 0)
            continue;
        std::string sentence = describe_refusal(write, path, error);
        if (write.required && error != ENOENT)
            throw Error(code_of(error), std::move(sentence));
        warnings.push_back(std::move(sentence));
    }
}

/// Of every device that the file has a line for.
void lift_of_devices(const std::string& file, const char* unlimited) {
    for (const auto& line : split(sys::read_file(file).value_or(""), '\n'))
        if (const auto device = split_once(line, ' ').first; device.find(':') != device.npos)
            (void)sys::try_write_existing(file, device + " " + unlimited);
}

/// v1: what a new group has from its parent.
void inherit_limits(const Tree& tree, const std::string& path, const Resources& resources) {
    const std::string parent = sys::parent_path(path);
    const std::string cpuset = tree.file("cpuset", path, "");
    const bool has_cpuset = sys::is_directory(cpuset);
    if (resources.cpuset.empty() && has_cpuset)
        inherit("cpuset.cpus", tree.file("cpuset", parent, ""), cpuset);
    if (resources.cpuset_mems.empty() && has_cpuset)
        inherit("cpuset.mems", tree.file("cpuset", parent, ""), cpuset);
    if (!resources.memory_swappiness)
        if (const auto value = sys::read_file(tree.file("memory", parent, "memory.swappiness")))
            (void)sys::try_write_existing(tree.file("memory", path, "memory.swappiness"),
                                          trim(*value));
}

/// For a group that may have had other limits. What is not there cannot be limited.
void lift_limits(const Tree& tree, Mode mode, const std::string& path, const Resources& resources) {
    for (const auto& write : lifted_limits_for(mode, resources))
        if (tree.has(write.controller))
            (void)write_limit(tree, path, write);
    if (mode == Mode::v2) {
        lift_of_devices(tree.file("io", path, "io.max"), "rbps=max wbps=max riops=max wiops=max");
        lift_of_devices(tree.file("io", path, "io.weight"), "default");
        return;
    }
    for (const auto* file : {"read_bps", "write_bps", "read_iops", "write_iops"})
        lift_of_devices(tree.file("blkio", path, std::string("blkio.throttle.") + file + "_device"),
                        "0");
    lift_of_devices(tree.file("blkio", path, "blkio.bfq.weight_device"), "default");
    inherit_limits(tree, path, resources);
}

/// 0, or the errno of the first refusal.
int guard_by_v1(const Tree& tree, const std::string& path, const std::vector<DeviceRule>& allowed) {
    make_group(tree.root("devices"), path, do_nothing);
    for (const auto& write : device_writes(allowed))
        if (const int error = write_limit(tree, path, write); error != 0)
            return error;
    return 0;
}

/// Removes a group and those below it; 0, or the errno. Most have none below, so that is tried
/// first.
int remove_group(const std::string& directory) {
    if (const int error = sys::try_remove_directory(directory); error != EBUSY)
        return error;
    for (const auto& name : sys::list_directory(directory))
        if (sys::is_directory(directory + "/" + name))
            if (const int error = remove_group(directory + "/" + name); error != 0)
                return error;
    return sys::try_remove_directory(directory);
}

int remove_everywhere(const Strings& roots, const std::string& path) {
    for (const auto& root : roots)
        if (const int error = remove_group(root + "/" + path); error != 0)
            return error;
    return 0;
}

/// The file that freezes or thaws a group, and what is written to it.
std::pair<std::string, std::string> freezer_write(const Tree& tree,
                                                  const std::string& path,
                                                  bool frozen) {
    const std::string v2 = tree.v2_directory(path);
    if (v2.empty())
        return {tree.file("freezer", path, "freezer.state"), frozen ? "FROZEN" : "THAWED"};
    return {v2 + "/cgroup.freeze", frozen ? "1" : "0"};
}

/// Lets a moment pass in which the last process may go; on v2 until the kernel says it has.
void wait_for_processes(const std::string& v2_directory, std::chrono::milliseconds longest) {
    const std::string events = v2_directory + "/cgroup.events";
    if (!v2_directory.empty() && read_field(events, "populated") != 0)
        sys::wait_for_change(events, longest);
    else
        sys::pause(longest);  // a v1 hierarchy does not say
}

/// Those of the group and of all below it.
void add_processes(const std::string& directory, std::vector<int>& pids) {
    for (const auto& line : split(sys::read_file(directory + "/cgroup.procs").value_or(""), '\n'))
        if (const auto pid = parse_number<int>(line))
            pids.push_back(*pid);
    for (const auto& name : sys::list_subdirectories(directory))
        add_processes(directory + "/" + name, pids);
}

const Cgroups& cgroups_of_the_machine() {
    static const Cgroups cgroups("/sys/fs/cgroup");
    return cgroups;
}

}  // namespace

Cgroups::Cgroups() : Cgroups(cgroups_of_the_machine()) {}

Cgroups::Cgroups(std::string mount)
    : mount_(std::move(mount)),
      mode_(find_mode(mount_)),
      controllers_(find_controllers(mount_, mode_)) {}

Placement Cgroups::ensure(const std::string& path,
                          const Resources& resources,
                          Strings& warnings) const {
    return ensure(path, resources, {}, warnings);
}

Placement Cgroups::ensure(const std::string& path,
                          const Resources& resources,
                          const std::vector<FileWrite>& more,
                          Strings& warnings) const {
    if (mode_ == Mode::none) {
        warnings.push_back("no control groups at " + mount_ +
                           ": limits are not enforced (see `stack doctor`)");
        return {};
    }
    const Tree tree(mount_, mode_, controllers_);
    std::vector<FileWrite> writes = limits_for(mode_, resources);
    writes.insert(writes.end(), more.begin(), more.end());
    const bool is_new = mode_ == Mode::v2 ? ensure_v2(path, warnings) : ensure_v1(path, writes);
    if (!is_new)
        lift_limits(tree, mode_, path, resources);
    write_limits(tree, path, writes, warnings);
    return placement(path);
}

bool Cgroups::ensure_v2(const std::string& path, Strings& warnings) const {
    const Tree tree(mount_, mode_, controllers_);
    return make_group(mount_, path, [&](const std::string& parent, const std::string&) {
        enable_controllers(parent, tree, warnings);
    });
}

bool Cgroups::ensure_v1(const std::string& path, const std::vector<FileWrite>& writes) const {
    const Tree tree(mount_, mode_, controllers_);
    std::set<std::string> needed(v1_always.begin(), v1_always.end());
    for (const auto& write : writes)
        needed.insert(write.controller);
    if (mode_ == Mode::v1)
        needed.insert("freezer");  // elsewhere the v2 group freezes
    bool was_there = mode_ == Mode::hybrid && !make_group(mount_ + "/unified", path, do_nothing);
    Strings added;
    for (const auto& controller : needed) {
        if (!tree.has(controller))
            continue;
        const Prepare prepare = controller == "cpuset" ? fill_cpuset : do_nothing;
        if (make_group(tree.root(controller), path, prepare))
            added.push_back(controller);
        else
            was_there = true;
    }
    if (was_there)
        for (const int pid : processes(path))
            for (const auto& controller : added)
                (void)sys::try_write_existing(tree.file(controller, path, "cgroup.procs"),
                                              std::to_string(pid));
    return !was_there;
}

void Cgroups::guard_devices(const std::string& path,
                            const std::vector<DeviceRule>& allowed,
                            Placement& placement,
                            Strings& warnings) const {
    const Tree tree(mount_, mode_, controllers_);
    const std::string& directory = placement.v2_directory;
    int error = directory.empty() ? ENODEV : sys::guard_devices(directory, device_program(allowed));
    if (error != 0 && tree.has("devices")) {
        error = guard_by_v1(tree, path, allowed);
        placement = this->placement(path);
    }
    if (error != 0)
        warnings.push_back("the devices that are not meant for " + path +
                           " are not kept from it (" +
                           (error == ENODEV ? "that takes a cgroup v2 mount or the devices "
                                              "controller of v1"
                                            : code_of(error).message()) +
                           ")");
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

Placement Cgroups::placement_beside(const std::string& path, int pid) const {
    Placement placement = this->placement(path);
    if (mode_ != Mode::v2)
        return placement;
    const auto file = sys::read_file("/proc/" + std::to_string(pid) + "/cgroup").value_or("");
    for (const auto& line : split(file, '\n'))
        if (line.starts_with("0::/" + path + "/"))
            placement.v2_directory = mount_ + line.substr(3);
    return placement;
}

void Cgroups::kill(const std::string& path) const {
    const std::string v2 = Tree(mount_, mode_, controllers_).v2_directory(path);
    if (!v2.empty() && sys::try_write_existing(v2 + "/cgroup.kill", "1") == 0)
        return;  // reaches frozen ones, too
    freeze(path, true);
    for (const int pid : processes(path))
        ::kill(pid, SIGKILL);
    freeze(path, false);
}

void Cgroups::freeze(const std::string& path, bool frozen) const {
    const auto [file, value] = freezer_write(Tree(mount_, mode_, controllers_), path, frozen);
    const int error = sys::try_write_existing(file, value);
    if (error != 0 && error != ENOENT && error != ENODEV)  // those: it is gone
        sys::fail("write " + file, error);
}

std::pair<sys::Fd, std::string> Cgroups::thawer(const std::string& path) const {
    const auto [file, value] = freezer_write(Tree(mount_, mode_, controllers_), path, false);
    if (!sys::exists(file))
        return {};
    return {sys::open_file(file, O_WRONLY), value};
}

bool Cgroups::frozen(const std::string& path) const {
    const Tree tree(mount_, mode_, controllers_);
    const std::string v2 = tree.v2_directory(path);
    if (!v2.empty())
        return trim(sys::read_file(v2 + "/cgroup.freeze").value_or("")) == "1";
    const auto state = sys::read_file(tree.file("freezer", path, "freezer.state"));
    return state && state->starts_with("FR");  // FREEZING, FROZEN
}

void Cgroups::remove(const std::string& path) const {
    STACK_FAILPOINT("cgroup.rmdir");
    const Tree tree(mount_, mode_, controllers_);
    const auto deadline = Clock::now() + removal_patience;
    const std::string v2 = tree.v2_directory(path);
    constexpr std::chrono::milliseconds longest_pause{100};
    for (std::chrono::milliseconds pause{1};; pause = std::min(pause * 2, longest_pause)) {
        const int error = remove_everywhere(tree.roots(), path);
        if (error == 0)
            return;
        if (error != EBUSY)
            throw Error(code_of(error),
                        "cannot remove cgroup " + path + ": " + code_of(error).message());
        if (Clock::now() > deadline)
            break;
        wait_for_processes(v2, pause);
    }
    std::vector<int> users;
    for (const auto& root : tree.roots())  // who is in one hierarchy need not be in the others
        add_processes(root + "/" + path, users);
    Strings pids;
    for (const int pid : std::set<int>(users.begin(), users.end()))
        pids.push_back(std::to_string(pid));
    throw Error(code_of(EBUSY),
                "cgroup " + path + " is still in use by processes " + join(pids, ", "));
}

void Cgroups::remove_if_empty(const std::string& path) const {
    for (const auto& root : Tree(mount_, mode_, controllers_).roots())
        if (sys::try_remove_directory(root + "/" + path) != 0)
            return;  // who is in one hierarchy is in the others
}

std::vector<std::pair<std::string, std::string>> Cgroups::directories(
    const std::string& path) const {
    if (mode_ == Mode::v2)
        return {{"", mount_ + "/" + path}};
    std::vector<std::pair<std::string, std::string>> found;
    for (const auto& root : Tree(mount_, mode_, controllers_).roots())
        if (sys::is_directory(root + "/" + path))
            found.emplace_back(sys::file_name(root), root + "/" + path);
    return found;
}

std::vector<int> Cgroups::processes(const std::string& path) const {
    const Tree tree(mount_, mode_, controllers_);
    const std::string v2 = tree.v2_directory(path);
    const std::string file =
        v2.empty() ? tree.file("pids", path, "cgroup.procs") : v2 + "/cgroup.procs";
    std::vector<int> pids;
    add_processes(sys::parent_path(file), pids);
    return pids;
}

bool Cgroups::exists(const std::string& path) const {
    const auto places = directories(path);
    return std::any_of(places.begin(), places.end(), [](const auto& place) {
        return sys::is_directory(place.second);
    });
}

Strings Cgroups::children(const std::string& path) const {
    std::set<std::string> names;
    for (const auto& root : Tree(mount_, mode_, controllers_).roots())
        for (auto& name : sys::list_subdirectories(root + "/" + path))
            names.insert(std::move(name));
    return {names.begin(), names.end()};
}

}  // namespace stack::cgroup
