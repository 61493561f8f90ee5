#pragma once

// The Container Device Interface's names: VENDOR/CLASS=DEVICE, as in nvidia.com/gpu=all.

#include <stack/model.h>

#include "base/expected.h"

#include <string_view>

namespace stack {

[[nodiscard]] bool is_cdi_name(std::string_view text);

/// The names of the devices that are asked for: `device_ids` themselves of driver cdi; of nvidia,
/// or of no driver where a gpu is wanted, those of its GPUs.
[[nodiscard]] Expected<Strings> cdi_names_for(const DeviceRequest& request);

}  // namespace stack
