// What a program sees from inside: rights, files, descriptors; the same for commands that join.

#include <stack/error.h>

#include "base/text.h"
#include "sys/file.h"
#include "tests/runtime/bed.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::runtime {
namespace {

using test::Bed;
using test::script;

constexpr const char* show_rights =
    "grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | tr "
    "'\\t' ' '";

constexpr const char* default_rights =
    "CapInh: 0000000000000000\nCapPrm: 00000000a80425fb\nCapEff: 00000000a80425fb\n"
    "CapBnd: 00000000a80425fb\nCapAmb: 0000000000000000\nNoNewPrivs: 0\nSeccomp: 2\n";

Service sleeper() {
    return script("echo up; exec sleep 1000");
}

TEST(Rights, AreDockersByDefault) {
    Bed bed;
    EXPECT_EQ(bed.output_of(script(show_rights)), default_rights);
}

TEST(Rights, OfAUserAreNone) {
    Bed bed;
    auto service = script(show_rights);
    service.user = "web";
    EXPECT_EQ(bed.output_of(service),
              "CapInh: 0000000000000000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\n"
              "CapBnd: 00000000a80425fb\nCapAmb: 0000000000000000\nNoNewPrivs: 0\nSeccomp: 2\n");
}

TEST(Rights, CanBeFewer) {
    Bed bed;
    auto service = script(show_rights);
    service.cap_drop = {"ALL"};
    service.cap_add = {"NET_BIND_SERVICE"};
    service.security_opt = {"no-new-privileges:true"};
    EXPECT_EQ(bed.output_of(service),
              "CapInh: 0000000000000000\nCapPrm: 0000000000000400\nCapEff: 0000000000000400\n"
              "CapBnd: 0000000000000400\nCapAmb: 0000000000000000\nNoNewPrivs: 1\nSeccomp: 2\n");
}

TEST(Rights, OfACommandThatJoinsAreTheContainers) {
    Bed bed;
    const auto id = bed.create(sleeper());
    bed.start(id);
    EXPECT_EQ(bed.exec(id, {.command = {"sh", "-c", show_rights}}).output, default_rights);
}

TEST(Rights, DoNotHoldTheEnginesShareOfLuckWhenMemoryRunsOut) {
    Bed bed;
    const char* own_score = "/proc/self/oom_score_adj";
    const std::string before = *sys::read_file(own_score);
    sys::write_existing(own_score, "100");  // as the supervisor's is another one
    auto service = sleeper();
    const auto id = bed.create(service);
    bed.start(id);
    EXPECT_EQ(bed.exec(id, {.command = {"cat", "/proc/1/oom_score_adj", own_score}}).output,
              "0\n0\n");
    service.oom_score_adj = 300;
    const auto other = bed.create(service);
    bed.start(other);
    EXPECT_EQ(bed.exec(other, {.command = {"cat", "/proc/1/oom_score_adj"}}).output, "300\n");
    static_cast<void>(sys::try_write_existing(own_score, before));
}

TEST(Isolation, ShowsOnlyTheContainersProcesses) {
    Bed bed;
    EXPECT_EQ(bed.output_of(script("echo $$; test -e /proc/" + std::to_string(::getpid()) +
                                   " || echo unseen")),
              "1\nunseen\n");
}

TEST(Isolation, LeaksNoDescriptor) {
    Bed bed;
    const sys::Fd directory = sys::open_directory("/");
    const sys::Fd inheritable(::dup(directory.get()));  // as a careless parent's are
    EXPECT_EQ(bed.output_of(script("ls /proc/1/fd; true")), "0\n1\n2\n");
    const auto id = bed.create(sleeper());
    bed.start(id);
    EXPECT_EQ(bed.exec(id, {.command = {"sh", "-c", "ls /proc/$$/fd; true"}}).output, "0\n1\n2\n");
}

TEST(Isolation, LeavesNoDescriptorOpenInTheEngine) {
    Bed bed;
    bed.run(script("true"));
    const auto before = sys::list_directory("/proc/self/fd").size();
    bed.run(script("true"));
    EXPECT_EQ(sys::list_directory("/proc/self/fd").size(), before);
}

TEST(Isolation, HidesWhatTheKernelTellsTooFreely) {
    Bed bed;
    EXPECT_EQ(
        bed.output_of(script("cat /proc/keys /proc/timer_list | wc -c; "
                             "ls /sys/firmware | wc -l; "
                             "echo x 2>&1 >/proc/sys/kernel/hostname | grep -o 'Read-only.*'; "
                             "mkdir 2>&1 /sys/fs/cgroup/x | grep -o 'Read-only.*'")),
        "0\n0\nRead-only file system\nRead-only file system\n");
}

TEST(Isolation, ShowsItsOwnLimitsAndKeepsThem) {
    Bed bed;
    auto service = script(
        "for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do "
        "test -e $file || continue; cat $file; (echo 1 >$file) 2>/dev/null || echo kept; done; "
        "cat /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/pids/cgroup.procs 2>/dev/null | grep -x 1; "
        "true");
    service.resources.memory = 64 << 20;
    EXPECT_EQ(bed.output_of(service), "67108864\nkept\n1\n");
    service.privileged = true;
    service.command = script(
                          "cat /sys/fs/cgroup/memory.max "
                          "/sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; "
                          "mkdir /sys/fs/cgroup/memory/x 2>/dev/null; true")
                          .command;
    EXPECT_EQ(bed.output_of(service), "67108864\n");
}

/// What it mounts anew it may write to; of v1 the mount points lie in a tmpfs, which is its own.
TEST(Isolation, MakesNoFilesAmongTheHostsControlGroups) {
    Bed bed;
    const std::string file = "/sys/fs/cgroup/stack-test-" + std::to_string(::getpid());
    auto service = script("mount -o remount,bind,rw none /sys/fs/cgroup && (echo >" + file +
                          ") 2>/dev/null; true");
    service.cap_add = {"SYS_ADMIN"};
    EXPECT_EQ(bed.output_of(service), "");
    EXPECT_FALSE(sys::exists(file));
    sys::remove_file(file);
}

TEST(Isolation, RefusesMountsAndNewNamespaces) {
    Bed bed;
    EXPECT_EQ(bed.output_of(script("mount -t tmpfs none /tmp 2>/dev/null || echo refused; "
                                   "unshare -U true 2>/dev/null || echo refused")),
              "refused\nrefused\n");
}

TEST(Isolation, RefusesTheCallsThatAProfileOfTheServicesOwnRefuses) {
    Bed bed;
    const std::string script_of_both =
        "mkdir /made 2>&1 | grep -o 'No space.*'; hostname x 2>&1 | grep -o 'No space.*'; true";
    auto service = script("echo up; exec sleep 1000");
    service.security_opt = {"seccomp=/some/profile.json"};
    service.seccomp_profile = R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28},
        {"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
         "includes": {"caps": ["CAP_SYS_ADMIN"]}}]})";
    const auto id = bed.create(service);
    bed.start(id);
    EXPECT_EQ(bed.exec(id, {.command = {"sh", "-c", script_of_both}}).output,
              "No space left on device\n");
    service.privileged = true;
    service.command = script(script_of_both).command;
    EXPECT_EQ(bed.output_of(service), "No space left on device\nNo space left on device\n");
}

TEST(Isolation, HasItsOwnDevices) {
    Bed bed;
    auto service = script(
        "stat -c '%n %a %t:%T' /dev/null /dev/zero /dev/full /dev/random /dev/urandom "
        "/dev/tty; ls /dev; echo x >/dev/null && echo x >/dev/stdout && echo fine");
    service.user = "web";
    EXPECT_EQ(bed.output_of(service),
              "/dev/null 666 1:3\n/dev/zero 666 1:5\n/dev/full 666 1:7\n/dev/random 666 1:8\n"
              "/dev/urandom 666 1:9\n/dev/tty 666 5:0\ncore\nfd\nfull\nmqueue\nnull\nptmx\npts\n"
              "random\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\nx\nfine\n");
}

TEST(Isolation, ADeviceThatTheMachineLacksIsSaidBeforeAnythingIsMade) {
    Bed bed;
    auto service = script("true");
    service.devices = {{"/dev/there-is-none", "/dev/x", "rw"}};
    const auto id = bed.create(service);
    EXPECT_THROW(bed.start(id), Error);
    EXPECT_TRUE(bed.cgroups.children("stack-" + bed.paths.instance).empty());
    EXPECT_FALSE(sys::exists(bed.paths.run + "/containers/" + id));
    bed.runtime.remove(id, false);
}

TEST(Isolation, HasNoSharedMemoryWhereItsServiceWantsNone) {
    Bed bed;
    auto service = script("ls -d /dev/shm 2>/dev/null || echo none; ls -d /dev/mqueue");
    service.ipc = "none";
    EXPECT_EQ(bed.output_of(service), "none\n/dev/mqueue\n");
}

TEST(Isolation, KeepsToItsRootWhereTheImageHasLinksOut) {
    Bed bed;
    const std::string canary = bed.directory() + "/canary";
    sys::ensure_directory(canary);
    ASSERT_EQ(::symlink(canary.c_str(), (bed.image() + "/link").c_str()), 0);
    ASSERT_EQ(::symlink((canary + "/hosts").c_str(), (bed.image() + "/etc/hosts").c_str()), 0);
    ASSERT_EQ(::symlink(canary.c_str(), (bed.image() + "/dev").c_str()), 0);
    auto service = script("true");
    service.working_dir = "/link/made";
    service.tmpfs = {"/link/tmpfs"};
    try {
        bed.run(service);
    } catch (const Error&) {
    }
    EXPECT_TRUE(sys::list_directory(canary).empty());
}

TEST(Isolation, RefusesAWorkingDirectoryOutside) {
    Bed bed;
    auto service = script("pwd; ls");
    for (int fd = 3; fd < 12; ++fd) {
        service.working_dir = "/proc/self/fd/" + std::to_string(fd);
        EXPECT_THROW(bed.run(service), Error) << service.working_dir;
    }
}

TEST(User, IsLookedUpInTheContainer) {
    Bed bed;
    auto service = script("id -u; id -g; id -G; pwd; echo $HOME");
    service.user = "web";
    service.group_add = {"42"};
    EXPECT_EQ(bed.output_of(service), "500\n600\n600 42 601\n/\n/srv\n");
}

TEST(User, OutOfRangeIsRefused) {
    Bed bed;
    auto service = script("id -u");
    for (const auto* user :
         {"4294967295", "4294967296", "2147483648", "-1", "1e3", "0:4294967295"}) {
        service.user = user;
        EXPECT_THROW(bed.run(service), Error) << user;
    }
}

TEST(Root, CanBeReadOnly) {
    Bed bed;
    auto service = script("touch /x 2>/dev/null || echo refused; touch /tmp/x && echo fine");
    service.read_only = true;
    service.tmpfs = {"/tmp"};
    EXPECT_EQ(bed.output_of(service), "refused\nfine\n");
}

TEST(Root, HasItsHostsNameAndResolver) {
    Bed bed;
    auto service =
        script("hostname; cat /etc/hostname; grep -c localhost /etc/hosts; grep db /etc/hosts");
    service.hostname = "front";
    service.extra_hosts["db"] = {"10.9.8.7"};
    EXPECT_EQ(bed.output_of(service), "front\nfront\n2\n10.9.8.7\tdb\n");
}

TEST(Root, IsEnteredAtAWorkingDirectoryThatIsMade) {
    Bed bed;
    auto service = script("pwd");
    service.working_dir = "/a/b";
    EXPECT_EQ(bed.output_of(service), "/a/b\n");
}

TEST(Settings, OfTheNetworkAreTheContainers) {
    Bed bed;
    auto service =
        script("cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/core/somaxconn");
    service.sysctls["net.core.somaxconn"] = "77";
    EXPECT_EQ(bed.output_of(service), "0\n77\n");
}

TEST(Settings, OfTheMachineAreRefused) {
    Bed bed;
    auto service = script("true");
    for (const auto* name :
         {"kernel.panic", "vm.swappiness", "net/../kernel/panic", "fs.file-max"}) {
        // What it is now, so that nothing is changed where this fails.
        const auto now = sys::read_file("/proc/sys/" + replace_all(name, ".", "/"));
        service.sysctls = {{name, now ? std::string(trim(*now)) : "0"}};
        EXPECT_THROW(bed.run(service), Error) << name;
    }
    service.sysctls = {{"net.core.somaxconn", "77"}};
    service.network_mode = "host";
    EXPECT_THROW(bed.run(service), Error);
}

TEST(Terminal, IsTheContainersOwn) {
    Bed bed;
    auto service = script("tty; echo $TERM");
    service.tty = true;
    EXPECT_EQ(bed.output_of(service), "/dev/pts/0\r\nxterm\r\n");
}

TEST(Input, IsEmptyUnlessAskedFor) {
    Bed bed;
    EXPECT_EQ(bed.output_of(script("cat; echo end")), "end\n");
}

TEST(Exec, HasTheContainersEnvironmentAndItsOwn) {
    Bed bed;
    auto service = sleeper();
    service.environment["COLOR"] = "red";
    service.environment["SIZE"] = "1";
    const auto id = bed.create(service);
    bed.start(id);
    ExecOptions options;
    options.command = {"sh", "-c", "echo $COLOR $SIZE; id -u; pwd; exit 9"};
    options.environment["SIZE"] = "2";
    options.user = "web";
    options.working_dir = "/srv";
    const auto told = bed.exec(id, options);
    EXPECT_EQ(told.output, "red 2\n500\n/srv\n");
    EXPECT_EQ(told.status, 9);
}

TEST(Exec, FailsAsAShellDoes) {
    Bed bed;
    const auto id = bed.create(sleeper());
    bed.start(id);
    EXPECT_EQ(bed.exec(id, {.command = {"nothing"}}).status, 127);
    EXPECT_EQ(bed.exec(id, {.command = {"/etc"}}).status, 126);
    EXPECT_EQ(bed.exec(id, {.command = {"sh", "-c", "kill -9 $$"}}).status, 137);
}

TEST(Exec, NeedsARunningContainer) {
    Bed bed;
    const auto id = bed.create(sleeper());
    EXPECT_THROW(bed.exec(id, {.command = {"true"}}), Error);
}

TEST(Exec, IsInTheContainersGroupAndEndsWithIt) {
    Bed bed;
    const auto id = bed.create(sleeper());
    bed.start(id);
    const auto probe = bed.runtime.probe(id, {.command = {"sh", "-c", "echo in; exec sleep 1000"}});
    EXPECT_EQ(sys::read_some(probe.output, 100), "in\n");
    EXPECT_EQ(bed.runtime.processes(id).size(), 3U);  // with the helper that waits for it
    bed.runtime.kill(id);
    EXPECT_EQ(sys::wait(probe.helper), 137);
    bed.wait(id);
}

TEST(Volumes, AreFilledFromTheImageOnce) {
    Bed bed;
    sys::replace_file(bed.image() + "/srv/page", "first\n", 0644);
    bed.image_config.volumes = {"/srv"};
    auto service = script("cat /srv/page; echo changed >/srv/page");
    service.container_name = "same";
    const auto id = bed.create(service);
    bed.start(id);
    bed.wait(id);
    EXPECT_EQ(bed.output(id), "first\n");
    bed.runtime.remove(id, false);
    EXPECT_EQ(bed.output_of(service), "changed\n");
}

TEST(Volumes, OfTheHostCanBeReadOnly) {
    Bed bed;
    sys::ensure_directory(bed.directory() + "/data");
    sys::replace_file(bed.directory() + "/data/file", "host\n", 0644);
    auto service = script("cat /data/file; touch /data/x 2>/dev/null || echo refused");
    service.volumes.push_back({.type = MountType::bind,
                               .source = bed.directory() + "/data",
                               .target = "/data",
                               .read_only = true});
    EXPECT_EQ(bed.output_of(service), "host\nrefused\n");
}

TEST(Volumes, DoNotCoverProc) {
    Bed bed;
    ASSERT_EQ(::symlink("/proc", (bed.image() + "/whole").c_str()), 0);
    ASSERT_EQ(::symlink("../proc/sys", (bed.image() + "/etc/relative").c_str()), 0);
    auto service = script("true");
    for (const auto* target :
         {"/proc", "/proc/self", "/etc/../proc", "/whole", "/whole/sys", "/etc/relative"}) {
        service.volumes = {{.type = MountType::tmpfs, .target = target}};
        EXPECT_THROW(bed.run(service), Error) << target;
    }
}

TEST(Secrets, AreFilesOfTheirOwn) {
    Bed bed;
    FileSource source;
    source.content = "hush";
    bed.secrets["key"] = source;
    auto service = script(
        "cat /run/secrets/key; stat -c ' %a %u' /run/secrets/key; "
        "echo x 2>/dev/null >/run/secrets/key || echo refused");
    service.secrets.push_back(
        {.source = "key", .target = "", .uid = "500", .gid = "", .mode = 0400});
    EXPECT_EQ(bed.output_of(service), "hush 400 500\nrefused\n");
}

}  // namespace
}  // namespace stack::runtime
