#include "sys/mount.h"

#include "sys/file.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::sys {
namespace {

class Overlay {
  public:
    Overlay()
        : fs_(static_cast<int>(
              check(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC), "open an overlay"))) {}

    bool try_set(const char* key, const std::string& value) const {
        return ::syscall(SYS_fsconfig, fs_.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0;
    }

    void set(const char* key, const std::string& value) const {
        if (!try_set(key, value))
            fail(std::string("overlay option ") + key + "=" + value);
    }

    /// Kernels before 6.7 take all lower directories in one option, which then must fit a page.
    void set_lowers(const std::vector<std::string>& lowers) const {
        if (!lowers.empty() && !try_set("lowerdir+", lowers.front())) {
            std::string joined;
            for (const auto& lower : lowers)
                joined += (joined.empty() ? "" : ":") + lower;
            set("lowerdir", joined);
            return;
        }
        for (std::size_t i = 1; i < lowers.size(); ++i)
            set("lowerdir+", lowers[i]);
    }

    [[nodiscard]] Fd mount(unsigned int attributes) const {
        check(::syscall(SYS_fsconfig, fs_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0),
              "create an overlay");
        return Fd(static_cast<int>(check(
            ::syscall(SYS_fsmount, fs_.get(), FSMOUNT_CLOEXEC, attributes), "mount an overlay")));
    }

  private:
    Fd fs_;
};

}  // namespace

Fd merged_view(const std::vector<std::string>& lowers) {
    if (lowers.size() == 1)  // overlayfs wants two; one layer is its own content
        return open_directory(lowers.front());
    const Overlay overlay;
    overlay.set_lowers(lowers);
    return overlay.mount(MOUNT_ATTR_RDONLY);
}

Fd writable_view(const std::vector<std::string>& lowers,
                 const std::string& upper,
                 const std::string& work) {
    const Overlay overlay;
    overlay.set_lowers(lowers);
    overlay.set("upperdir", upper);
    overlay.set("workdir", work);
    // The upper directory is the whole difference, so that it can be read as a layer.
    for (const auto* key : {"index", "metacopy", "redirect_dir"})
        overlay.try_set(key, "off");
    return overlay.mount(0);
}

}  // namespace stack::sys
