#include "oci/description.h"

#include "base/text.h"
#include "engine/runtime/sysctls.h"
#include "oci/process.h"
#include "oci/seccomp.h"

#include <algorithm>
#include <map>
#include <optional>

#include <sys/mount.h>
#include <sys/stat.h>

namespace stack::oci {
namespace {

struct Version {
    int major_number = 0;
    int minor_number = 0;
};

std::optional<Version> parse_version(const std::string& text) {
    const auto parts = split(text.substr(0, text.find_first_of("-+")), '.');
    if (parts.size() != 3)
        return std::nullopt;
    const auto major_number = parse_number<int>(parts[0]);
    const auto minor_number = parse_number<int>(parts[1]);
    if (!major_number || !minor_number || !parse_number<int>(parts[2]))
        return std::nullopt;
    return Version{*major_number, *minor_number};
}

void check_version(const Json& config) {
    const std::string text = text_of(config, "ociVersion");
    const auto version = parse_version(text);
    if (!version)
        throw Error("config.json: ociVersion is \"" + text + "\", not a version as in 1.0.2");
    if (version->major_number != 1)
        throw Error("config.json: version " + text +
                    " of the runtime-spec is not understood, but those from " + oldest_version +
                    " on");
}

shim::NamespaceSpec& namespace_of(shim::Spec& spec, const std::string& type) {
    if (type == "pid")
        return spec.pid;
    if (type == "network")
        return spec.network;
    if (type == "ipc")
        return spec.ipc;
    if (type == "uts")
        return spec.uts;
    if (type == "cgroup")
        return spec.cgroup;
    if (type == "mount")
        return spec.bundle.mount;
    if (type == "user")
        return spec.user;
    if (type == "time")
        throw not_supported("a time namespace");
    throw Error("config.json: linux.namespaces: there is no namespace \"" + type + "\"");
}

void set_namespaces(const Json& linux_part, shim::Spec& spec) {
    const shim::NamespaceSpec host{shim::Sharing::host, ""};
    for (const auto* type : namespace_types)
        namespace_of(spec, type) = host;
    for (const auto& one : field(linux_part, "namespaces")) {
        const std::string type = text_of(one, "type");
        shim::NamespaceSpec& space = namespace_of(spec, type);
        if (space.sharing != shim::Sharing::host)
            throw Error("config.json: linux.namespaces: " + type + " is there twice");
        space.path = text_of(one, "path");
        if (!space.path.empty() && !space.path.starts_with('/'))
            throw Error("config.json: linux.namespaces: " + space.path +
                        " is not an absolute path");
        space.sharing = space.path.empty() ? shim::Sharing::own : shim::Sharing::joined;
    }
    if (spec.bundle.mount.sharing == shim::Sharing::host)
        throw not_supported("a container without a mount namespace");
}

std::string id_map(const Json& linux_part, const char* key) {
    std::string map;
    for (const auto& one : field(linux_part, key))
        map += std::to_string(number_of<std::uint32_t>(one, "containerID").value_or(0)) + " " +
               std::to_string(number_of<std::uint32_t>(one, "hostID").value_or(0)) + " " +
               std::to_string(number_of<std::uint32_t>(one, "size").value_or(0)) + "\n";
    return map;
}

void set_users(const Json& linux_part, shim::Spec& spec) {
    spec.uid_map = id_map(linux_part, "uidMappings");
    spec.gid_map = id_map(linux_part, "gidMappings");
    const bool is_mapped = !spec.uid_map.empty() && !spec.gid_map.empty();
    if (spec.user.sharing == shim::Sharing::own && !is_mapped)
        throw Error("config.json: a new user namespace needs uidMappings and gidMappings");
    if (spec.user.sharing == shim::Sharing::host && !(spec.uid_map.empty() && spec.gid_map.empty()))
        throw Error("config.json: uidMappings and gidMappings need a user namespace");
}

std::uint64_t propagation_of(const std::string& name) {
    static const std::map<std::string, std::uint64_t> known{
        {"", 0},
        {"shared", MS_SHARED},
        {"slave", MS_SLAVE},
        {"private", MS_PRIVATE},
        {"unbindable", MS_UNBINDABLE},
        {"rshared", MS_SHARED | MS_REC},
        {"rslave", MS_SLAVE | MS_REC},
        {"rprivate", MS_PRIVATE | MS_REC},
        {"runbindable", MS_UNBINDABLE | MS_REC}};
    const auto found = known.find(name);
    if (found == known.end())
        throw Error("config.json: linux.rootfsPropagation: there is no \"" + name + "\"");
    return found->second;
}

std::vector<shim::NodeSpec> default_nodes() {
    std::vector<shim::NodeSpec> nodes;
    const auto add = [&](const char* path, std::uint32_t major_number, std::uint32_t minor_number) {
        nodes.push_back({path, S_IFCHR | 0666, major_number, minor_number, 0, 0});
    };
    add("/dev/null", 1, 3);
    add("/dev/zero", 1, 5);
    add("/dev/full", 1, 7);
    add("/dev/random", 1, 8);
    add("/dev/urandom", 1, 9);
    add("/dev/tty", 5, 0);
    return nodes;
}

std::uint32_t kind_of(const std::string& type) {
    if (type == "c" || type == "u")
        return S_IFCHR;
    if (type == "b")
        return S_IFBLK;
    if (type == "p")
        return S_IFIFO;
    throw Error("config.json: linux.devices: \"" + type + "\" is not a type of device");
}

shim::NodeSpec node_of(const Json& device) {
    constexpr std::uint32_t everybody = 0666;
    constexpr std::uint32_t permissions = 07777;
    shim::NodeSpec node;
    node.path = text_of(device, "path");
    if (!node.path.starts_with('/'))
        throw Error("config.json: linux.devices: \"" + node.path + "\" is not an absolute path");
    node.mode = kind_of(text_of(device, "type")) |
                (number_of<std::uint32_t>(device, "fileMode").value_or(everybody) & permissions);
    node.major_number = number_of<std::uint32_t>(device, "major").value_or(0);
    node.minor_number = number_of<std::uint32_t>(device, "minor").value_or(0);
    node.uid = number_of<std::uint32_t>(device, "uid").value_or(0);
    node.gid = number_of<std::uint32_t>(device, "gid").value_or(0);
    return node;
}

/// One of the bundle's takes the place of a default one. A /dev of the host's has its own.
void set_nodes(const Json& linux_part, shim::Spec& spec) {
    for (const auto& mount : spec.mounts)
        if (mount.target == "/dev" && mount.kind == shim::MountKind::exact_bind)
            return;
    for (const auto& device : field(linux_part, "devices"))
        spec.bundle.nodes.push_back(node_of(device));
    for (auto& node : default_nodes())
        if (std::none_of(spec.bundle.nodes.begin(),
                         spec.bundle.nodes.end(),
                         [&](const auto& other) { return other.path == node.path; }))
            spec.bundle.nodes.push_back(std::move(node));
}

void set_root(const Bundle& bundle, shim::Spec& spec) {
    const Json& root = field(bundle.config, "root");
    const std::string path = text_of(root, "path");
    if (path.empty())
        throw Error("config.json: root.path names no root file system");
    spec.bundle.root = path.starts_with('/') ? path : bundle.directory + "/" + path;
    spec.read_only = flag_of(root, "readonly") ? 1 : 0;
}

void set_host(const Json& config, shim::Spec& spec) {
    spec.hostname = text_of(config, "hostname");
    spec.domainname = text_of(config, "domainname");
    if (spec.uts.sharing == shim::Sharing::host &&
        !(spec.hostname.empty() && spec.domainname.empty()))
        throw Error("config.json: hostname and domainname need a uts namespace");
}

void set_state(const Bundle& bundle, shim::Spec& spec) {
    Json annotations = field(bundle.config, "annotations");
    if (annotations.is_null())
        annotations = Json::object();
    spec.bundle.state_head = "{\"ociVersion\":" + field(bundle.config, "ociVersion").dump() +
                             ",\"id\":" + Json(bundle.id).dump() + ",\"status\":\"";
    spec.bundle.state_tail = ",\"bundle\":" + Json(bundle.directory).dump() +
                             ",\"annotations\":" + annotations.dump() + "}";
}

void refuse_unsupported(const Json& linux_part, Strings& warnings) {
    for (const auto* key : {"intelRdt", "personality", "timeOffsets", "netDevices", "memoryPolicy"})
        if (!field(linux_part, key).is_null())
            throw not_supported("linux." + std::string(key));
    if (!text_of(linux_part, "mountLabel").empty())
        warnings.emplace_back("linux.mountLabel has no effect: stack-oci applies no such label");
}

}  // namespace

void check_config(const Json& config) {
    if (!config.is_object())
        throw Error("config.json is not an object");
    check_version(config);
    for (const auto* key : {"process", "root"})
        if (!field(config, key).is_object())
            throw Error("config.json has no " + std::string(key));
    for (const auto* platform : {"windows", "vm", "solaris", "zos"})
        if (!field(config, platform).is_null())
            throw not_supported("config.json: " + std::string(platform));
    for (const auto* name : hook_names)
        static_cast<void>(hooks_for(config, name));
}

std::vector<shim::HookSpec> hooks_for(const Json& config, const char* name) {
    std::vector<shim::HookSpec> hooks;
    for (const auto& one : field(field(config, "hooks"), name)) {
        shim::HookSpec hook;
        hook.path = text_of(one, "path");
        if (!hook.path.starts_with('/'))
            throw Error("config.json: hooks." + std::string(name) + ": \"" + hook.path +
                        "\" is not an absolute path");
        hook.arguments = texts_of(one, "args");
        hook.environment = texts_of(one, "env");
        if (const auto timeout = number_of<std::uint32_t>(one, "timeout")) {
            if (*timeout == 0)
                throw Error("config.json: hooks." + std::string(name) +
                            ": a timeout is at least one second");
            hook.timeout = *timeout;
        }
        hooks.push_back(std::move(hook));
    }
    return hooks;
}

std::string group_of(const Bundle& bundle) {
    const std::string path = text_of(field(bundle.config, "linux"), "cgroupsPath");
    Strings parts;
    for (auto& part : split(path, '/')) {
        if (part == "..")
            throw Error("config.json: linux.cgroupsPath is \"" + path +
                        "\", which leads elsewhere");
        if (!part.empty() && part != ".")
            parts.push_back(std::move(part));
    }
    return parts.empty() ? "stack-oci/" + bundle.id : join(parts, "/");
}

shim::Spec describe(const Bundle& bundle, const GroupDirectories& groups, Strings& warnings) {
    const Json& config = bundle.config;
    const Json& linux_part = field(config, "linux");
    refuse_unsupported(linux_part, warnings);
    shim::Spec spec;
    spec.id = bundle.id;
    spec.name = bundle.id;
    spec.process = process_for(field(config, "process"), warnings);
    spec.process.seccomp = filter_for(field(linux_part, "seccomp"), warnings);
    set_root(bundle, spec);
    set_namespaces(linux_part, spec);
    set_users(linux_part, spec);
    set_host(config, spec);
    add_mounts(field(config, "mounts"), bundle.directory, groups, spec);
    set_nodes(linux_part, spec);
    for (auto& path : texts_of(linux_part, "readonlyPaths"))
        spec.read_only_paths.push_back(std::move(path));
    spec.masked_paths = texts_of(linux_part, "maskedPaths");
    spec.bundle.propagation = propagation_of(text_of(linux_part, "rootfsPropagation"));
    spec.sysctls = runtime::exact_sysctls_for(map_of(linux_part, "sysctl"), spec);
    spec.bundle.create_hooks = hooks_for(config, "createContainer");
    spec.bundle.start_hooks = hooks_for(config, "startContainer");
    set_state(bundle, spec);
    return spec;
}

}  // namespace stack::oci
