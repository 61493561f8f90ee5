#include "shim/users.h"

#include "shim/fault.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::shim {
namespace {

void write_map(int pid, const char* file, const std::string& map) {
    const std::string path = "/proc/" + std::to_string(pid) + "/" + file;
    const int fd = static_cast<int>(must(::open(path.c_str(), O_WRONLY | O_CLOEXEC), path));
    must(::write(fd, map.data(), map.size()), std::string("write ") + file + " of the container");
    ::close(fd);
}

}  // namespace

void map_users(const Spec& spec, int pid) {
    if (spec.user.sharing != Sharing::own)
        return;
    write_map(pid, "uid_map", spec.uid_map);
    write_map(pid, "gid_map", spec.gid_map);
}

void raise_limits(const std::vector<LimitSpec>& limits, int pid) {
    for (const auto& wanted : limits) {
        const auto resource = static_cast<__rlimit_resource>(wanted.resource);
        rlimit limit{};
        if (::prlimit(pid, resource, nullptr, &limit) < 0 || wanted.hard <= limit.rlim_max)
            continue;
        limit.rlim_max = wanted.hard;
        ::prlimit(pid, resource, &limit, nullptr);
    }
}

void raise_shared_limits(const std::vector<LimitSpec>& limits) {
    for (const auto& wanted : limits) {
        if (wanted.resource != RLIMIT_MSGQUEUE && wanted.resource != RLIMIT_SIGPENDING &&
            wanted.resource != RLIMIT_MEMLOCK)
            continue;
        rlimit limit{wanted.hard, wanted.hard};
        ::prlimit(0, static_cast<__rlimit_resource>(wanted.resource), &limit, nullptr);
    }
}

void give_streams(const std::vector<int>& streams, std::uint32_t root_id) {
    for (const int fd : streams) {
        struct stat status {};

        if (fd >= 0 && ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))
            must(::fchown(fd, root_id, root_id), "own a stream");
    }
}

void become_root() {
    must(::setgroups(0, nullptr), "drop groups");
    must(::setresgid(0, 0, 0), "become the container's root group");
    must(::setresuid(0, 0, 0), "become the container's root");
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // another id may have made it so
}

}  // namespace stack::shim
