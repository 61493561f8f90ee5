#include "fetch/confine.h"

#include "base/log.h"
#include "sys/file.h"

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::fetch {
namespace {

constexpr std::uint64_t writing =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_EXECUTE;

void allow(int rules, const sys::Fd& fd, std::uint64_t rights) {
    landlock_path_beneath_attr rule{};
    rule.allowed_access = rights;
    rule.parent_fd = fd.get();
    if (fd)
        ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0U);
}

sys::Fd place(const std::string& directory) {
    return sys::Fd(::open(directory.c_str(), O_PATH | O_CLOEXEC));
}

/// The second version of the ABI, which lets files be moved between directories.
void restrict_files(const std::string& state, const std::string& run, const sys::Fd& target) {
    const long version =
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0U, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 2) {
        log::info("this kernel has no Landlock: the fetch worker may write anywhere, ignoring");
        return;
    }
    landlock_ruleset_attr attributes{};
    attributes.handled_access_fs = writing | LANDLOCK_ACCESS_FS_REFER;
    const sys::Fd rules(static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0U)));
    const std::uint64_t rights =
        (writing | LANDLOCK_ACCESS_FS_REFER) & ~std::uint64_t{LANDLOCK_ACCESS_FS_EXECUTE};
    allow(rules.get(), place(state + "/images"), rights);
    allow(rules.get(), place(run + "/fetch"), rights);
    allow(rules.get(), target, rights);  // none, and one that is no directory, change nothing
    if (::syscall(SYS_landlock_restrict_self, rules.get(), 0U) < 0)
        log::warn("Landlock refused its rules: the fetch worker may write anywhere, ignoring");
}

void drop_capabilities() {
    constexpr std::uint64_t kept = 1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER |
                                   1U << CAP_FSETID | 1U << CAP_MKNOD |
                                   1U << CAP_SYS_ADMIN |  // trusted.overlay attributes
                                   std::uint64_t{1} << CAP_SETFCAP;
    const auto low = static_cast<std::uint32_t>(kept);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{{low, low, 0}, {0, 0, 0}};
    if (::syscall(SYS_capset, &header, data) < 0)
        log::info("capabilities cannot be dropped, ignoring");
}

}  // namespace

void confine(const std::string& state, const std::string& run, const sys::Fd& target) {
    sys::ensure_private_directory(state + "/images");
    sys::ensure_directory(run + "/fetch", 0700);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    restrict_files(state, run, target);
    drop_capabilities();
}

}  // namespace stack::fetch
