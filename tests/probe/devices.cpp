#include "tests/probe/facts.h"

#include <array>
#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace stack::probe {
namespace {

std::string octal(mode_t mode) {
    std::array<char, 8> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), mode & 07777U, 8).ptr;
    return {digits.data(), end};
}

std::string number_of(dev_t device) {
    return std::to_string(major(device)) + ":" + std::to_string(minor(device));
}

std::string look_of(const std::string& path) {
    struct stat status {};

    if (::lstat(path.c_str(), &status) < 0)
        return outcome(errno);
    if (S_ISLNK(status.st_mode))
        return "link to " + link_target(path);
    const std::string rest = octal(status.st_mode) + " " + std::to_string(status.st_uid) + ":" +
                             std::to_string(status.st_gid);
    if (S_ISDIR(status.st_mode))
        return "directory " + rest;
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
        return (S_ISCHR(status.st_mode) ? "character " : "block ") + number_of(status.st_rdev) +
               " " + rest;
    return "other " + rest;
}

/// A device that the container has no business with, made by itself: whether it can be made, and
/// opened then (GHSA-g54h-m393-cpwq).
void try_device(mode_t kind, unsigned int major_number, unsigned int minor_number, Facts& facts) {
    const std::string path = "/probed-device";
    const dev_t device = makedev(major_number, minor_number);
    const std::string name = (kind == S_IFBLK ? "block " : "character ") + number_of(device);
    if (::mknod(path.c_str(), kind | 0600, device) < 0) {
        facts.push_back("makes device " + name + ": " + outcome(errno));
        return;
    }
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_refused = fd < 0 && (errno == EPERM || errno == EACCES);
    facts.push_back("makes device " + name + ": yes");
    facts.push_back("opens device " + name + ": " + (is_refused ? "no" : "yes"));
    ::close(fd);
    ::unlink(path.c_str());
}

}  // namespace

void tell_devices(Facts& facts) {
    for (const auto& name : names_in("/dev"))
        facts.push_back("device " + name + ": " + look_of("/dev/" + name));
    try_device(S_IFCHR, 1, 1, facts);     // the machine's memory
    try_device(S_IFBLK, 8, 0, facts);     // its disk
    try_device(S_IFCHR, 10, 229, facts);  // fuse
}

}  // namespace stack::probe
