#include "fetch/confine.h"

#include "base/log.h"
#include "sys/file.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <iconv.h>
#include <langinfo.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::fetch {
namespace {

constexpr std::uint64_t running = LANDLOCK_ACCESS_FS_EXECUTE;
constexpr std::uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t writing =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;

/// Rights that are younger than the kernel headers of Debian 12 (landlock(7), "VERSIONS").
constexpr std::uint64_t truncating = 1U << 14U;  // since version 3
constexpr std::uint64_t driving = 1U << 15U;     // 5: ioctl(2) of devices
constexpr std::uint64_t binding = 1U << 0U;      // 4, of the network: to a TCP port
constexpr std::uint64_t reaching = 3U;  // 6, scopes: abstract sockets and signals of others

/// As the newest kernel has it: an older one takes it where what it does not know is 0.
struct Ruleset {
    std::uint64_t files = 0;
    std::uint64_t network = 0;
    std::uint64_t scopes = 0;
};

/// Of what is to be taken, what this version of Landlock knows of.
Ruleset ruleset_for(long version, std::uint64_t files) {
    constexpr long with_truncation = 3;
    constexpr long with_network = 4;
    constexpr long with_devices = 5;
    constexpr long with_scopes = 6;
    Ruleset rules{.files = files};
    if (version >= with_truncation)
        rules.files |= truncating;
    if (version >= with_network)
        rules.network = binding;
    if (version >= with_devices)
        rules.files |= driving;
    if (version >= with_scopes)
        rules.scopes = reaching;
    return rules;
}

/// What remains allowed below a directory of that which is taken everywhere.
using Exception = std::pair<sys::Fd, std::uint64_t>;

/// Those that mean something for a file, which is no directory.
constexpr std::uint64_t of_a_file =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | truncating;

bool is_directory(const sys::Fd& place) {
    struct stat status {};

    return ::fstat(place.get(), &status) == 0 && S_ISDIR(status.st_mode);
}

void allow(int rules, const Exception& exception, std::uint64_t taken) {
    const auto& [place, rights] = exception;
    landlock_path_beneath_attr rule{};
    // Who writes may cut short.
    rule.allowed_access = ((rights & writing) != 0 ? rights | truncating : rights) & taken;
    if (!is_directory(place))
        rule.allowed_access &= of_a_file;
    rule.parent_fd = place.get();
    // A pipe is of no file system, EBADFD: nothing is taken there.
    if (place &&
        ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U) < 0 &&
        errno != EBADFD)
        sys::fail("allow a file, or what lies below a directory");
}

sys::Fd place(const std::string& directory) {
    return sys::Fd(::open(directory.c_str(), O_PATH | O_CLOEXEC));
}

/// From the second version of the ABI on, which lets files be moved between directories. What
/// younger ones know goes, too: it is needed nowhere but where files are written.
void restrict_files(std::uint64_t taken, const std::vector<Exception>& exceptions) {
    const long version =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0U, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 2) {
        log::info(
            "this kernel has no Landlock: the fetch worker may read and write anywhere, ignoring");
        return;
    }
    const Ruleset attributes = ruleset_for(version, taken);
    const sys::Fd rules(static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0U)));
    for (const auto& exception : exceptions)
        allow(rules.get(), exception, attributes.files);
    if (::syscall(SYS_landlock_restrict_self, rules.get(), 0U) < 0)
        log::warn(
            "Landlock refused its rules: the fetch worker may read and write anywhere, ignoring");
}

constexpr std::uint64_t owning_files = 1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER |
                                       1U << CAP_FSETID | 1U << CAP_MKNOD |
                                       std::uint64_t{1} << CAP_SETFCAP;
constexpr std::uint64_t marking_overlays = 1U << CAP_SYS_ADMIN;  // trusted.overlay attributes

void keep_capabilities(std::uint64_t kept) {
    const auto low = static_cast<std::uint32_t>(kept);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{{low, low, 0}, {0, 0, 0}};
    if (::syscall(SYS_capset, &header, data) < 0)
        log::info("capabilities cannot be dropped, ignoring");
}

/// Calls that start programs, reach other processes, make worlds of their own, or do behind the
/// filter's back what it refuses.
constexpr std::array calls_of_nobody{SCMP_SYS(execve),
                                     SCMP_SYS(execveat),
                                     SCMP_SYS(tkill),
                                     SCMP_SYS(rt_sigqueueinfo),
                                     SCMP_SYS(rt_tgsigqueueinfo),
                                     SCMP_SYS(pidfd_send_signal),
                                     SCMP_SYS(pidfd_getfd),
                                     SCMP_SYS(process_vm_readv),
                                     SCMP_SYS(process_vm_writev),
                                     SCMP_SYS(ptrace),
                                     SCMP_SYS(unshare),
                                     SCMP_SYS(setns),
                                     SCMP_SYS(mount),
                                     SCMP_SYS(umount2),
                                     SCMP_SYS(open_tree),
                                     SCMP_SYS(move_mount),
                                     SCMP_SYS(fsopen),
                                     SCMP_SYS(fspick),
                                     SCMP_SYS(fsconfig),
                                     SCMP_SYS(fsmount),
                                     SCMP_SYS(swapon),
                                     SCMP_SYS(swapoff),
                                     SCMP_SYS(sethostname),
                                     SCMP_SYS(setdomainname),
                                     SCMP_SYS(quotactl),
                                     SCMP_SYS(syslog),
                                     SCMP_SYS(fanotify_init),
                                     SCMP_SYS(mount_setattr),
                                     SCMP_SYS(pivot_root),
                                     SCMP_SYS(chroot),
                                     SCMP_SYS(bpf),
                                     SCMP_SYS(perf_event_open),
                                     SCMP_SYS(userfaultfd),
                                     SCMP_SYS(io_uring_setup),
                                     SCMP_SYS(add_key),
                                     SCMP_SYS(request_key),
                                     SCMP_SYS(keyctl)};
constexpr std::array calls_of_the_network{SCMP_SYS(socket), SCMP_SYS(socketpair)};

/// A call that is refused where all of these are so.
struct Refusal {
    int call;
    std::vector<scmp_arg_cmp> where;
};

/// `argument` has, of the bits of `mask`, those of `value`.
scmp_arg_cmp masked(unsigned int argument, unsigned int mask, int value) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, static_cast<unsigned int>(value)};
}

/// What is refused with some arguments only: signals to others and limits of theirs, worlds made by
/// clone(2), and typing into the terminal of whoever started this (ioctl_tty(2), TIOCSTI).
std::vector<Refusal> refusals_by_argument() {
    constexpr unsigned int word = 0xffffffff;
    const auto self = static_cast<scmp_datum_t>(::getpid());
    std::vector<Refusal> all;
    for (const int call : {SCMP_SYS(kill), SCMP_SYS(tgkill)})
        all.push_back({call, {{0, SCMP_CMP_NE, self, 0}}});
    all.push_back({SCMP_SYS(prlimit64), {{0, SCMP_CMP_NE, 0, 0}}});  // 0: its own
    for (const int world : {CLONE_NEWUSER,
                            CLONE_NEWNS,
                            CLONE_NEWPID,
                            CLONE_NEWNET,
                            CLONE_NEWIPC,
                            CLONE_NEWUTS,
                            CLONE_NEWCGROUP})
        all.push_back({SCMP_SYS(clone), {masked(0, static_cast<unsigned int>(world), world)}});
    for (const int typing : {TIOCSTI, TIOCLINUX})
        all.push_back({SCMP_SYS(ioctl), {masked(1, word, typing)}});
    for (const int arming : {F_SETOWN, F_SETOWN_EX, F_SETSIG})
        all.push_back({SCMP_SYS(fcntl), {masked(1, word, arming)}});
    return all;
}

void refuse_calls(std::span<const int> more) {
    const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_ALLOW),
                                                                  seccomp_release);
    constexpr std::uint32_t refusal = SCMP_ACT_ERRNO(EPERM);
    bool made = filter != nullptr;
    for (const auto calls : {std::span<const int>(calls_of_nobody), more})
        for (const int call : calls)
            made = made && seccomp_rule_add(filter.get(), refusal, call, 0) == 0;
    for (const auto& [call, where] : refusals_by_argument())
        made = made && seccomp_rule_add_array(filter.get(),
                                              refusal,
                                              call,
                                              static_cast<unsigned int>(where.size()),
                                              where.data()) == 0;
    // Its flags lie in memory, where no filter sees them; the C library falls back to clone(2).
    made = made && seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
    if (!made || seccomp_load(filter.get()) != 0)
        log::warn("system calls cannot be filtered: the fetch worker may call anything, ignoring");
}

/// The same files through mounts of their own, where no device can be opened: an archive may have a
/// disk's name in it. None where the directory is of another mount namespace, whose mounts cannot
/// be had from here.
sys::Fd view_without_devices(const sys::Fd& directory) {
    sys::Fd view(static_cast<int>(
        ::syscall(SYS_open_tree,
                  directory.get(),
                  "",
                  AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
    mount_attr attributes{.attr_set = MOUNT_ATTR_NODEV};
    if (view && ::syscall(SYS_mount_setattr,
                          view.get(),
                          "",
                          AT_EMPTY_PATH | AT_RECURSIVE,
                          &attributes,
                          sizeof attributes) < 0)
        return {};
    // What a mount is had by serves as a path alone (O_PATH).
    return view ? sys::Fd(::openat(view.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
                : sys::Fd();
}

/// The names in some archives are converted, by what a list of the C library's says, which it reads
/// when it is first asked: from whatever root there is then. After this it has the host's.
void load_conversions() {
    const iconv_t names = ::iconv_open(::nl_langinfo(CODESET), "UTF-8");
    if (names != reinterpret_cast<iconv_t>(-1))
        ::iconv_close(names);
}

/// What foreign bytes make of a process is nothing to keep. And one that keeps few rights would be
/// anybody's who is root in a container that sees the host's processes: nobody traces it who may
/// not trace them all (ptrace(2)).
void close_to_others() {
    const rlimit none{};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

}  // namespace

void confine(const std::string& state,
             const std::string& run,
             Files files,
             const Strings& readable,
             const sys::Fd& target) {
    sys::ensure_private_directory(state + "/images");
    sys::ensure_directory(run + "/fetch", 0700);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    close_to_others();
    std::vector<Exception> exceptions;
    for (const auto& own : {state + "/images", run + "/fetch"})
        exceptions.emplace_back(place(own), reading | writing);
    for (const auto& path : readable)
        exceptions.emplace_back(place(path), reading);
    if (target)
        exceptions.emplace_back(sys::duplicate(target), reading | writing);
    restrict_files(reading | writing | running, exceptions);
    keep_capabilities(files == Files::of_others ? owning_files | marking_overlays : 0);
    refuse_calls({});
}

void confine_to(sys::Fd& directory) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    close_to_others();
    load_conversions();
    if (sys::Fd view = view_without_devices(directory))
        directory = std::move(view);
    sys::check(::fchdir(directory.get()), "go to the directory");
    sys::check(::chroot("."), "make the directory the root");
    std::vector<Exception> exceptions;
    exceptions.emplace_back(sys::duplicate(directory), reading | writing);
    restrict_files(reading | writing | running, exceptions);
    keep_capabilities(owning_files);
    refuse_calls(calls_of_the_network);
}

}  // namespace stack::fetch
