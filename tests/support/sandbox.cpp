#include "tests/support/sandbox.h"

#include "base/text.h"
#include "sys/file.h"
#include "sys/netlink.h"
#include "sys/process.h"
#include "sys/tree.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::test {
namespace {

constexpr const char* prefix = "stack-test-";
constexpr const char* disk = "/var/tmp";
constexpr const char* cgroup_mounts = "/sys/fs/cgroup";

std::string directory;  // of this process's sandbox

struct CgroupMount {
    std::string place;
    std::string type;  // cgroup, cgroup2
};

/// The hierarchies that have controllers, or are v2 (proc(5), mountinfo).
std::vector<CgroupMount> find_cgroup_mounts() {
    std::vector<CgroupMount> mounts;
    for (const auto& line : split(sys::read_file("/proc/self/mountinfo").value_or(""), '\n')) {
        const auto separator = line.find(" - ");
        if (separator == std::string::npos)
            continue;
        const auto before = split(line.substr(0, separator), ' ');
        const auto after = split(line.substr(separator + 3), ' ');
        if (before.size() < 5 || after.size() < 3 || !before[4].starts_with(cgroup_mounts))
            continue;
        if (after[0] == "cgroup2" ||
            (after[0] == "cgroup" && after[2].find('=') == std::string::npos))
            mounts.push_back({before[4], after[0]});
    }
    return mounts;
}

void remove_group(const std::string& group) {
    for (const auto& name : sys::list_directory(group))
        if (sys::is_directory(group + "/" + name))
            remove_group(group + "/" + name);
    (void)sys::try_remove_directory(group);  // one that is busy goes with the next sweep
}

bool is_abandoned(const std::string& name) {
    if (!name.starts_with(prefix))
        return false;
    const auto pid = parse_number<int>(std::string_view(name).substr(std::string(prefix).size()));
    return pid && ::kill(*pid, 0) < 0 && errno == ESRCH;
}

/// Removes the sandboxes whose owners are gone: this one's own after its end, those of runs that
/// were killed.
void sweep(const std::string& own) {
    for (const auto& mount : find_cgroup_mounts())
        for (const auto& name : sys::list_directory(mount.place))
            if (name == own || is_abandoned(name))
                remove_group(mount.place + "/" + name);
    for (const auto& name : sys::list_directory(disk))
        if (name == own || is_abandoned(name))
            sys::remove_tree(std::string(disk) + "/" + name);
}

void inherit_cpuset(const std::string& from, const std::string& to) {
    for (const auto* file : {"/cpuset.cpus", "/cpuset.mems"})
        if (const auto value = sys::read_file(from + file))
            (void)sys::try_write_existing(to + file, trim(*value));
}

void enter_cgroups(const std::vector<CgroupMount>& mounts, const std::string& name) {
    for (const auto& mount : mounts) {
        const std::string group = mount.place + "/" + name;
        if (mount.type == "cgroup2")
            for (const auto& controller :
                 split_words(sys::read_file(mount.place + "/cgroup.controllers").value_or("")))
                (void)sys::try_write_existing(mount.place + "/cgroup.subtree_control",
                                              "+" + controller);
        sys::ensure_directory(group);
        inherit_cpuset(mount.place, group);
        sys::write_existing(group + (mount.type == "cgroup2" ? "/cgroup.procs" : "/tasks"), "0");
    }
}

void mount(const char* type, const std::string& place, const std::string& options) {
    sys::check(::mount(type, place.c_str(), type, 0, options.c_str()), "mount on " + place);
}

/// The same hierarchies as before, each with the test's group as its root. A bind, since some
/// kernels refuse to mount a v1 hierarchy a second time at the same place (EBUSY).
void mount_cgroups(const std::vector<CgroupMount>& mounts, const std::string& name) {
    for (const auto& one : mounts) {
        const std::string group = one.place + "/" + name;
        sys::check(::mount(group.c_str(), one.place.c_str(), nullptr, MS_BIND, nullptr),
                   "bind " + group);
        if (one.type != "cgroup2")
            continue;
        // v2 enables no controller for the children of a group that has processes.
        sys::ensure_directory(one.place + "/init");
        sys::write_existing(one.place + "/init/cgroup.procs", "0");
    }
}

void set_up(const std::string& name) {
    const auto cgroups = find_cgroup_mounts();
    enter_cgroups(cgroups, name);
    sys::check(::unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC |
                         CLONE_NEWCGROUP),
               "make namespaces");
    sys::check(::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr), "make mounts private");
    mount("proc", "/proc", "");
    mount("tmpfs", "/run", "mode=755");
    mount_cgroups(cgroups, name);
    sys::check(::sethostname("stack-test", 10), "set the host name");
    sys::RouteSocket links;
    links.set_up(links.find_link("lo")->index);
}

void set_environment() {
    const auto set = [](const char* name, const std::string& value) {
        ::setenv(name, value.c_str(), 1);
    };
    for (const auto* name : {"root", "home", "tmp"})
        sys::ensure_directory(directory + "/" + name);
    set("STACK_ROOT", directory + "/root");
    set("HOME", directory + "/home");
    set("TMPDIR", directory + "/tmp");
    for (const auto* name : {"COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COMPOSE_PROFILES",
                             "DOCKER_CONFIG", "XDG_RUNTIME_DIR"})
        ::unsetenv(name);
}

int status_of(int raw) {
    return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
}

void die_with_parent() {
    sys::check(::prctl(PR_SET_PDEATHSIG, SIGKILL), "ask to die with the parent");
}

/// Process 1 of the sandbox: reaps what is orphaned until `test` has ended. The kernel ends the
/// rest with it.
[[noreturn]] void be_init(int test) {
    int status = 0;
    for (int pid = 0; pid != test;)
        pid = ::waitpid(-1, &status, 0);
    ::_exit(status_of(status));
}

/// Outside: keeps the place tidy.
[[noreturn]] void be_janitor(int init, const std::string& name) {
    int status = 0;
    while (::waitpid(init, &status, 0) < 0 && errno == EINTR)
        continue;
    sweep(name);
    ::_exit(status_of(status));
}

}  // namespace

void enter_sandbox() {
    if (!sys::may_administer()) {
        std::fputs("integration tests make namespaces and mounts: run them as root\n", stderr);
        ::_exit(1);
    }
    const std::string name = prefix + std::to_string(::getpid());
    sweep(name);
    directory = std::string(disk) + "/" + name;
    sys::ensure_directory(directory, 0711);
    sys::check(::unshare(CLONE_NEWPID), "make a pid namespace");
    const int init = sys::check(::fork(), "fork");
    if (init > 0)
        be_janitor(init, name);
    die_with_parent();
    set_up(name);
    const int test = sys::check(::fork(), "fork");
    if (test > 0)
        be_init(test);
    die_with_parent();
    set_environment();
}

const std::string& sandbox_directory() {
    return directory;
}

}  // namespace stack::test
