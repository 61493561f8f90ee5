#include "oci/features.h"

#include "engine/runtime/capabilities.h"
#include "engine/runtime/description.h"
#include "oci/description.h"

namespace stack::oci {
namespace {

Json mount_options() {
    Json names = {"async",
                  "bind",
                  "defaults",
                  "loud",
                  "nofail",
                  "noiversion",
                  "nomand",
                  "private",
                  "rbind",
                  "rprivate",
                  "rshared",
                  "rslave",
                  "runbindable",
                  "shared",
                  "silent",
                  "slave",
                  "tmpcopyup",
                  "unbindable"};
    for (const auto& name : mount_attribute_names()) {
        names.push_back(name);
        names.push_back("r" + name);
    }
    return names;
}

Json mount(const char* destination, const char* type, const char* source, const Json& options) {
    return {{"destination", destination}, {"type", type}, {"source", source}, {"options", options}};
}

Json example_mounts() {
    return {
        mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
        mount("/dev",
              "tmpfs",
              "tmpfs",
              {"nosuid", "noexec", "strictatime", "mode=755", "size=65536k"}),
        mount("/dev/pts",
              "devpts",
              "devpts",
              {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
        mount(
            "/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
        mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
        mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "ro"})};
}

Json example_process() {
    const Json capabilities = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
    return {
        {"terminal", true},
        {"user", {{"uid", 0}, {"gid", 0}}},
        {"args", {"sh"}},
        {"env",
         {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"}},
        {"cwd", "/"},
        {"capabilities",
         {{"bounding", capabilities}, {"effective", capabilities}, {"permitted", capabilities}}},
        {"rlimits", {{{"type", "RLIMIT_NOFILE"}, {"hard", 1024}, {"soft", 1024}}}},
        {"noNewPrivileges", true}};
}

}  // namespace

Json features() {
    Json config{{"ociVersionMin", oldest_version},
                {"ociVersionMax", newest_version},
                {"hooks", hook_names},
                {"mountOptions", mount_options()}};
    config["linux"] = {
        {"namespaces", namespace_types},
        {"capabilities", runtime::capability_names()},
        {"cgroup",
         {{"v1", true}, {"v2", true}, {"systemd", false}, {"systemdUser", false}, {"rdma", false}}},
        {"seccomp",
         {{"enabled", true},
          {"actions",
           {"SCMP_ACT_ALLOW",
            "SCMP_ACT_ERRNO",
            "SCMP_ACT_KILL",
            "SCMP_ACT_KILL_PROCESS",
            "SCMP_ACT_KILL_THREAD",
            "SCMP_ACT_LOG",
            "SCMP_ACT_TRACE",
            "SCMP_ACT_TRAP"}},
          {"operators",
           {"SCMP_CMP_NE",
            "SCMP_CMP_LT",
            "SCMP_CMP_LE",
            "SCMP_CMP_EQ",
            "SCMP_CMP_GE",
            "SCMP_CMP_GT",
            "SCMP_CMP_MASKED_EQ"}}}},
        {"apparmor", {{"enabled", false}}},
        {"selinux", {{"enabled", false}}},
        {"intelRdt", {{"enabled", false}}},
        {"mountExtensions", {{"idmap", {{"enabled", false}}}}}};
    return config;
}

Json example_config() {
    Json spaces = Json::array();
    for (const auto* type : {"pid", "network", "ipc", "uts", "mount", "cgroup"})
        spaces.push_back({{"type", type}});
    const Json everything{{"allow", false}, {"access", "rwm"}};
    return {{"ociVersion", "1.0.2"},
            {"process", example_process()},
            {"root", {{"path", "rootfs"}, {"readonly", true}}},
            {"hostname", "stack-oci"},
            {"mounts", example_mounts()},
            {"linux",
             {{"resources", {{"devices", Json::array({everything})}}},
              {"namespaces", spaces},
              {"maskedPaths", runtime::masked_paths()},
              {"readonlyPaths", runtime::read_only_paths()}}}};
}

}  // namespace stack::oci
