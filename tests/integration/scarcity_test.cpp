// What the kernel does not have, or has no more of, is named where it is missed.

#include "tests/integration/containers.h"

#include <cerrno>
#include <csignal>
#include <cstddef>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::test {
namespace {

class Scarcity : public Containers {
  protected:
    /// `stack container WORDS`, as a shell's script has it after what `before` does.
    [[nodiscard]] Result after(const std::string& before, const std::string& words) const {
        return test::run(
            {.words = {"unshare",
                       "--user",
                       "--map-root-user",
                       "--mount",
                       "sh",
                       "-c",
                       before + " && exec " STACK_BINARY_DIR "/stack --root \"$0\" container " +
                           words,
                       stack_.root()},
             .directory = here_});
    }

    static void expect_said(const Result& result, const std::string& sentence) {
        EXPECT_NE(result.status, 0);
        EXPECT_NE(result.err.find(sentence), std::string::npos) << result.err;
    }
};

/// The limits of a user namespace of its own: those of the machine are not ours to change.
TEST_F(Scarcity, OfNamespacesNamesTheLimit) {
    for (const std::string kind : {"net", "pid", "ipc", "uts", "mnt"})
        expect_said(after("echo 0 > /proc/sys/user/max_" + kind + "_namespaces",
                          "run --rm --network none busybox true"),
                    "user.max_" + kind + "_namespaces");
}

TEST_F(Scarcity, OfWatchesNamesTheLimit) {
    must({"run", "-d", "--name", "mine", "busybox", "sleep", "1000"});
    expect_said(after("echo 0 > /proc/sys/user/max_inotify_instances", "logs -f mine"),
                "fs.inotify.max_user_instances");
}

/// Of a control group, for the kernel's own answer is the same.
TEST_F(Scarcity, OfProcessesNamesTheLimits) {
    const std::string script = R"(
group=/sys/fs/cgroup/pids/few
test -d /sys/fs/cgroup/pids || group=/sys/fs/cgroup/few
mkdir $group && echo 1 > $group/pids.max && echo $$ > $group/cgroup.procs
exec )" STACK_BINARY_DIR "/stack --root \"$0\" container run --rm --network none busybox true";
    expect_said(test::run({.words = {"sh", "-c", script, stack_.root()}, .directory = here_}),
                "kernel.pid_max");
    static_cast<void>(test::run(
        {"sh", "-c", "rmdir /sys/fs/cgroup/pids/few /sys/fs/cgroup/few 2> /dev/null || true"}));
}

/// From here on this process's calls of seccomp(2) end as on a kernel that has none.
bool forget_seccomp() {
    sock_filter program[]{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{sizeof program / sizeof program[0], program};
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST_F(Scarcity, OfFiltersOfSystemCallsNamesThem) {
    for (const bool is_program_kept : {false, true}) {
        if (is_program_kept)
            must({"run", "--rm", "busybox", "true"});
        // In a process of its own, for there is no way back.
        const pid_t child = ::fork();
        if (child == 0) {
            const bool is_forgotten = forget_seccomp();
            const Result refused = con({"run", "--rm", "busybox", "true"});
            const bool is_said = refused.err.find("CONFIG_SECCOMP_FILTER") != std::string::npos;
            const Result without =
                con({"run", "--rm", "--security-opt", "seccomp=unconfined", "busybox", "true"});
            ::_exit(is_forgotten && refused.status == 125 && is_said && without.status == 0 ? 0
                                                                                            : 1);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0) << is_program_kept;
    }
}

}  // namespace
}  // namespace stack::test
