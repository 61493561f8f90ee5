#include "engine/build/layer_mount.h"

#include <stack/error.h>

#include "sys/file.h"

#include <vector>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::build {
namespace {

/// A file system that is being configured (fsopen(2)).
class Overlay {
  public:
    Overlay()
        : context_(static_cast<int>(
              sys::check(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC), "open an overlay"))) {}

    bool try_set(const char* key, const std::string& value) {
        return ::syscall(
                   SYS_fsconfig, context_.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0;
    }

    void set(const char* key, const std::string& value) {
        if (!try_set(key, value))
            sys::fail(std::string("set ") + key + " of an overlay to " + value);
    }

    void flag(const char* key) {
        sys::check(::syscall(SYS_fsconfig, context_.get(), FSCONFIG_SET_FLAG, key, nullptr, 0),
                   key);
    }

    sys::Fd mount(unsigned int attributes) {
        sys::check(
            ::syscall(SYS_fsconfig, context_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0),
            "mount an overlay");
        return sys::Fd(static_cast<int>(
            sys::check(::syscall(SYS_fsmount, context_.get(), FSMOUNT_CLOEXEC, attributes),
                       "mount an overlay")));
    }

  private:
    sys::Fd context_;
};

/// Kernels before 6.7 take all lower directories in one option of at most 255 bytes: descriptors,
/// named from inside /proc/self/fd, are the shortest names there are.
void set_lowers_by_descriptor(Overlay& overlay, const Strings& lowers) {
    std::vector<sys::Fd> directories;
    std::string names;
    for (const auto& lower : lowers) {
        directories.push_back(sys::open_file(lower, O_PATH | O_DIRECTORY));
        names += (names.empty() ? "" : ":") + std::to_string(directories.back().get());
    }
    const sys::Fd here = sys::open_directory(".");
    const sys::Fd descriptors = sys::open_directory("/proc/self/fd");
    sys::check(::fchdir(descriptors.get()), "enter /proc/self/fd");
    const bool done = overlay.try_set("lowerdir", names);
    sys::check(::fchdir(here.get()), "return to the working directory");
    if (!done)
        throw Error(std::to_string(lowers.size()) +
                    " layers are more than this kernel can stack: Linux 6.7 and later take 500");
}

void set_lowers(Overlay& overlay, const Strings& lowers) {
    if (!overlay.try_set("lowerdir+", lowers.front()))
        return set_lowers_by_descriptor(overlay, lowers);
    for (auto lower = lowers.begin() + 1; lower != lowers.end(); ++lower)
        overlay.set("lowerdir+", *lower);
}

/// An overlay without an upper directory needs two lower ones; one alone is what it is.
sys::Fd mount_single(const std::string& lower) {
    return sys::Fd(static_cast<int>(sys::check(
        ::syscall(SYS_open_tree, AT_FDCWD, lower.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
        "open " + lower)));
}

}  // namespace

sys::Fd mount_layers(const Strings& lowers, const std::string& upper, const std::string& work) {
    Overlay overlay;
    set_lowers(overlay, lowers);
    overlay.set("upperdir", upper);
    overlay.set("workdir", work);
    for (const auto* key : {"index", "metacopy", "redirect_dir"})
        overlay.try_set(key, "off");
    overlay.flag("volatile");
    return overlay.mount(0);
}

sys::Fd mount_layers(const Strings& lowers) {
    if (lowers.size() == 1)
        return mount_single(lowers.front());
    Overlay overlay;
    set_lowers(overlay, lowers);
    return overlay.mount(MOUNT_ATTR_RDONLY);
}

void inherit_root(const Strings& lowers, const std::string& upper) {
    if (lowers.empty())
        return;

    struct stat status {};

    const sys::Fd below = sys::open_directory(lowers.front());
    const sys::Fd above = sys::open_directory(upper);
    sys::check(::fstat(below.get(), &status), "stat " + lowers.front());
    sys::check(::fchown(above.get(), status.st_uid, status.st_gid), "set the owner of " + upper);
    sys::check(::fchmod(above.get(), status.st_mode & 07777U), "set the mode of " + upper);
}

}  // namespace stack::build
