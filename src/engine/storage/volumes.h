#pragma once

// Named and anonymous volumes: data that outlives containers. Nothing here removes one that it was
// not told to.
//
//   <state>/volumes/<name>/_data        what containers see
//   <state>/volumes/<name>/volume.json  who made it, and whether its first-use copy is complete

#include <stack/model.h>
#include <stack/paths.h>

#include "sys/fd.h"
#include "sys/scratch_directory.h"

#include <ctime>
#include <optional>
#include <string>
#include <vector>

namespace stack::storage {

struct VolumeRecord {
    std::string name;
    std::string project;  // empty: not made by a stack
    std::string key;
    std::string config_digest;
    std::string driver;
    StringMap driver_opts;
    StringMap labels;
    std::time_t created = 0;  // when it was made; of records without it, when it was last written
    bool anonymous = false;
    bool populated = false;  // the first-use copy of the image's content is done, or was not wanted

    bool operator==(const VolumeRecord&) const = default;
};

[[nodiscard]] std::vector<VolumeRecord> list_volumes(const Paths& paths);
[[nodiscard]] std::optional<VolumeRecord> find_volume(const Paths& paths, const std::string& name);

/// Postcondition: the volume is there. One of the same name stays as it is, record included.
void ensure_volume(const Paths& paths, const VolumeRecord& record);

/// Postcondition: no volume of this name. Its data is renamed away, so that a crash never leaves
/// half of it, and goes with the directory that is returned; nullopt: there was none.
std::optional<sys::ScratchDirectory> remove_volume(const Paths& paths, const std::string& name);

/// The directory that containers see. Throws where there is no such volume.
[[nodiscard]] std::string volume_directory(const Paths& paths, const std::string& name);

/// Whether it is one that anonymous_volume_name() makes.
[[nodiscard]] bool is_anonymous_name(const std::string& name);

/// Postcondition: an empty volume that was not populated holds a copy of the directory `from`
/// (owner, mode, times, attributes, also of the directory itself); `from` may be none. A copy that
/// was interrupted is begun again.
void populate_volume(const Paths& paths, const std::string& name, const sys::Fd& from);

/// The name of an anonymous volume of a container: the same for the same container name, target and
/// salt, so that a recreated container finds its data.
[[nodiscard]] std::string anonymous_volume_name(const std::string& container,
                                                const std::string& target,
                                                const std::string& salt);

}  // namespace stack::storage
