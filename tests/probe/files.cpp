#include "tests/probe/facts.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace stack::probe {
namespace {

constexpr std::array masked{"/proc/acpi",
                            "/proc/asound",
                            "/proc/interrupts",
                            "/proc/kcore",
                            "/proc/keys",
                            "/proc/latency_stats",
                            "/proc/sched_debug",
                            "/proc/scsi",
                            "/proc/timer_list",
                            "/proc/timer_stats",
                            "/sys/devices/virtual/powercap",
                            "/sys/firmware",
                            "/sys/fs/selinux"};

constexpr std::array read_only{
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

/// What gives the machine away to whoever may write there.
constexpr std::array levers{"/proc/sys/kernel/core_pattern",
                            "/proc/sys/net/ipv4/ip_forward",
                            "/proc/sys/vm/overcommit_memory"};

/// Of its own control group: of v2, or of a hierarchy of v1.
constexpr std::array own_groups{"/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/pids/cgroup.procs"};

/// Nothing can be read there: it is not there, it is an empty directory, or it is /dev/null itself.
bool is_closed(const std::string& path) {
    struct stat status {};

    if (::stat(path.c_str(), &status) < 0)
        return errno == ENOENT;
    if (S_ISDIR(status.st_mode))
        return names_in(path).empty();
    return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

bool is_read_only(const std::string& path) {
    struct statvfs status {};

    if (::statvfs(path.c_str(), &status) < 0)
        return errno == ENOENT;
    return (status.f_flag & ST_RDONLY) != 0;
}

bool are_throttles_closed() {
    const std::string processors = "/sys/devices/system/cpu";
    for (const auto& name : names_in(processors))
        if (name.starts_with("cpu") && !is_closed(processors + "/" + name + "/thermal_throttle"))
            return false;
    return true;
}

bool can_open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    ::close(fd);
    return fd >= 0;
}

/// Those options that somebody chose.
std::string chosen(const std::string& options, const std::vector<std::string>& beginnings) {
    std::string list;
    for (const auto& option : split(options, ','))
        for (const auto& beginning : beginnings)
            if (option == beginning || (beginning.ends_with('=') && option.starts_with(beginning)))
                list += " " + option;
    return list;
}

/// A line of mountinfo (proc(5)). What is mounted in /proc and /sys is told by what it does.
void tell_mount(const std::string& line, Facts& facts) {
    const auto separator = line.find(" - ");
    const auto words = split(line.substr(0, separator), ' ');
    const auto source = split(line.substr(separator + 3), ' ');
    if (separator == std::string::npos || words.size() < 6 || source.size() < 3)
        return;
    const std::string& place = words[4];
    if ((place.starts_with("/proc/") || place.starts_with("/sys/")) && place != "/sys/fs/cgroup")
        return;

    struct stat status {};

    const bool has_groups = place == "/sys/fs/cgroup";  // in one file system or in several
    const bool is_file = ::stat(place.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    std::string propagation;
    for (std::size_t i = 6; i < words.size(); ++i)
        propagation += " " + words[i].substr(0, words[i].find(':'));
    if (is_file)  // of a file system of the host's
        facts.push_back("mount " + place + ": file" + chosen(words[5], {"ro", "rw"}) + propagation);
    else
        facts.push_back(
            "mount " + place + ": " + (has_groups ? "control groups" : source[0]) +
            chosen(words[5], {"ro", "rw", "nosuid", "nodev", "noexec"}) +
            (has_groups ? "" : chosen(source[2], {"size=", "mode=", "gid=", "ptmxmode="})) +
            propagation);
}

}  // namespace

void tell_files(Facts& facts) {
    for (const auto& line : split(read_file("/proc/self/mountinfo"), '\n'))
        tell_mount(line, facts);
    const auto yes_or_no = [](bool holds) { return std::string(holds ? "yes" : "no"); };
    for (const std::string path : masked)
        facts.push_back("closed " + path + ": " + yes_or_no(is_closed(path)));
    facts.push_back("closed /sys/devices/system/cpu/*/thermal_throttle: " +
                    yes_or_no(are_throttles_closed()));
    for (const std::string path : read_only)
        facts.push_back("read-only " + path + ": " + yes_or_no(is_read_only(path)));
    for (const std::string path : levers)
        facts.push_back("opened to write " + path + ": " + yes_or_no(can_open(path)));
    facts.push_back("opened to write its control group: " +
                    yes_or_no(std::any_of(own_groups.begin(), own_groups.end(), can_open)));
}

}  // namespace stack::probe
