#pragma once

// A volume as lists show it: docker's words.

#include <stack/paths.h>

#include "engine/storage/volumes.h"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace stack::cli {

[[nodiscard]] std::string driver_of(const storage::VolumeRecord& volume);
/// The object of `volume ls --format json`: what nobody has counted, and what only clusters have,
/// is N/A.
[[nodiscard]] nlohmann::json volume_list_json(const Paths& paths,
                                              const storage::VolumeRecord& volume);

}  // namespace stack::cli
