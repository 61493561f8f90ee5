#include "tests/probe/facts.h"

#include <array>
#include <charconv>
#include <cstdint>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace stack::probe {
namespace {

constexpr std::array<const char*, 41> capability_names{"chown",
                                                       "dac_override",
                                                       "dac_read_search",
                                                       "fowner",
                                                       "fsetid",
                                                       "kill",
                                                       "setgid",
                                                       "setuid",
                                                       "setpcap",
                                                       "linux_immutable",
                                                       "net_bind_service",
                                                       "net_broadcast",
                                                       "net_admin",
                                                       "net_raw",
                                                       "ipc_lock",
                                                       "ipc_owner",
                                                       "sys_module",
                                                       "sys_rawio",
                                                       "sys_chroot",
                                                       "sys_ptrace",
                                                       "sys_pacct",
                                                       "sys_admin",
                                                       "sys_boot",
                                                       "sys_nice",
                                                       "sys_resource",
                                                       "sys_time",
                                                       "sys_tty_config",
                                                       "mknod",
                                                       "lease",
                                                       "audit_write",
                                                       "audit_control",
                                                       "setfcap",
                                                       "mac_override",
                                                       "mac_admin",
                                                       "syslog",
                                                       "wake_alarm",
                                                       "block_suspend",
                                                       "audit_read",
                                                       "perfmon",
                                                       "bpf",
                                                       "checkpoint_restore"};

/// By their names; "all" that the host has.
std::string capabilities(const Host& host, const std::string& field) {
    const std::string digits = status_field(field);
    const auto hosts = host.find("capabilities");
    if (hosts != host.end() && hosts->second == digits)
        return "all";
    std::uint64_t set = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), set, 16);
    std::string list;
    for (std::size_t i = 0; i < capability_names.size(); ++i)
        if ((set >> i & 1U) != 0)
            list += (list.empty() ? "" : " ") + std::string(capability_names[i]);
    return list.empty() ? "none" : list;
}

struct LimitName {
    const char* name;
    int number;
};

constexpr std::array<LimitName, 16> limits{{{"as", RLIMIT_AS},
                                            {"core", RLIMIT_CORE},
                                            {"cpu", RLIMIT_CPU},
                                            {"data", RLIMIT_DATA},
                                            {"fsize", RLIMIT_FSIZE},
                                            {"locks", RLIMIT_LOCKS},
                                            {"memlock", RLIMIT_MEMLOCK},
                                            {"msgqueue", RLIMIT_MSGQUEUE},
                                            {"nice", RLIMIT_NICE},
                                            {"nofile", RLIMIT_NOFILE},
                                            {"nproc", RLIMIT_NPROC},
                                            {"rss", RLIMIT_RSS},
                                            {"rtprio", RLIMIT_RTPRIO},
                                            {"rttime", RLIMIT_RTTIME},
                                            {"sigpending", RLIMIT_SIGPENDING},
                                            {"stack", RLIMIT_STACK}}};

/// As the host has it, or the soft one: hard ones cannot be raised by everyone who starts us.
std::string limit_text(const Host& host, const LimitName& name) {
    rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource>(name.number), &limit);
    const auto hosts = host.find(name.name);
    if (hosts != host.end() && hosts->second == std::to_string(limit.rlim_cur))
        return "the host's";
    return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
}

std::string seccomp_mode() {
    const std::string mode = status_field("Seccomp");
    const std::string count = status_field("Seccomp_filters");
    if (mode != "2")
        return "none";
    return count.empty() ? "1" : count;
}

}  // namespace

void tell_rights(const Host& host, Facts& facts) {
    facts.push_back("user: " + status_field("Uid"));
    facts.push_back("group: " + status_field("Gid"));
    facts.push_back("groups: " + status_field("Groups"));
    for (const auto& [name, field] : {std::pair{"bounding", "CapBnd"},
                                      {"permitted", "CapPrm"},
                                      {"effective", "CapEff"},
                                      {"inheritable", "CapInh"},
                                      {"ambient", "CapAmb"}})
        facts.push_back("capabilities, " + std::string(name) + ": " + capabilities(host, field));
    facts.push_back("secure bits: " + std::to_string(::prctl(PR_GET_SECUREBITS, 0, 0, 0, 0)));
    facts.push_back("no new privileges: " + status_field("NoNewPrivs"));
    facts.push_back("system call filters: " + seccomp_mode());
    std::string score = read_file("/proc/self/oom_score_adj");
    facts.push_back("oom score adjustment: " + score.substr(0, score.find('\n')));
    const mode_t mask = ::umask(0);
    ::umask(mask);
    std::array<char, 8> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), mask, 8).ptr;
    facts.push_back("umask: " + std::string(digits.data(), end));
    for (const auto& limit : limits)
        facts.push_back("limit " + std::string(limit.name) + ": " + limit_text(host, limit));
}

}  // namespace stack::probe
