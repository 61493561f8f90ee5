#include "shim/devices.h"

#include "shim/enclosure.h"
#include "shim/fault.h"
#include "shim/mount.h"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace stack::shim {
namespace {

/// A small one for nodes.
int make_store(unsigned int attributes) {
    NewFilesystem tmpfs("tmpfs");
    tmpfs.set("mode", "755");
    tmpfs.set("size", "64k");
    tmpfs.set("nr_inodes", "64k");
    return tmpfs.create(attributes);
}

constexpr unsigned int of_dev = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_STRICTATIME;

void make_node(int dev, const char* name, unsigned int major_number, unsigned int minor_number) {
    must(::mknodat(dev, name, S_IFCHR | 0666, makedev(major_number, minor_number)),
         std::string("create /dev/") + name);
}

/// What the host's id is where the container's root is `root_id`.
std::uint32_t shifted(std::uint32_t id, std::uint32_t root_id) {
    if (root_id == 0)
        return id;
    return root_id + (id < ids_of_users ? id : 0);
}

/// With the permissions and owner of the host's, or as asked for.
void make_device(int directory,
                 const std::string& name,
                 const DeviceSpec& device,
                 std::uint32_t root_id) {
    struct stat status {};

    must(::stat(device.source.c_str(), &status), "device " + device.source);
    constexpr mode_t permissions = 0777;
    const mode_t mode = device.mode == of_source ? status.st_mode
                                                 : (status.st_mode & static_cast<mode_t>(S_IFMT)) |
                                                       (device.mode & permissions);
    if (::mknodat(directory, name.c_str(), mode, status.st_rdev) < 0 && errno != EEXIST)
        give_up(engine_failed, "create device " + device.target, errno);
    must(::fchownat(directory,
                    name.c_str(),
                    shifted(device.uid == of_source ? status.st_uid : device.uid, root_id),
                    shifted(device.gid == of_source ? status.st_gid : device.gid, root_id),
                    AT_SYMLINK_NOFOLLOW),
         "own device " + device.target);
}

}  // namespace

bool has_shared_memory(const Spec& spec) {
    return spec.ipc.sharing != Sharing::own || spec.shm_size != 0;
}

int make_dev(const Spec& spec) {
    const int dev = make_store(of_dev);
    make_node(dev, "null", 1, 3);
    make_node(dev, "zero", 1, 5);
    make_node(dev, "full", 1, 7);
    make_node(dev, "random", 1, 8);
    make_node(dev, "urandom", 1, 9);
    make_node(dev, "tty", 5, 0);
    for (const auto& link : device_links)
        must(::symlinkat(link[0], dev, link[1]), std::string("create /dev/") + link[1]);
    for (const std::string name : {"pts", "shm", "mqueue"})
        if (name != "shm" || has_shared_memory(spec))
            must(::mkdirat(dev, name.c_str(), 0755), "create /dev/" + name);
    return dev;
}

void add_device(int root, const DeviceSpec& device) {
    const auto slash = device.target.find_last_of('/');
    const std::string directory = device.target.substr(0, slash + 1);
    make_directories(root, directory);
    const int parent =
        static_cast<int>(must(open_in(root, directory, O_PATH | O_DIRECTORY), directory));
    make_device(parent, device.target.substr(slash + 1), device, 0);
    ::close(parent);
}

std::vector<int> make_device_trees(const Spec& spec, int place) {
    std::vector<int> trees;
    if (spec.devices.empty())
        return trees;
    const HungMount store(make_store(of_dev), place);
    for (const auto& device : spec.devices) {
        const std::string name = std::to_string(trees.size());
        make_device(store.fd(), name, device, spec.root_id);
        trees.push_back(static_cast<int>(
            must(open_tree_call(store.fd(), name.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
                 "device " + device.source)));
    }
    return trees;
}

}  // namespace stack::shim
