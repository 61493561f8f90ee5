#include "engine/runtime/sysctls.h"

#include <stack/error.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace stack::runtime {
namespace {

/// Beside net.* and fs.mqueue.*, which are namespaced as a whole (sysctl documentation of the
/// kernel; ipc_namespaces(7), uts_namespaces(7)).
constexpr std::array<std::string_view, 11> of_ipc{"kernel.msgmax",
                                                  "kernel.msgmnb",
                                                  "kernel.msgmni",
                                                  "kernel.msg_next_id",
                                                  "kernel.sem",
                                                  "kernel.sem_next_id",
                                                  "kernel.shmall",
                                                  "kernel.shmmax",
                                                  "kernel.shmmni",
                                                  "kernel.shm_next_id",
                                                  "kernel.shm_rmid_forced"};

/// The name becomes a path below /proc/sys.
bool is_plain(std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    });
}

std::vector<shim::SettingSpec> settings_for(const StringMap& wanted,
                                            const shim::Spec& spec,
                                            bool may_join) {
    std::vector<shim::SettingSpec> settings;
    for (const auto& [name, value] : wanted) {
        if (!is_plain(name) || value.find('\n') != std::string::npos)
            throw Error("sysctl " + name +
                        ": write it as in `net.core.somaxconn`, its value on one line");
        const auto* owner = sysctl_owner(name, spec);
        if (owner == nullptr)
            throw Error(
                "sysctl " + name +
                " is a setting of the whole machine, not of a container: set it on the host");
        if (owner->sharing == shim::Sharing::host ||
            (owner->sharing == shim::Sharing::joined && !may_join))
            throw Error("sysctl " + name +
                        " cannot be set: it belongs to a namespace that is shared");
        settings.push_back({name, value});
    }
    return settings;
}

}  // namespace

const shim::NamespaceSpec* sysctl_owner(std::string_view name, const shim::Spec& spec) {
    if (name.starts_with("net."))
        return &spec.network;
    if (name.starts_with("fs.mqueue.") ||
        std::find(of_ipc.begin(), of_ipc.end(), name) != of_ipc.end())
        return &spec.ipc;
    if (name == "kernel.domainname")
        return &spec.uts;
    return nullptr;
}

std::vector<shim::SettingSpec> exact_sysctls_for(const StringMap& wanted, const shim::Spec& spec) {
    return settings_for(wanted, spec, true);
}

std::vector<shim::SettingSpec> sysctls_for(const StringMap& wanted, const shim::Spec& spec) {
    const bool has_users = spec.user.sharing == shim::Sharing::own;
    const std::uint32_t last_group = has_users ? shim::ids_of_users - 1 : 2'147'483'647;
    std::vector<shim::SettingSpec> settings;
    if (spec.network.sharing == shim::Sharing::own)
        settings = {{"net.ipv4.ip_unprivileged_port_start", "0"},
                    {"net.ipv4.ping_group_range", "0 " + std::to_string(last_group)}};
    const auto more = settings_for(wanted, spec, false);
    settings.insert(settings.end(), more.begin(), more.end());
    return settings;
}

}  // namespace stack::runtime
