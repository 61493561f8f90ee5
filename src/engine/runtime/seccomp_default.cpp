#include "engine/runtime/seccomp_default.h"

#include "engine/runtime/seccomp_export.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <vector>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>

namespace stack::runtime {
namespace {

constexpr std::uint64_t capability(unsigned int number) {
    return std::uint64_t{1} << number;
}

constexpr std::uint64_t sys_admin = capability(21);

/// Calls that are refused unless a capability opens them: everything of x86-64 that Docker's
/// default profile leaves out (security.md 1.3 has the list and its history).
struct Refused {
    const char* name;
    std::uint64_t opened_by;  // any of these; 0: nothing does
};

constexpr std::uint64_t never = 0;
constexpr std::uint64_t dac_read_search = capability(2);
constexpr std::uint64_t sys_module = capability(16);
constexpr std::uint64_t sys_rawio = capability(17);
constexpr std::uint64_t sys_ptrace = capability(19);
constexpr std::uint64_t sys_pacct = capability(20);
constexpr std::uint64_t sys_boot = capability(22);
constexpr std::uint64_t sys_nice = capability(23);
constexpr std::uint64_t sys_time = capability(25);
constexpr std::uint64_t sys_tty = capability(26);
constexpr std::uint64_t syslog_right = capability(34);
constexpr std::uint64_t perfmon = capability(38);
constexpr std::uint64_t bpf_right = capability(39);

constexpr std::array refused{
    Refused{"_sysctl", never},
    Refused{"acct", sys_pacct},
    Refused{"add_key", never},
    Refused{"bpf", sys_admin | bpf_right},
    Refused{"clock_settime", sys_time},
    Refused{"clock_adjtime", sys_time},
    Refused{"adjtimex", sys_time},
    Refused{"settimeofday", sys_time},
    Refused{"create_module", never},
    Refused{"delete_module", sys_module},
    Refused{"finit_module", sys_module},
    Refused{"init_module", sys_module},
    Refused{"fanotify_init", sys_admin},
    Refused{"fsconfig", sys_admin},
    Refused{"fsmount", sys_admin},
    Refused{"fsopen", sys_admin},
    Refused{"fspick", sys_admin},
    Refused{"get_kernel_syms", never},
    Refused{"get_mempolicy", sys_nice},
    Refused{"io_uring_enter", never},
    Refused{"io_uring_register", never},
    Refused{"io_uring_setup", never},
    Refused{"ioperm", sys_rawio},
    Refused{"iopl", sys_rawio},
    Refused{"kcmp", sys_ptrace},
    Refused{"kexec_file_load", sys_boot},
    Refused{"kexec_load", sys_boot},
    Refused{"keyctl", never},
    Refused{"lookup_dcookie", sys_admin},
    Refused{"mbind", sys_nice},
    Refused{"migrate_pages", never},
    Refused{"mount", sys_admin},
    Refused{"mount_setattr", sys_admin},
    Refused{"move_mount", sys_admin},
    Refused{"move_pages", never},
    Refused{"nfsservctl", never},
    Refused{"open_by_handle_at", dac_read_search},
    Refused{"open_tree", sys_admin},
    Refused{"perf_event_open", sys_admin | perfmon},
    Refused{"pidfd_getfd", sys_ptrace},
    Refused{"pivot_root", never},
    Refused{"process_madvise", sys_ptrace},
    Refused{"query_module", never},
    Refused{"quotactl", sys_admin},
    Refused{"quotactl_fd", sys_admin},
    Refused{"reboot", sys_boot},
    Refused{"request_key", never},
    Refused{"set_mempolicy", sys_nice},
    Refused{"setdomainname", sys_admin},
    Refused{"sethostname", sys_admin},
    Refused{"setns", sys_admin},
    Refused{"swapoff", never},
    Refused{"swapon", never},
    Refused{"sysfs", never},
    Refused{"syslog", sys_admin | syslog_right},
    Refused{"umount2", sys_admin},
    Refused{"unshare", sys_admin},
    Refused{"uselib", never},
    Refused{"userfaultfd", never},
    Refused{"ustat", never},
    Refused{"vhangup", sys_tty},
};

class Filter {
  public:
    Filter() : context_(seccomp_init(SCMP_ACT_ALLOW), seccomp_release) {
        if (!context_)
            throw std::bad_alloc();
        // The architecture of the build is in the filter by itself; every other one kills.
        check_filter(
            seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
            "refuse other ABIs (it takes a kernel with CONFIG_SECCOMP_FILTER; without, only "
            "seccomp=unconfined of security_opt runs)");
    }

    void refuse(const char* name, int error) {
        const int call = seccomp_syscall_resolve_name(name);
        if (call != __NR_SCMP_ERROR && call >= 0)
            check_filter(
                seccomp_rule_add(
                    context_.get(), SCMP_ACT_ERRNO(static_cast<unsigned int>(error)), call, 0),
                name);
    }

    void refuse_if(const char* name, int error, const scmp_arg_cmp& condition) {
        const int call = seccomp_syscall_resolve_name(name);
        check_filter(seccomp_rule_add_array(context_.get(),
                                            SCMP_ACT_ERRNO(static_cast<unsigned int>(error)),
                                            call,
                                            1,
                                            &condition),
                     name);
    }

    [[nodiscard]] std::string compile() const { return exported_filter(context_.get()); }

  private:
    std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
};

constexpr std::uint64_t int_mask = 0xFFFFFFFF;

void refuse_socket_families(Filter& filter) {
    constexpr int af_alg = 38;
    constexpr int af_vsock = 40;
    for (const int family : {af_alg, af_vsock})
        filter.refuse_if("socket",
                         EPERM,
                         SCMP_A0(SCMP_CMP_MASKED_EQ, int_mask, static_cast<scmp_datum_t>(family)));
}

/// New namespaces by clone; the kernel's own check would let a process make a user namespace and be
/// root in it.
void refuse_namespaces(Filter& filter) {
    for (const unsigned int flag : {static_cast<unsigned int>(CLONE_NEWNS),
                                    static_cast<unsigned int>(CLONE_NEWUTS),
                                    static_cast<unsigned int>(CLONE_NEWIPC),
                                    static_cast<unsigned int>(CLONE_NEWUSER),
                                    static_cast<unsigned int>(CLONE_NEWPID),
                                    static_cast<unsigned int>(CLONE_NEWNET),
                                    static_cast<unsigned int>(CLONE_NEWCGROUP)})
        filter.refuse_if("clone", EPERM, SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
    filter.refuse("clone3", ENOSYS);  // its flags are in memory: libc falls back to clone
}

std::string bytes_of(const std::vector<sock_filter>& program) {
    return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

/// What libseccomp cannot express, in front of its program (whose jumps are relative): ENOSYS for
/// calls that are newer than this list, so that a libc falls back instead of failing; EPERM for
/// every personality but Docker's five.
std::string prologue() {
    constexpr std::uint32_t x32_bit = 0x40000000;  // left to the filter, which kills
    constexpr std::uint32_t newest_known = 462;    // mseal, Linux 6.10
    constexpr std::array<std::uint32_t, 5> personalities{0, 8, 0x20000, 0x20008, 0xFFFFFFFF};
    constexpr std::uint32_t load = BPF_LD | BPF_W | BPF_ABS;
    constexpr std::uint32_t equal = BPF_JMP | BPF_JEQ | BPF_K;
    std::vector<sock_filter> personality{BPF_STMT(load, offsetof(seccomp_data, args[0]))};
    for (std::size_t i = 0; i < personalities.size();
         ++i)  // over the rest of the comparisons and the refusal
        personality.push_back(BPF_JUMP(
            equal, personalities[i], static_cast<std::uint8_t>(personalities.size() - i), 0));
    personality.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
    const auto length = static_cast<std::uint8_t>(personality.size());
    const auto rest = static_cast<std::uint8_t>(length + 5);
    std::vector<sock_filter> program{
        BPF_STMT(load, offsetof(seccomp_data, arch)),
        BPF_JUMP(equal, AUDIT_ARCH_X86_64, 0, rest),
        BPF_STMT(load, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, x32_bit, static_cast<std::uint8_t>(length + 3), 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, newest_known, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_JUMP(equal, SYS_personality, 0, length),
    };
    program.insert(program.end(), personality.begin(), personality.end());
    return bytes_of(program);
}

}  // namespace

std::string compile_default(std::uint64_t capabilities) {
    Filter filter;
    for (const auto& call : refused)
        if ((call.opened_by & capabilities) == 0)
            filter.refuse(call.name, EPERM);
    refuse_socket_families(filter);
    if ((capabilities & sys_admin) == 0)
        refuse_namespaces(filter);
    return prologue() + filter.compile();
}

}  // namespace stack::runtime
