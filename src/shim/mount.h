#pragma once

// Mounts by descriptor (fsopen(2), open_tree(2), move_mount(2)), and places in a container's root,
// resolved inside it only.

#include "shim/fault.h"

#include <cstdint>
#include <string>

#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::shim {

// <sys/mount.h> and <linux/mount.h> cannot be included together with every libc: the few calls are
// made directly.
constexpr unsigned long ms_rec = 16384;
constexpr unsigned long ms_unbindable = 1UL << 17U;
constexpr unsigned long ms_private = 1UL << 18U;
constexpr unsigned long ms_slave = 1UL << 19U;
constexpr unsigned long ms_shared = 1UL << 20U;

constexpr int mnt_detach = 2;

constexpr unsigned int no_suid_dev_exec = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

long mount_call(const char* source,
                const char* target,
                const char* type,
                unsigned long flags,
                const char* data);
int open_tree_call(int directory, const char* path, unsigned int flags);
int mount_setattr_call(int fd, unsigned int flags, mount_attr attributes);

/// A file system that is mounted nowhere yet.
class NewFilesystem {
  public:
    explicit NewFilesystem(const char* type)
        : type_(type),
          fd_(static_cast<int>(
              must(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), type_ + ": open"))) {}

    NewFilesystem(const NewFilesystem&) = delete;
    NewFilesystem& operator=(const NewFilesystem&) = delete;

    ~NewFilesystem() { ::close(fd_); }

    bool try_set(const char* key, const std::string& value);

    void set(const char* key, const std::string& value);
    void flag(const char* key);
    [[nodiscard]] int create(unsigned int attributes);

  private:
    std::string type_;
    int fd_;
};

/// Opens `path` as seen from `root`, following links inside it only.
[[nodiscard]] int open_in(int root, const std::string& path, int flags, unsigned int mode = 0);

/// Postcondition: `path` and its parents are directories of the container.
void make_directories(int root, const std::string& path);

[[nodiscard]] bool is_directory(int fd);

/// Mounts the detached tree `mount` on what is open as `target`.
void attach(int mount, int target, const std::string& what);

/// A mount that hangs over the directory `place` for as long as this object lives, and is nowhere
/// then: before Linux 6.15, what hangs nowhere is not cloned by open_tree(2).
class HungMount {
  public:
    HungMount(int mount, int place) : mount_(mount) {
        attach(mount, place, "a file system for a moment");
    }

    ~HungMount();
    HungMount(const HungMount&) = delete;
    HungMount& operator=(const HungMount&) = delete;

    [[nodiscard]] int fd() const { return mount_; }

  private:
    int mount_;
};

/// The last place on the way to a target, made where it is missing: a directory, or a file to hang
/// a file on.
[[nodiscard]] int open_target(int root, const std::string& path, bool directory);

void mount_at(int root, const std::string& path, int mount);

/// As mount_at(), on a directory or a file, but never on a part of /proc.
void attach_for_user(int tree, int root, const std::string& path);

/// MS_… for shared, slave, private, unbindable and their r-forms; what is none of them is private.
[[nodiscard]] std::uint64_t propagation_flag(const std::string& text);

}  // namespace stack::shim
