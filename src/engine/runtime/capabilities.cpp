#include "engine/runtime/capabilities.h"

#include <stack/error.h>

#include "base/text.h"

#include <array>

namespace stack::runtime {
namespace {

/// In the order of their numbers (linux/capability.h).
constexpr std::array<const char*, 41> names{"chown",
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

constexpr std::uint64_t every = (std::uint64_t{1} << names.size()) - 1;

/// All fourteen, so that what runs under Docker runs here. Of the three that podman leaves out,
/// MKNOD makes only what the guard of devices allows, and NET_RAW ends at the container's own
/// interfaces.
constexpr std::array<const char*, 14> docker_default{"chown",
                                                     "dac_override",
                                                     "fsetid",
                                                     "fowner",
                                                     "mknod",
                                                     "net_raw",
                                                     "setgid",
                                                     "setuid",
                                                     "setfcap",
                                                     "setpcap",
                                                     "net_bind_service",
                                                     "sys_chroot",
                                                     "kill",
                                                     "audit_write"};

std::uint64_t bit_of(const std::string& name) {
    std::string lower = to_lower(name);
    if (lower.starts_with("cap_"))
        lower.erase(0, 4);
    if (lower == "all")
        return every;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (lower == names[i])
            return std::uint64_t{1} << i;
    const std::string meant = closest(lower, {names.begin(), names.end()});
    throw Error("there is no capability " + name +
                (meant.empty() ? "" : "; did you mean " + meant + "?"));
}

std::uint64_t bits_of(const auto& list) {
    std::uint64_t bits = 0;
    for (const auto& name : list)
        bits |= bit_of(name);
    return bits;
}

}  // namespace

Strings capability_names() {
    Strings list;
    for (const std::string name : names) {
        std::string upper = "CAP_";
        for (const char c : name)
            upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        list.push_back(std::move(upper));
    }
    return list;
}

std::uint64_t capabilities_for(const Strings& add, const Strings& drop, bool privileged) {
    if (privileged)
        return every;
    const std::uint64_t added = bits_of(add);
    const std::uint64_t dropped = bits_of(drop);
    // `cap_drop: [ALL]` with `cap_add: [X]` leaves X: dropping everything comes first, a single
    // name last.
    if (dropped == every)
        return added == every ? every : added;
    return (bits_of(docker_default) | added) & ~dropped;
}

}  // namespace stack::runtime
