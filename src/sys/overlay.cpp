#include "sys/overlay.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::sys {
namespace {

/// A value of fsconfig(2) ends there (FSCONFIG_SET_STRING: 256 bytes with its NUL).
constexpr std::size_t longest_value = 255;

/// Descriptors that are closed together, errno kept.
class Descriptors {
  public:
    Descriptors() = default;
    Descriptors(const Descriptors&) = delete;
    Descriptors& operator=(const Descriptors&) = delete;

    ~Descriptors() {
        const int error = errno;
        for (const int fd : fds_)
            ::close(fd);
        errno = error;
    }

    /// -1, with errno, where it cannot be opened.
    int open(const std::string& path, int flags) {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
        if (fd >= 0)
            fds_.push_back(fd);
        return fd;
    }

    int adopt(long fd) {
        if (fd >= 0)
            fds_.push_back(static_cast<int>(fd));
        return static_cast<int>(fd);
    }

  private:
    std::vector<int> fds_;
};

class Configuration {
  public:
    Configuration(int context, std::string& step) : context_(context), step_(step) {}

    [[nodiscard]] bool set(const char* key, const std::string& value) {
        step_ = std::string("overlay: ") + key + "=" + value;
        return call(FSCONFIG_SET_STRING, key, value.c_str());
    }

    [[nodiscard]] bool flag(const char* key) {
        step_ = std::string("overlay: ") + key;
        return call(FSCONFIG_SET_FLAG, key, nullptr);
    }

    [[nodiscard]] bool create() {
        step_ = "overlay: mount";
        return call(FSCONFIG_CMD_CREATE, nullptr, nullptr);
    }

  private:
    bool call(unsigned int command, const char* key, const char* value) const {
        return ::syscall(SYS_fsconfig, context_, command, key, value, 0) == 0;
    }

    int context_;
    std::string& step_;
};

/// The directories as options name them: by descriptors, from inside /proc/self/fd. A value is
/// short, and a comma, a colon or a backslash in it means something; a number is neither long nor
/// has any.
struct Names {
    std::vector<std::string> lowers;
    std::string upper;
    std::string work;
};

/// False, with errno, where one cannot be opened.
bool open_all(const Overlay& overlay, Descriptors& opened, Names& names) {
    const auto name = [&](const std::string& path) {
        const int fd = opened.open(path, O_PATH | O_DIRECTORY);
        return fd < 0 ? std::string() : std::to_string(fd);
    };
    for (const auto& lower : overlay.lowers)
        if (names.lowers.emplace_back(name(lower)).empty())
            return false;
    if (overlay.upper.empty())
        return true;
    names.upper = name(overlay.upper);
    names.work = names.upper.empty() ? "" : name(overlay.work);
    return !names.work.empty();
}

/// In one option, as kernels before 6.7 know no other way, while that is long enough.
bool set_lowers(Configuration& options, const std::vector<std::string>& lowers) {
    std::string all;
    for (const auto& lower : lowers)
        all += (all.empty() ? "" : ":") + lower;
    if (all.size() <= longest_value)
        return options.set("lowerdir", all);
    for (const auto& lower : lowers)
        if (!options.set("lowerdir+", lower))
            return false;
    return true;
}

/// The upper directory is the whole difference, so that it can be read as a layer.
bool set_upper(Configuration& options, const Names& names, bool is_volatile) {
    if (names.upper.empty())
        return true;
    for (const auto* key : {"index", "metacopy", "redirect_dir"})
        if (!options.set(key, "off"))
            return false;
    return options.set("upperdir", names.upper) && options.set("workdir", names.work) &&
           (!is_volatile || options.flag("volatile"));
}

/// Called inside /proc/self/fd: kernels before 6.5 look the names up only when they create.
int make_here(const Names& names, bool is_volatile, std::string& step) {
    Descriptors own;
    step = "overlay: open";
    const int context = own.adopt(::syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC));
    if (context < 0)
        return -1;
    Configuration options(context, step);
    if (!set_lowers(options, names.lowers) || !set_upper(options, names, is_volatile) ||
        !options.create())
        return -1;
    return static_cast<int>(::syscall(
        SYS_fsmount, context, FSMOUNT_CLOEXEC, names.upper.empty() ? MOUNT_ATTR_RDONLY : 0));
}

}  // namespace

int make_overlay(const Overlay& overlay, std::string& step) {
    Descriptors opened;
    step = "open the layers";
    Names names;
    if (!open_all(overlay, opened, names))
        return -1;
    step = "enter /proc/self/fd";
    const int here = opened.open(".", O_PATH | O_DIRECTORY);
    const int descriptors = opened.open("/proc/self/fd", O_PATH | O_DIRECTORY);
    if (here < 0 || descriptors < 0 || ::fchdir(descriptors) < 0)
        return -1;
    const int made = make_here(names, overlay.is_volatile, step);
    const int error = errno;
    if (::fchdir(here) < 0)
        return -1;
    errno = error;
    return made;
}

}  // namespace stack::sys
