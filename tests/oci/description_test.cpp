// From config.json to what the helper is told: tables, without a kernel.

#include "oci/description.h"

#include "engine/runtime/capabilities.h"
#include "oci/features.h"
#include "shim/hook.h"

#include <gtest/gtest.h>
#include <linux/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace stack::oci {
namespace {

Json smallest() {
    return Json::parse(R"({
        "ociVersion": "1.0.2",
        "process": {"args": ["sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
        "root": {"path": "rootfs"},
        "linux": {"namespaces": [{"type": "mount"}]}})");
}

shim::Spec described(const Json& config, Strings* warnings = nullptr) {
    Strings own;
    check_config(config);
    return describe({"c1", "/bundle", config}, {}, warnings == nullptr ? own : *warnings);
}

Json with(const char* patch) {
    Json config = smallest();
    config.merge_patch(Json::parse(patch));
    return config;
}

TEST(OciDescription, HasWhatTheBundleSaysAndNoMore) {
    const auto spec = described(smallest());
    EXPECT_EQ(spec.bundle.root, "/bundle/rootfs");
    EXPECT_EQ(spec.process.arguments, Strings{"sh"});
    EXPECT_EQ(spec.process.user, "0:0");
    EXPECT_EQ(spec.process.exact_sets.bounding, 0U);
    EXPECT_EQ(spec.process.umask, 0022U);
    EXPECT_TRUE(spec.process.seccomp.empty());
    EXPECT_TRUE(spec.mounts.empty());
    EXPECT_TRUE(spec.masked_paths.empty());
    EXPECT_TRUE(spec.sysctls.empty());
    EXPECT_EQ(spec.pid.sharing, shim::Sharing::host);
    EXPECT_EQ(spec.network.sharing, shim::Sharing::host);
    EXPECT_EQ(spec.bundle.mount.sharing, shim::Sharing::own);
    EXPECT_EQ(spec.bundle.nodes.size(), 6U);
}

TEST(OciDescription, HasTheProcess) {
    const auto spec = described(with(R"({"process": {
        "env": ["A=b"], "noNewPrivileges": true, "oomScoreAdj": 100, "terminal": true,
        "consoleSize": {"height": 24, "width": 80},
        "user": {"uid": 5, "gid": 6, "additionalGids": [7, 8], "umask": 63},
        "capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"], "ambient": ["CAP_KILL"]},
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 18446744073709551615}]}})"));
    EXPECT_EQ(spec.process.user, "5:6");
    EXPECT_EQ(spec.process.groups, (Strings{"7", "8"}));
    EXPECT_EQ(spec.process.umask, 077U);
    EXPECT_EQ(spec.process.exact_sets.bounding, 1U << 5U | 1U);
    EXPECT_EQ(spec.process.exact_sets.ambient, 1U << 5U);
    EXPECT_EQ(spec.process.exact_sets.effective, 0U);
    ASSERT_EQ(spec.process.limits.size(), 1U);
    EXPECT_EQ(spec.process.limits[0].resource, std::uint32_t{RLIMIT_NOFILE});
    EXPECT_EQ(spec.process.limits[0].hard, RLIM_INFINITY);
    EXPECT_EQ(spec.process.columns, 80U);
    EXPECT_EQ(spec.process.oom_score_adj, 100);
    EXPECT_EQ(spec.process.no_new_privileges, 1U);
}

TEST(OciDescription, JoinsMakesAndSharesNamespaces) {
    const auto spec = described(with(R"({"hostname": "h", "linux": {"namespaces": [
        {"type": "mount"}, {"type": "uts"}, {"type": "network", "path": "/run/netns/a"},
        {"type": "user"}],
        "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
        "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 10}]}})"));
    EXPECT_EQ(spec.network.path, "/run/netns/a");
    EXPECT_EQ(spec.network.sharing, shim::Sharing::joined);
    EXPECT_EQ(spec.uts.sharing, shim::Sharing::own);
    EXPECT_EQ(spec.ipc.sharing, shim::Sharing::host);
    EXPECT_EQ(spec.user.sharing, shim::Sharing::own);
    EXPECT_EQ(spec.uid_map, "0 1000 10\n");
    EXPECT_EQ(spec.gid_map, "0 2000 10\n");
}

TEST(OciDescription, HasHooksWithTheirState) {
    const Json config = with(R"({"annotations": {"a": "b"}, "hooks": {
        "createContainer": [{"path": "/bin/true", "args": ["true", "x"], "timeout": 3}],
        "poststop": [{"path": "/bin/a"}, {"path": "/bin/b"}]}})");
    const auto spec = described(config);
    ASSERT_EQ(spec.bundle.create_hooks.size(), 1U);
    EXPECT_EQ(spec.bundle.create_hooks[0].timeout, 3U);
    EXPECT_EQ(hooks_for(config, "poststop").size(), 2U);
    const auto state = Json::parse(shim::hook_state(spec.bundle, "created", 7));
    EXPECT_EQ(state,
              Json::parse(R"({"ociVersion": "1.0.2", "id": "c1", "status": "created", "pid": 7,
                              "bundle": "/bundle", "annotations": {"a": "b"}})"));
}

TEST(OciDescription, MakesDevices) {
    const auto spec = described(with(R"({"linux": {"devices": [
        {"path": "/dev/pipe", "type": "p", "fileMode": 432},
        {"path": "/dev/null", "type": "c", "major": 1, "minor": 5, "gid": 3}]}})"));
    ASSERT_EQ(spec.bundle.nodes.size(), 7U);
    EXPECT_EQ(spec.bundle.nodes[0].mode, S_IFIFO | 0660U);
    EXPECT_EQ(spec.bundle.nodes[1].minor_number, 5U);
    EXPECT_EQ(spec.bundle.nodes[1].gid, 3U);
    const auto hosts = described(with(R"({"mounts": [
        {"destination": "/dev", "type": "bind", "source": "/dev"}]})"));
    EXPECT_TRUE(hosts.bundle.nodes.empty());
}

TEST(OciDescription, PlacesItsGroup) {
    const auto group = [](const char* path) {
        Json config = smallest();
        config["linux"]["cgroupsPath"] = path;
        return group_of({"c1", "/bundle", config});
    };
    EXPECT_EQ(group(""), "stack-oci/c1");
    EXPECT_EQ(group("/a//b/"), "a/b");
    EXPECT_EQ(group("a"), "a");
    EXPECT_THROW(static_cast<void>(group("/a/../../b")), Error);
}

TEST(OciDescription, CompilesAFilter) {
    const auto spec = described(with(R"({"linux": {"seccomp": {
        "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
        "syscalls": [
            {"names": ["getcwd", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
            {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [
                {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"},
                {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]}]}}})"));
    EXPECT_FALSE(spec.process.seccomp.empty());
}

TEST(OciDescription, RefusesWhatItCannotDo) {
    const std::vector<std::pair<const char*, const char*>> table{
        {R"({"ociVersion": "2.0.0"})", "version 2.0.0 of the runtime-spec"},
        {R"({"ociVersion": "x"})", "ociVersion is \"x\""},
        {R"({"process": null})", "has no process"},
        {R"({"process": {"args": []}})", "names no program"},
        {R"({"process": {"cwd": "a"}})", "process.cwd is \"a\""},
        {R"({"process": {"args": [1]}})", "args is not text"},
        {R"({"process": {"user": {"uid": -1}}})", "uid is -1"},
        {R"({"process": {"rlimits": [{"type": "RLIMIT_TEST"}]}})", "no resource limit"},
        {R"({"process": {"rlimits": [{"type": "RLIMIT_CPU"}, {"type": "RLIMIT_CPU"}]}})", "twice"},
        {R"({"process": {"scheduler": {}}})", "process.scheduler is not supported"},
        {R"({"root": {"path": ""}})", "root.path"},
        {R"({"hostname": "h"})", "need a uts namespace"},
        {R"({"linux": {"namespaces": []}})", "without a mount namespace is not supported"},
        {R"({"linux": {"namespaces": [{"type": "mount"}, {"type": "mount"}]}})", "twice"},
        {R"({"linux": {"namespaces": [{"type": "cat"}]}})", "no namespace \"cat\""},
        {R"({"linux": {"namespaces": [{"type": "mount"}, {"type": "user"}]}})",
         "needs uidMappings"},
        {R"({"linux": {"rootfsPropagation": "x"}})", "rootfsPropagation"},
        {R"({"linux": {"intelRdt": {}}})", "linux.intelRdt is not supported"},
        {R"({"linux": {"sysctl": {"kernel.panic": "1"}}})", "the whole machine"},
        {R"({"linux": {"sysctl": {"net.core.somaxconn": "1"}}})", "shared"},
        {R"({"linux": {"devices": [{"path": "/dev/x", "type": "z"}]}})", "not a type of device"},
        {R"({"linux": {"seccomp": {"defaultAction": "x"}}})", "no action"},
        {R"({"linux": {"seccomp": {"defaultAction": "SCMP_ACT_NOTIFY"}}})", "not supported"},
        {R"({"hooks": {"prestart": [{"path": "x"}]}})", "not an absolute path"},
        {R"({"mounts": [{"destination": "/x"}]})", "no type"},
        {R"({"mounts": [{"destination": "/x", "type": "bind"}]})", "no source"},
        {R"({"mounts": [{"destination": "/x", "source": "/", "options": ["bind", "idmap"]}]})",
         "not supported"}};
    for (const auto& [patch, expected] : table) {
        try {
            static_cast<void>(described(with(patch)));
            ADD_FAILURE() << patch << " was taken";
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(expected), std::string::npos)
                << patch << ": " << error.what();
        }
    }
}

TEST(OciDescription, WarnsOfWhatHasNoEffect) {
    Strings warnings;
    static_cast<void>(described(with(R"({"process": {"apparmorProfile": "p", "selinuxLabel": "l",
        "capabilities": {"bounding": ["CAP_FLY"]}}, "linux": {"mountLabel": "m"}})"),
                                &warnings));
    EXPECT_EQ(warnings.size(), 4U);
}

TEST(OciMount, HasItsOptions) {
    const auto mount = [](const char* options) {
        return mount_for({{"destination", "/a/../b"},
                          {"type", "bind"},
                          {"source", "data"},
                          {"options", Json::parse(options)}},
                         "/bundle");
    };
    const auto plain = mount(R"(["bind", "ro", "nosuid", "suid", "rprivate", "rnoexec"])");
    EXPECT_EQ(plain.kind, shim::MountKind::exact_bind);
    EXPECT_EQ(plain.target, "/b");
    EXPECT_EQ(plain.source, "/bundle/data");
    EXPECT_EQ(plain.is_recursive, 0U);
    EXPECT_EQ(plain.propagation, "rprivate");
    EXPECT_EQ(plain.attributes_set, std::uint64_t{MOUNT_ATTR_RDONLY});
    EXPECT_EQ(plain.attributes_cleared, std::uint64_t{MOUNT_ATTR_NOSUID});
    EXPECT_EQ(plain.tree_attributes_set, std::uint64_t{MOUNT_ATTR_NOEXEC});
    EXPECT_EQ(mount(R"(["rbind", "noatime"])").attributes_cleared,
              std::uint64_t{MOUNT_ATTR__ATIME});
}

TEST(OciMount, PassesOnWhatItsTypeUnderstands) {
    const auto mount = mount_for({{"destination", "/t"},
                                  {"type", "tmpfs"},
                                  {"source", "tmpfs"},
                                  {"options", {"size=1k", "mode=755", "nodev", "tmpcopyup"}}},
                                 "/bundle");
    EXPECT_EQ(mount.kind, shim::MountKind::filesystem);
    EXPECT_EQ(mount.options, "size=1k,mode=755");
    EXPECT_EQ(mount.copies_up, 1U);
}

TEST(OciMount, OfGroupsShowsThoseOfTheContainer) {
    const Json mounts = Json::parse(
        R"([{"destination": "/sys/fs/cgroup", "type": "cgroup", "options": ["nodev", "ro"]}])");
    shim::Spec hybrid;
    add_mounts(mounts, "/bundle", {{"memory", "/g/memory/x"}, {"unified", "/g/unified/x"}}, hybrid);
    ASSERT_EQ(hybrid.mounts.size(), 3U);
    EXPECT_EQ(hybrid.mounts[0].type, "tmpfs");
    EXPECT_EQ(hybrid.mounts[1].source, "/g/memory/x");
    EXPECT_EQ(hybrid.mounts[1].target, "/sys/fs/cgroup/memory");
    EXPECT_EQ(hybrid.read_only_paths, Strings{"/sys/fs/cgroup"});
    shim::Spec v2;
    add_mounts(mounts, "/bundle", {{"", "/g/x"}}, v2);
    ASSERT_EQ(v2.mounts.size(), 1U);
    EXPECT_EQ(v2.mounts[0].kind, shim::MountKind::filesystem);
    EXPECT_EQ(v2.mounts[0].type, "cgroup2");
    shim::Spec of_host;
    of_host.cgroup.sharing = shim::Sharing::host;
    add_mounts(mounts, "/bundle", {{"", "/g/x"}}, of_host);
    EXPECT_EQ(of_host.mounts[0].source, "/g/x");
}

TEST(OciFeatures, AreThoseOfTheExample) {
    const Json config = example_config();
    EXPECT_NO_THROW(static_cast<void>(described(config)));
    EXPECT_EQ(features()["hooks"].size(), 6U);
    EXPECT_EQ(runtime::capability_names().front(), "CAP_CHOWN");
}

}  // namespace
}  // namespace stack::oci
