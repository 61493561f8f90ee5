#include "cli/volume_list.h"

#include "base/text.h"

#include <nlohmann/json.hpp>

namespace stack::cli {

std::string driver_of(const storage::VolumeRecord& volume) {
    return volume.driver.empty() ? "local" : volume.driver;
}

nlohmann::json volume_list_json(const Paths& paths, const storage::VolumeRecord& volume) {
    Strings labels;
    for (const auto& [name, value] : volume.labels)
        labels.push_back(name + "=" + value);
    nlohmann::json json = {{"Name", volume.name},
                           {"Driver", driver_of(volume)},
                           {"Mountpoint", storage::volume_directory(paths, volume.name)},
                           {"Scope", "local"},
                           {"Labels", join(labels, ",")}};
    for (const auto* key : {"Availability", "Group", "Links", "Size", "Status"})
        json[key] = "N/A";
    return json;
}

}  // namespace stack::cli
