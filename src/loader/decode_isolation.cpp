// isolation: what a container may do, and what it sees of others.

#include "base/device_rule.h"
#include "base/text.h"
#include "loader/decode.h"
#include "loader/short_syntax.h"
#include "model/cdi.h"

#include <algorithm>
#include <utility>

namespace stack::loader {
namespace {

void check_permissions(const Node& node, const std::string& permissions, Reporter& reporter) {
    if (permissions.empty() || permissions.find_first_not_of("rwm") != std::string::npos)
        reporter.error(node.at,
                       "malformed",
                       "the permissions of a device are letters of `rwm`, not \"" +
                           shortened(permissions) + "\"");
}

std::vector<Device> decode_devices(const Node& node, Reporter& reporter) {
    std::vector<Device> devices;
    for (const auto& item : node.items) {
        if (item.is_mapping()) {
            Object object(item, "a device", reporter);
            Device device;
            object.text("source", device.source);
            object.text("target", device.target);
            object.text("permissions", device.permissions);
            check_permissions(item, device.permissions, reporter);
            devices.push_back(std::move(device));
            continue;
        }
        const std::string text = text_of(item, "a device", reporter);
        if (is_cdi_name(text)) {
            devices.push_back({text, text});
            continue;
        }
        const auto parsed = parse_device(text);
        if (parsed) {
            check_permissions(item, parsed->permissions, reporter);
            devices.push_back(*parsed);
        } else {
            reporter.malformed(item, "device", parsed.error());
        }
    }
    return devices;
}

bool is_one_of_security_options(const std::string& name) {
    static const Strings known{
        "no-new-privileges", "seccomp", "systempaths", "apparmor", "label", "credentialspec"};
    return std::find(known.begin(), known.end(), name) != known.end();
}

/// They are given in two ways: `seccomp=unconfined`, `seccomp:unconfined`.
void check_security_options(const Node& list, Reporter& reporter) {
    for (const auto& item : list.items) {
        const auto separator = item.value.find_first_of("=:");
        const std::string name = item.value.substr(0, separator);
        const std::string value =
            separator == std::string::npos ? "" : item.value.substr(separator + 1);
        if (name == "seccomp" && value.empty())
            reporter.error(item.at,
                           "malformed",
                           "`seccomp` needs the file of a profile",
                           "leave it out for the default profile, or write seccomp=unconfined "
                           "for none");
        else if ((name == "apparmor" && value != "unconfined") ||
                 (name == "label" && value != "disable"))
            reporter.warning(item.at, "ignored", "`" + name + "` has no effect here");
        else if (name == "no-new-privileges" && !value.empty() && value != "true" &&
                 value != "false")
            reporter.error(item.at, "malformed", "`no-new-privileges` is true or false");
        else if (name == "systempaths" && value != "unconfined")
            reporter.error(item.at, "malformed", "`systempaths` can be unconfined, or left out");
        else if (!is_one_of_security_options(name))
            reporter.error(item.at,
                           "malformed",
                           "`" + shortened(item.value) + "` is no security option",
                           "known are no-new-privileges, seccomp, systempaths, apparmor and label");
    }
}

/// Whose namespace it is in: one of `modes`, or that of another container.
void decode_mode(Object& object, const char* key, std::string& mode, Strings modes) {
    const Node* node = object.take(key);
    object.text(key, mode);
    const auto [lender, name] = split_once(mode, ':');
    if (mode.empty() || (!name.empty() && (lender == "service" || lender == "container")))
        return;
    modes.insert(modes.end(), {"service:NAME", "container:NAME"});
    check_choice(*node, "`" + std::string(key) + "`", modes, object.reporter);
}

void decode_namespaces(Object& object, Service& service) {
    decode_mode(object, "pid", service.pid, {"host", "private"});
    decode_mode(object, "ipc", service.ipc, {"host", "private", "shareable", "none"});
    decode_mode(object, "uts", service.uts, {"host", "private"});
    object.choice("cgroup", service.cgroup, {"host", "private"});
    object.choice("userns_mode", service.userns_mode, {"host", "private", "auto"});
    if (service.userns_mode == "auto")  // podman's word
        service.userns_mode = "private";
}

constexpr std::uint64_t last_own_user = 65'535;

/// Names are the image's matter.
bool is_beyond_own_users(const std::string& id) {
    return parse_number<std::uint64_t>(id).value_or(0) > last_own_user;
}

bool is_others(const std::string& mode) {
    return mode == "host" || mode.starts_with("service:") || mode.starts_with("container:");
}

/// Of what belongs to others, users of a container's own may change and mount nothing.
void check_users(Object& object, const Service& service) {
    if (service.userns_mode != "private")
        return;
    const auto refuse = [&](const char* key, const std::string& value, const char* advice) {
        object.reporter.error(object.node().find(key)->at,
                              "conflict",
                              "`" + std::string(key) + "` (" + shortened(value) +
                                  ") and `userns_mode` (private) exclude each other",
                              advice,
                              {{"the users are here", object.node().find("userns_mode")->at}});
    };
    if (service.privileged)
        refuse("privileged", "true", "who has users of its own has no rights over the machine");
    const std::pair<const char*, const std::string*> modes[] = {
        {"network_mode", &service.network_mode},
        {"pid", &service.pid},
        {"ipc", &service.ipc},
        {"uts", &service.uts},
        {"cgroup", &service.cgroup}};
    for (const auto& [key, mode] : modes)
        if (is_others(*mode))
            refuse(key, *mode, "its users would have no rights there: leave one of the two out");
    constexpr const char* advice = "its users have the numbers from 0 to 65535";
    const auto [user, group] = split_once(service.user, ':');
    if (is_beyond_own_users(user) || is_beyond_own_users(group))
        refuse("user", service.user, advice);
    for (const auto& [key, files] :
         {std::pair{"secrets", &service.secrets}, std::pair{"configs", &service.configs}})
        for (const auto& file : *files)
            for (const auto& id : {file.uid, file.gid})
                if (is_beyond_own_users(id))
                    refuse(key, file.source + " for " + id, advice);
}

}  // namespace

void decode_isolation(Object& object, Service& service) {
    object.boolean("privileged", service.privileged);
    object.list("cap_add", service.cap_add);
    object.list("cap_drop", service.cap_drop);
    object.list("security_opt", service.security_opt);
    if (const Node* options = object.take("security_opt"))
        check_security_options(*options, object.reporter);
    if (const Node* devices = object.take("devices"))
        service.devices = decode_devices(*devices, object.reporter);
    object.list("device_cgroup_rules", service.device_cgroup_rules);
    if (const Node* rules = object.take("device_cgroup_rules"))
        for (const auto& item : rules->items)
            if (const auto rule = parse_device_rule(item.value); !rule)
                object.reporter.malformed(item, "device rule", rule.error());
    if (const Node* limits = object.take("ulimits"))
        service.ulimits = decode_ulimits(*limits, object.reporter);
    object.map("sysctls", service.sysctls);
    decode_namespaces(object, service);
    object.text("cgroup_parent", service.cgroup_parent);
    object.text("runtime", service.runtime);
    check_users(object, service);
    object.number("oom_score_adj", service.oom_score_adj, {-1000, 1000});
    if (const Node* gpus = object.take("gpus"))
        decode_gpus(*gpus, service, object.reporter);
}

}  // namespace stack::loader
