#include "tests/probe/facts.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>

#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::probe {
namespace {

struct Call {
    const char* name;
    long number;
};

/// What Docker keeps from containers, those without use aside, and what it lets through for all
/// that it is dangerous (ptrace).
constexpr std::array calls{
    Call{"acct", SYS_acct},
    Call{"add_key", SYS_add_key},
    Call{"bpf", SYS_bpf},
    Call{"clock_settime", SYS_clock_settime},
    Call{"clone3", SYS_clone3},
    Call{"delete_module", SYS_delete_module},
    Call{"fanotify_init", SYS_fanotify_init},
    Call{"finit_module", SYS_finit_module},
    Call{"fsconfig", SYS_fsconfig},
    Call{"fsmount", SYS_fsmount},
    Call{"fsopen", SYS_fsopen},
    Call{"fspick", SYS_fspick},
    Call{"get_mempolicy", SYS_get_mempolicy},
    Call{"init_module", SYS_init_module},
    Call{"io_uring_enter", SYS_io_uring_enter},
    Call{"io_uring_register", SYS_io_uring_register},
    Call{"io_uring_setup", SYS_io_uring_setup},
#ifdef SYS_ioperm
    Call{"ioperm", SYS_ioperm},
    Call{"iopl", SYS_iopl},
#endif
    Call{"kcmp", SYS_kcmp},
    Call{"kexec_load", SYS_kexec_load},
    Call{"keyctl", SYS_keyctl},
    Call{"mbind", SYS_mbind},
    Call{"mount", SYS_mount},
    Call{"mount_setattr", SYS_mount_setattr},
    Call{"move_mount", SYS_move_mount},
    Call{"move_pages", SYS_move_pages},
    Call{"name_to_handle_at", SYS_name_to_handle_at},
    Call{"open_by_handle_at", SYS_open_by_handle_at},
    Call{"open_tree", SYS_open_tree},
    Call{"perf_event_open", SYS_perf_event_open},
    Call{"pidfd_getfd", SYS_pidfd_getfd},
    Call{"pivot_root", SYS_pivot_root},
    Call{"process_madvise", SYS_process_madvise},
    Call{"process_vm_readv", SYS_process_vm_readv},
    Call{"ptrace", SYS_ptrace},
    Call{"quotactl", SYS_quotactl},
    Call{"reboot", SYS_reboot},
    Call{"request_key", SYS_request_key},
    Call{"set_mempolicy", SYS_set_mempolicy},
    Call{"setdomainname", SYS_setdomainname},
    Call{"sethostname", SYS_sethostname},
    Call{"setns", SYS_setns},
    Call{"settimeofday", SYS_settimeofday},
    Call{"swapoff", SYS_swapoff},
    Call{"swapon", SYS_swapon},
    Call{"syslog", SYS_syslog},
    Call{"umount2", SYS_umount2},
    Call{"unshare", SYS_unshare},
    Call{"userfaultfd", SYS_userfaultfd},
    Call{"vhangup", SYS_vhangup},
};

/// How a child that only tries it has fared.
struct Fare {
    int error = 0;  // errno; 0 where it succeeded
    bool is_killed = false;
};

Fare fare_of(const std::function<long()>& attempt) {
    const pid_t child = ::fork();
    if (child == 0) {
        constexpr unsigned int patience = 2;
        ::alarm(patience);
        errno = 0;
        ::_exit(attempt() < 0 ? errno : 0);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status)};
}

/// What it says of its arguments, which are no good, is as good as a yes; so is, where nothing is
/// filtered, that this kernel does not have it.
std::string refusal(const Fare& fare) {
    if (fare.is_killed)
        return "killed";
    const bool is_filtered = status_field("Seccomp") == "2";
    const bool is_refused =
        fare.error == EPERM || fare.error == EACCES || (fare.error == ENOSYS && is_filtered);
    return is_refused ? outcome(fare.error) : "yes";
}

struct Socket {
    const char* name;
    unsigned long domain;
    unsigned long type;
    unsigned long protocol;
};

/// The kernel takes 32 bits of the domain: more than these must not make another one of it for the
/// filter.
constexpr unsigned long high_bit = 1UL << 32U;

constexpr std::array sockets{
    Socket{"AF_ALG", AF_ALG, SOCK_SEQPACKET, 0},
    Socket{"AF_ALG with a high bit", high_bit | AF_ALG, SOCK_SEQPACKET, 0},
    Socket{"AF_VSOCK", AF_VSOCK, SOCK_STREAM, 0},
    Socket{"AF_VSOCK with a high bit", high_bit | AF_VSOCK, SOCK_STREAM, 0},
    Socket{"AF_INET raw", AF_INET, SOCK_RAW, IPPROTO_ICMP},
    Socket{"AF_PACKET raw", AF_PACKET, SOCK_RAW, 0},
    Socket{"AF_NETLINK", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE}};

#ifdef __x86_64__
/// getpid by the gate of 32-bit programs, whose socketcall no filter can look into.
long call_as_32_bit() {
    constexpr long getpid_number = 20;
    long result = getpid_number;
    asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    if (result >= 0)
        return result;
    errno = static_cast<int>(-result);
    return -1;
}

long call_as_x32() {
    constexpr long x32 = 0x40000000;
    return ::syscall(x32 | SYS_getpid);
}

/// A kernel without these gates has none to close.
std::string is_open(const Fare& fare) {
    return fare.is_killed || fare.error != 0 ? "no" : "yes";
}
#endif

}  // namespace

void tell_calls(Facts& facts) {
    for (const auto& call : calls)
        facts.push_back("call " + std::string(call.name) + ": " + refusal(fare_of([&] {
                            return ::syscall(call.number, -1L, -1L, -1L, -1L, -1L, -1L);
                        })));
    for (const auto& socket : sockets)
        facts.push_back("socket " + std::string(socket.name) + ": " + refusal(fare_of([&] {
                            return ::syscall(
                                SYS_socket, socket.domain, socket.type, socket.protocol);
                        })));
#ifdef __x86_64__
    facts.push_back("calls of 32-bit programs: " + is_open(fare_of(call_as_32_bit)));
    facts.push_back("calls of x32 programs: " + is_open(fare_of(call_as_x32)));
#endif
}

}  // namespace stack::probe
