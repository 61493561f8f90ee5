#include "sys/file.h"
#include "sys/tree.h"
#include "sys/tree_walk.h"

#include <array>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace stack::sys {
namespace {

void set_owner_and_times(const Fd& to, const std::string& name, const struct stat& status) {
    check(::fchownat(to.get(), name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW),
          "set the owner of " + name);
    const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
    check(::utimensat(to.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW),
          "set the times of " + name);
}

void copy_extended_attributes(const Fd& from, const Fd& to) {
    for (const auto& [name, value] : attributes_of(from))
        if ((!name.starts_with("trusted.overlay.") || name == opaque_attribute) &&
            ::fsetxattr(to.get(), name.c_str(), value.data(), value.size(), 0) < 0 &&
            errno != ENOTSUP && errno != EPERM)
            fail("set attribute " + name);
}

void copy_attributes(const Fd& from, const Fd& to) {
    struct stat status {};

    check(::fstat(from.get(), &status), "stat a file");
    check(::fchown(to.get(), status.st_uid, status.st_gid), "set the owner of a file");
    check(::fchmod(to.get(), status.st_mode & 07777U), "set the mode of a file");
    copy_extended_attributes(from, to);
    const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
    check(::futimens(to.get(), times.data()), "set the times of a file");
}

void copy_entry_of(const Fd& from, const Fd& to, const std::string& name) {
    const Fd target(check(
        ::openat(
            to.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
        "create " + name));
    copy_file(open_regular_file(from, name), target, name);
}

void copy_link(const Fd& from, const Fd& to, const std::string& name, const struct stat& status) {
    check(::symlinkat(find_link_target(from, name).value_or("").c_str(), to.get(), name.c_str()),
          "create link " + name);
    set_owner_and_times(to, name, status);
}

void make_node(const Fd& to, const std::string& name, const struct stat& status) {
    check(::mknodat(to.get(), name.c_str(), status.st_mode, status.st_rdev), "create " + name);
    set_owner_and_times(to, name, status);
    check(::fchmodat(to.get(), name.c_str(), status.st_mode & 07777U, AT_SYMLINK_NOFOLLOW),
          "set the mode of " + name);
}

class TreeCopy {
  public:
    TreeCopy(const Fd& from, const Fd& to) : top_(to), from_(from), to_(to) {}

    void run() {
        for (;;) {
            if (const auto name = from_.next()) {
                copy_entry(*name);
                continue;
            }
            copy_attributes(from_.here(), to_.here());
            if (from_.at_top())
                return;
            path_.resize(path_.size() - from_.leave().size() - 1);
            to_.leave();
        }
    }

  private:
    void copy_entry(const std::string& name) {
        struct stat status {};

        check(::fstatat(from_.here().get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW),
              "stat " + name);
        if (S_ISDIR(status.st_mode)) {
            enter_directory(name);
            return;
        }
        if (status.st_nlink > 1 && link_to_earlier(name, status))
            return;
        if (S_ISREG(status.st_mode))
            copy_entry_of(from_.here(), to_.here(), name);
        else if (S_ISLNK(status.st_mode))
            copy_link(from_.here(), to_.here(), name, status);
        else
            make_node(to_.here(), name, status);
        if (status.st_nlink > 1)
            copied_[{status.st_dev, status.st_ino}] = {path_, name};
    }

    void enter_directory(const std::string& name) {
        if (::mkdirat(to_.here().get(), name.c_str(), 0700) < 0 && errno != EEXIST)
            fail("create directory " + name);
        from_.enter(name);
        to_.enter(name);
        path_ += name + "/";
    }

    bool link_to_earlier(const std::string& name, const struct stat& status) {
        const auto found = copied_.find({status.st_dev, status.st_ino});
        if (found == copied_.end())
            return false;
        const auto& [path, first] = found->second;
        const Fd directory = open_in_root(top_, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
        check(::linkat(directory.get(), first.c_str(), to_.here().get(), name.c_str(), 0),
              "link " + name);
        return true;
    }

    const Fd& top_;
    TreeWalk from_;
    Descent to_;
    std::string path_;  // from the top, with a slash at its end
    std::map<std::pair<dev_t, ino_t>, std::pair<std::string, std::string>>
        copied_;  // files with several names: the directory and name of the first copy
};

}  // namespace

void copy_file(const Fd& from, const Fd& to, const std::string& name) {
    copy_rest(from, to, name);
    copy_attributes(from, to);
}

void copy_tree(const Fd& from, const Fd& to) {
    TreeCopy(from, to).run();
}

}  // namespace stack::sys
