// What a container mounts: its volumes, with what the image has at their place, and other images.

#include <stack/error.h>

#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "engine/storage/volumes.h"
#include "shim/spec.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/tree.h"

#include <fcntl.h>

namespace stack::runtime {

void Runtime::prepare_volumes(const ContainerRecord& record) {
    sys::Fd image;
    for (const auto& mount : record.mounts) {
        if (mount.type == MountType::bind && mount.create_host_path && !sys::exists(mount.source))
            sys::ensure_directory(mount.source);
        if (mount.type != MountType::volume)
            continue;
        auto volume = storage::find_volume(paths_, mount.source);
        if (!volume) {
            storage::VolumeRecord made;
            made.name = mount.source;
            made.project = record.spec.project;
            made.anonymous = storage::is_anonymous_name(mount.source);
            storage::ensure_volume(paths_, made);
            volume = made;
        }
        // Whose part is mounted gets nothing: what the image has there is of that part.
        if (volume->populated || !volume->driver_opts.empty() || !mount.subpath.empty())
            continue;
        if (!image && !mount.nocopy)
            image = sys::merged_view(record.image.lowers);
        storage::populate_volume(
            paths_,
            mount.source,
            mount.nocopy ? sys::Fd()
                         : sys::find_in_root(image, mount.target, O_RDONLY | O_DIRECTORY));
    }
}

shim::MountSpec Runtime::volume_mount(const ContainerRecord& record, const Mount& mount) const {
    shim::MountSpec spec;
    spec.subpath = mount.subpath;
    if (mount.type == MountType::image) {
        spec.kind = shim::MountKind::overlay;
        const auto image = record.mounted.find(mount.source);
        // Records of earlier versions say nothing of mounts: these could be of the own image only.
        if (image == record.mounted.end() && mount.source != record.spec.image)
            throw Error("the record of container " + record.spec.name +
                        " does not say what image " + mount.source +
                        " was: make it anew, with --force-recreate");
        spec.lowers = image == record.mounted.end() ? record.image.lowers : image->second.lowers;
        return spec;
    }
    spec.source = storage::volume_directory(paths_, mount.source);
    const auto volume = storage::find_volume(paths_, mount.source);
    if (!volume || volume->driver_opts.empty())
        return spec;
    const auto option = [&](const char* name) {
        const auto found = volume->driver_opts.find(name);
        return found == volume->driver_opts.end() ? std::string() : found->second;
    };
    if (option("type") == "tmpfs") {
        if (!mount.subpath.empty())
            throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                        "volume " + mount.source + " is an empty tmpfs: there is no " +
                            mount.subpath + " in it to mount at " + mount.target);
        spec = {};
        spec.kind = shim::MountKind::tmpfs;
        spec.options = option("o");
    } else if (const std::string flags = "," + option("o") + ",";
               flags.find("bind,") != std::string::npos) {
        spec.source = option("device");
    } else if (!option("device").empty()) {
        throw Error(std::make_error_code(std::errc::not_supported),
                    "volume " + mount.source + ": file systems of type " + option("type") +
                        " are not mounted; mount it on the host and bind it");
    }
    return spec;
}

}  // namespace stack::runtime
