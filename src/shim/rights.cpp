#include "shim/rights.h"

#include "shim/fault.h"

#include <cerrno>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::shim {
namespace {

void set_limits(const std::vector<LimitSpec>& limits) {
    for (const auto& wanted : limits) {
        rlimit limit{wanted.soft, wanted.hard};
        if (::prlimit(0, static_cast<__rlimit_resource>(wanted.resource), &limit, nullptr) == 0)
            continue;
        if (errno != EPERM)
            give_up(engine_failed, "set resource limit " + std::to_string(wanted.resource), errno);
        // Without CAP_SYS_RESOURCE a hard limit can only be lowered: as near as we may.
        rlimit current{};
        ::prlimit(0, static_cast<__rlimit_resource>(wanted.resource), nullptr, &current);
        limit.rlim_max = current.rlim_max;
        limit.rlim_cur = wanted.soft < current.rlim_max ? wanted.soft : current.rlim_max;
        ::prlimit(0, static_cast<__rlimit_resource>(wanted.resource), &limit, nullptr);
    }
}

void drop_bounding_set(std::uint64_t keep) {
    for (unsigned long capability = 0; capability <= CAP_LAST_CAP; ++capability)
        if ((keep >> capability & 1U) == 0)
            ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

/// Permitted and effective: all of `mask` for root; for others what the kernel left them.
/// Inheritable stays empty (CVE-2022-29162), so does the ambient set.
void set_capabilities(std::uint64_t mask) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct now[2]{};
    must(::syscall(SYS_capget, &header, now), "read capabilities");
    const std::uint64_t permitted =
        (std::uint64_t{now[1].permitted} << 32U | now[0].permitted) & mask;
    const auto low = static_cast<std::uint32_t>(permitted);
    const auto high = static_cast<std::uint32_t>(permitted >> 32U);
    __user_cap_data_struct wanted[2]{{low, low, 0}, {high, high, 0}};
    must(::syscall(SYS_capset, &header, wanted), "set capabilities");
}

/// To the letter: what may not be given is an error. Whoever becomes another user keeps its sets up
/// to here.
void set_exact_capabilities(const CapabilitySets& sets) {
    const auto low = [](std::uint64_t set) { return static_cast<std::uint32_t>(set); };
    const auto high = [](std::uint64_t set) { return static_cast<std::uint32_t>(set >> 32U); };
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct wanted[2]{
        {low(sets.effective), low(sets.permitted), low(sets.inheritable)},
        {high(sets.effective), high(sets.permitted), high(sets.inheritable)}};
    must(::syscall(SYS_capset, &header, wanted), "set capabilities");
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (unsigned long capability = 0; capability <= CAP_LAST_CAP; ++capability)
        if ((sets.ambient >> capability & 1U) != 0)
            must(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0),
                 "raise ambient capability " + std::to_string(capability));
}

/// Gives up where it cannot be: an id that the container's user namespace does not have is "Invalid
/// argument".
void must_become(long result, const std::string& who) {
    if (result < 0 && errno == EINVAL)
        give_up(not_executable,
                who +
                    " is none of the container's own (with `userns_mode: private` they have the "
                    "numbers from 0 to 65535)",
                0);
    must(result, "become " + who);
}

/// The keys of whoever started the engine are not the container's; a kernel without keyrings has
/// none to share.
void leave_session_keyring() {
    constexpr int join_session_keyring = 1;  // KEYCTL_JOIN_SESSION_KEYRING
    ::syscall(SYS_keyctl, join_session_keyring, nullptr);
}

void load_filter(const std::string& program) {
    if (program.empty())
        return;
    sock_fprog filter{static_cast<unsigned short>(program.size() / sizeof(sock_filter)),
                      reinterpret_cast<sock_filter*>(const_cast<char*>(program.data()))};
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0)
        return;
    const int error = errno;
    const bool is_unknown = error == EINVAL || error == ENOSYS;
    give_up(engine_failed,
            std::string("load the system call filter") +
                (is_unknown ? " (it takes a kernel with CONFIG_SECCOMP_FILTER; without, only "
                              "seccomp=unconfined of security_opt runs)"
                            : ""),
            error);
}

/// False where it may not be so: errno says why.
bool try_oom_score(std::int32_t score, const std::string& whose) {
    const int fd = ::open(("/proc/" + whose + "/oom_score_adj").c_str(), O_WRONLY | O_CLOEXEC);
    const std::string text = std::to_string(score);
    const bool is_set = ::write(fd, text.data(), text.size()) >= 0;
    const int error = errno;
    ::close(fd);
    errno = error;
    return is_set;
}

}  // namespace

void set_oom_score(const ProcessSpec& process, const std::string& whose) {
    if (process.has_oom_score == 0 && process.has_exact_oom_score == 0)
        return;
    // Less than the engine's own takes CAP_SYS_RESOURCE: as near as we may, unless told otherwise.
    if (!try_oom_score(process.oom_score_adj, whose) && process.has_exact_oom_score != 0)
        give_up(
            engine_failed, "set oom_score_adj to " + std::to_string(process.oom_score_adj), errno);
}

void outlive_containers() {
    constexpr std::int32_t score = -500;  // as Docker's daemon has it
    static_cast<void>(try_oom_score(score, "self"));
}

void drop_rights(const ProcessSpec& process, const Identity& identity) {
    set_limits(process.limits);
    ::umask(process.umask);
    leave_session_keyring();
    must_become(::setgroups(identity.groups.size(), identity.groups.data()), "one of its groups");
    const bool is_exact = process.has_exact_sets != 0;
    drop_bounding_set(is_exact ? process.exact_sets.bounding : process.capabilities);
    // Without no_new_privs a filter needs CAP_SYS_ADMIN: it comes before that is dropped.
    if (process.no_new_privileges == 0)
        load_filter(process.seccomp);
    ::prctl(PR_SET_KEEPCAPS, is_exact ? 1 : 0, 0, 0, 0);
    must_become(::setresgid(identity.gid, identity.gid, identity.gid),
                "group " + std::to_string(identity.gid));
    must_become(::setresuid(identity.uid, identity.uid, identity.uid),
                "user " + std::to_string(identity.uid));
    ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // another user's may be so by a setting of the host
    if (is_exact)
        set_exact_capabilities(process.exact_sets);
    else
        set_capabilities(process.capabilities);
    if (process.no_new_privileges != 0) {
        must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no_new_privs");
        load_filter(process.seccomp);
    }
}

}  // namespace stack::shim
