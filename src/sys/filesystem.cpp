#include "sys/filesystem.h"

#include "sys/fd.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

namespace stack::sys {
namespace {

// Those of linux/magic.h's kind that it does not have.
constexpr std::uint32_t xfs_magic = 0x58465342;
constexpr std::uint32_t fuse_magic = 0x65735546;
constexpr std::uint32_t cifs_magic = 0xff534d42;
constexpr std::uint32_t zfs_magic = 0x2fc12fc1;

struct Type {
    std::uint32_t magic;
    const char* name;
};

constexpr std::array types{Type{EXT4_SUPER_MAGIC, "ext4"},
                           Type{xfs_magic, "xfs"},
                           Type{BTRFS_SUPER_MAGIC, "btrfs"},
                           Type{F2FS_SUPER_MAGIC, "f2fs"},
                           Type{zfs_magic, "zfs"},
                           Type{TMPFS_MAGIC, "tmpfs"},
                           Type{OVERLAYFS_SUPER_MAGIC, "overlay"},
                           Type{NFS_SUPER_MAGIC, "nfs"},
                           Type{cifs_magic, "cifs"},
                           Type{fuse_magic, "fuse"},
                           Type{MSDOS_SUPER_MAGIC, "vfat"}};

std::string type_name(std::uint32_t magic) {
    const auto* found = std::find_if(
        types.begin(), types.end(), [&](const Type& type) { return type.magic == magic; });
    if (found != types.end())
        return found->name;
    std::array<char, 16> digits{};
    std::snprintf(digits.data(), digits.size(), "0x%x", magic);
    return digits.data();
}

}  // namespace

Filesystem filesystem_of(const std::string& path) {
    struct statfs status {};

    check(::statfs(path.c_str(), &status), "look at the file system of " + path);
    const auto block = static_cast<std::uint64_t>(status.f_bsize);
    return {type_name(static_cast<std::uint32_t>(status.f_type)),
            status.f_blocks * block,
            status.f_bavail * block,
            status.f_files,
            status.f_ffree,
            (static_cast<unsigned long>(status.f_flags) & ST_RDONLY) != 0};
}

}  // namespace stack::sys
